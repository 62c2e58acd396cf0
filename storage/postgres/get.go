package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

const selectRecords = "SELECT " + wholeColumns + `, a.n FROM unnest($1::text[]) WITH ORDINALITY AS a (id, n)
	CROSS JOIN LATERAL (SELECT * FROM record WHERE record.id = a.id OFFSET 0) AS r` + wholeJoins

// Get implements storage.Reader.
func (s *Store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	found := make([]*storage.Stored, len(ids))
	if len(ids) == 0 {
		return found, s.usable(ctx)
	}
	err := s.read(ctx, func(c *pgxpool.Conn) error { return s.get(ctx, c, ids, found) })
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s *Store) get(ctx context.Context, q querier, ids []string, found []*storage.Stored) error {
	rows, err := q.Query(ctx, selectRecords, findable(ids))
	if err != nil {
		return err
	}
	records, err := scan(rows, func(r *record) any { return &r.place })
	if err != nil {
		return err
	}
	if err := s.load(ctx, q, records); err != nil {
		return err
	}
	for _, r := range records {
		if found[r.place-1], err = s.whole(r); err != nil {
			return err
		}
	}
	return nil
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
