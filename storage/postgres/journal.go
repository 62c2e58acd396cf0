package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// What they are asked for stands in queries of its own for what statement.array says.
const (
	// A record is looked up by its key for each, however few records there are.
	selectPending = `SELECT (SELECT r.id FROM record AS r WHERE r.row = p.row), p.entry FROM pending AS p
		ORDER BY p.place LIMIT (SELECT $1::bigint)`

	// Rows are locked in one order: servers settle the same ones at once.
	deletePending = `DELETE FROM pending WHERE place = ANY (ARRAY (
		SELECT place FROM pending WHERE id = ANY ((SELECT $1::text[])::text[]) ORDER BY place FOR UPDATE))`
)

// Pending implements storage.Journal. What is pending while it begins is
// committed, whatever its place.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	var waiting []storage.Pending
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		waiting = nil
		rows, err := c.Query(ctx, selectPending, max(limit, 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p storage.Pending
			var entry []byte
			if err := rows.Scan(&p.Record, &entry); err != nil {
				return err
			}
			if p.Entry, err = sqlstore.DecodeEntry(entry); err != nil {
				return err
			}
			waiting = append(waiting, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return waiting, nil
}

// Settle implements storage.Journal.
func (s *Store) Settle(ctx context.Context, entries []storage.Pending) error {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return s.change(ctx, func(c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, deletePending, findable(ids))
		return err
	})
}
