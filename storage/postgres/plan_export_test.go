package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// ListPlan gives PostgreSQL's plan of a page.
func ListPlan(ctx context.Context, s storage.Store, q storage.Query) ([]byte, error) {
	o, err := sqlstore.OrderOf(mark, q.Order)
	if err != nil {
		return nil, err
	}
	after, err := o.Decode(q.After)
	if err != nil {
		return nil, err
	}
	query, args := listStatement(q, o, sqlstore.TimesOf(q.Filter, o, after))
	return explain(ctx, s.(*Store), query, args)
}

// SearchPlan gives PostgreSQL's plan of a search.
func SearchPlan(ctx context.Context, s storage.Store, q storage.SearchQuery) ([]byte, error) {
	query, args := searchStatement(q, q.First)
	return explain(ctx, s.(*Store), query, args)
}

// explain gives the plan that inOrder runs, which is for any values.
func explain(ctx context.Context, s *Store, query string, args []any) (plan []byte, err error) {
	values := make([]string, len(args))
	for i := range args {
		values[i] = "$" + strconv.Itoa(i+1)
	}
	simple := append([]any{pgx.QueryExecModeSimpleProtocol}, args...)
	err = s.read(ctx, func(c *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, byIndex); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "PREPARE explained AS "+query); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, "EXPLAIN (FORMAT json) EXECUTE explained ("+strings.Join(values, ", ")+")", simple...)
			if err != nil {
				return err
			}
			if plan, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte]); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "DEALLOCATE explained")
			return err
		})
	})
	return plan, err
}

// PlannedAnew gives the statements of which PostgreSQL made more plans than it
// makes before it compares them with one for any values, and how many. The store
// has a pool of one connection.
func PlannedAnew(ctx context.Context, s storage.Store) (plans map[string]int, err error) {
	const before = 5 // choose_custom_plan of PostgreSQL
	err = s.(*Store).read(ctx, func(c *pgxpool.Conn) error {
		plans = map[string]int{}
		rows, err := c.Query(ctx, "SELECT statement, custom_plans FROM pg_prepared_statements WHERE custom_plans > $1", before)
		if err != nil {
			return err
		}
		var statement string
		var custom int
		_, err = pgx.ForEachRow(rows, []any{&statement, &custom}, func() error {
			plans[statement] = custom
			return nil
		})
		return err
	})
	return plans, err
}

// Analyze has PostgreSQL look at what there is.
func Analyze(ctx context.Context, s storage.Store) error {
	_, err := s.(*Store).pool.Exec(ctx, "VACUUM ANALYZE")
	return err
}

// RecordStatements gives the statements that go by key, with parameters as SQL
// writes them.
func RecordStatements() map[string]Statement {
	insert, update := &writing{}, &writing{}
	for _, w := range []*writing{insert, update} {
		w.Put, w.Remove = []storage.Seat{{ID: "a"}}, []storage.Removal{{ID: "b"}}
		w.Entries = []storage.Entry{{ID: "e"}}
	}
	insert.Record.Index.Words = []string{"a"}
	update.Record.Version = 7
	inserts, _ := insert.statement(false)
	updates, _ := update.statement(false)
	record := "'p', 'q', 'issued', 'license', 1, 1, 'a', NULL, '{}', NULL, NULL, NULL, 0, NULL, 0, NULL, '{a}'"
	parts := "'{b}', '{a}', '{1}', '{1}', '{\"{}\"}', '{e}', '{e}'"
	return map[string]Statement{
		"get":    {selectRecords, "'{a, b, c}'"},
		"insert": {inserts, record + ", 'x', '{a}', " + parts},
		"update": {updates, record + ", 'x', 7, 'license', false, '{a}', " + parts},
		"lock":   {lockRecord, "'x', 'p'"},
		"leases": {lockSeats, "7, '{a, b}'"},
		"words":  {deleteWords, "1, '{a, b}', 7"},
		"touch":  {touchSeat, "'x', 'a', 1, 2"},
		"rows":   {selectRows, "'{a, b}'"},
		"totals": {addTotals, "'{1}', '{1}', '{1}'"},
		"days":   {lockDays, "'{1, 2}', '{a, b}'"},
		"usage":  {listDays, "'a', 'a', 'b'"},
		"dump":   {dumpRecords, "'a', 16"},
	}
}

// SweepStatements gives those of Sweep, likewise, and what they are planned by.
func SweepStatements() (byIndexAlone string, statements map[string]Statement) {
	return byIndex, map[string]Statement{"deleted": {lockDeleted, "1, 9"}, "sweep": {deleteRecord, "7"}}
}
