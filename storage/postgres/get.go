package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

// The list stands in a query of its own for what statement.array says.
const selectRecords = "SELECT " + wholeColumns + `, a.n FROM unnest((SELECT $1::text[])) WITH ORDINALITY AS a (id, n)
	CROSS JOIN LATERAL (SELECT * FROM record WHERE record.id = a.id OFFSET 0) AS r` + wholeJoins

// Get implements storage.Reader. Calls that wait are joined.
func (s *Store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	if len(ids) == 0 {
		return []*storage.Stored{}, s.usable(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, translate(err)
	}
	a := &ask{ctx: ctx, ids: ids, found: make([]*storage.Stored, len(ids)), done: make(chan struct{})}
	if !s.joiner.join(a) {
		return nil, errClosed()
	}
	select {
	case <-a.done:
		if a.err != nil {
			return nil, a.err
		}
		return a.found, nil
	case <-ctx.Done():
		return nil, translate(ctx.Err())
	}
}

// answer reads what was asked for, all in one statement.
func (s *Store) answer(ctx context.Context, asks []*ask) {
	var ids []string
	var of []*ask // by the places of ids
	var at []int  // in the ask's own
	for _, a := range asks {
		for i, id := range findable(a.ids) {
			ids, of, at = append(ids, id), append(of, a), append(at, i)
		}
	}
	var records []*record
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, selectRecords, ids)
		if err != nil {
			return err
		}
		records, err = scan(rows, func(r *record) any { return &r.place })
		return err
	})
	if err != nil {
		for _, a := range asks {
			a.err = err
		}
		return
	}
	for _, r := range records {
		a := of[r.place-1]
		if a.found[at[r.place-1]], err = r.whole(); err != nil {
			a.err = translate(err)
		}
	}
}

// findable gives texts that may be asked for: empty, which no record is found
// by, for what is no text.
func findable(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		if storage.IsText(text) {
			all[i] = text
		}
	}
	return all
}
