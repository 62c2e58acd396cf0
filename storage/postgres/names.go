package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
}

// No process remembers which number a text has. A standby that takes over may
// never have heard of it, and give it to another; so may a database that is set
// back. Each statement goes by the table that it is answered from.
const (
	selectNames  = "SELECT text, number FROM name WHERE text = ANY ($1)"
	selectStates = "SELECT text, number FROM state WHERE text = ANY ($1)"

	// In one order, so that of two programs neither waits for the other in turn. The
	// lists stand in queries of their own for what statement.array says.
	addNames = `INSERT INTO name (text) SELECT DISTINCT a.text FROM unnest((SELECT $1::text[])) AS a (text)
		WHERE NOT EXISTS (SELECT FROM name WHERE name.text = a.text) ORDER BY a.text ON CONFLICT (text) DO NOTHING`
	addStates = `INSERT INTO state (text) SELECT DISTINCT a.text FROM unnest((SELECT $1::text[])) AS a (text)
		WHERE NOT EXISTS (SELECT FROM state WHERE state.text = a.text) ORDER BY a.text ON CONFLICT (text) DO NOTHING`
)

// errUnnamed says that a text has no number, and that nothing is stored.
var errUnnamed = errors.New("a product, plan or state has no number")

// named runs f, which writes what has these indexes. Where that finds a text
// without a number all get one, which is committed before f is run again.
func (s *Store) named(ctx context.Context, indexes []storage.Index, f func() error) error {
	err := f()
	if !errors.Is(err, errUnnamed) {
		return err
	}
	names, states := textsOf(indexes)
	if err := s.change(ctx, func(c *pgxpool.Conn) error {
		batch := &pgx.Batch{}
		batch.Queue(addNames, names)
		batch.Queue(addStates, states)
		return c.SendBatch(ctx, batch).Close()
	}); err != nil {
		return err
	}
	return f()
}

// textsOf gives the texts that have numbers, some several times.
func textsOf(indexes []storage.Index) (names, states []string) {
	for _, x := range indexes {
		names, states = append(names, x.Product, x.Plan), append(states, x.State)
	}
	return names, states
}

// numbers are those of the texts that some records have.
type numbers struct{ names, states map[string]int32 }

// numbersOf reads them, and fails with errUnnamed where one is missing.
func numbersOf(ctx context.Context, q querier, indexes []storage.Index) (all numbers, err error) {
	names, states := textsOf(indexes)
	if all.names, err = numbersIn(ctx, q, selectNames, names); err != nil {
		return all, err
	}
	all.states, err = numbersIn(ctx, q, selectStates, states)
	return all, err
}

func numbersIn(ctx context.Context, q querier, query string, texts []string) (map[string]int32, error) {
	rows, err := q.Query(ctx, query, texts)
	if err != nil {
		return nil, err
	}
	found := map[string]int32{}
	var text string
	var number int32
	if _, err := pgx.ForEachRow(rows, []any{&text, &number}, func() error {
		found[text] = number
		return nil
	}); err != nil {
		return nil, err
	}
	for _, text := range texts {
		if _, ok := found[text]; !ok {
			return nil, errUnnamed
		}
	}
	return found, nil
}
