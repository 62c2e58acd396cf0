package postgres

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

// names is what is known of one of the tables that number texts. Rows are
// only ever added to it, and are committed before a record has them, so what was
// read once holds.
type names struct {
	table string

	mapsMu  sync.RWMutex
	numbers map[string]int32
	texts   map[int32]string
}

func newNames(table string) *names {
	return &names{table: table, numbers: map[string]int32{}, texts: map[int32]string{}}
}

// number gives the number of a text, which gets one if it has none.
func (n *names) number(ctx context.Context, q querier, text string) (int32, error) {
	n.mapsMu.RLock()
	number, known := n.numbers[text]
	n.mapsMu.RUnlock()
	if known {
		return number, nil
	}
	if _, err := q.Exec(ctx, "INSERT INTO "+n.table+" (text) VALUES ($1) ON CONFLICT DO NOTHING", text); err != nil {
		return 0, err
	}
	if err := q.QueryRow(ctx, "SELECT number FROM "+n.table+" WHERE text = $1", text).Scan(&number); err != nil {
		return 0, err
	}
	n.learn(map[int32]string{number: text})
	return number, nil
}

// knows reports whether number needs no statement for any of these.
func (n *names) knows(texts ...string) bool {
	n.mapsMu.RLock()
	defer n.mapsMu.RUnlock()
	for _, text := range texts {
		if _, known := n.numbers[text]; !known {
			return false
		}
	}
	return true
}

// load reads the texts of those of these numbers that are not known yet.
func (n *names) load(ctx context.Context, q querier, numbers map[int32]bool) error {
	n.mapsMu.RLock()
	var missing []int32
	for number := range numbers {
		if _, known := n.texts[number]; !known {
			missing = append(missing, number)
		}
	}
	n.mapsMu.RUnlock()
	if len(missing) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, "SELECT number, text FROM "+n.table+" WHERE number = ANY ($1)", missing)
	if err != nil {
		return err
	}
	read := map[int32]string{}
	var number int32
	var text string
	if _, err = pgx.ForEachRow(rows, []any{&number, &text}, func() error {
		read[number] = text
		return nil
	}); err != nil {
		return err
	}
	n.learn(read)
	return nil
}

// text gives the text of a number that was loaded.
func (n *names) text(number int32) (string, error) {
	n.mapsMu.RLock()
	defer n.mapsMu.RUnlock()
	text, known := n.texts[number]
	if !known {
		return "", fmt.Errorf("no %s of number %d", n.table, number)
	}
	return text, nil
}

// learn takes in rows that are committed.
func (n *names) learn(rows map[int32]string) {
	n.mapsMu.Lock()
	defer n.mapsMu.Unlock()
	maps.Copy(n.texts, rows)
	for number, text := range rows {
		n.numbers[text] = number
	}
}
