package sqlite

import (
	"context"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	selectPending = `SELECT r.id, p.entry FROM pending AS p CROSS JOIN record AS r ON r.row = p.row
		ORDER BY p.place LIMIT ?`
	deletePending = "DELETE FROM pending WHERE id = ?"
)

// Pending implements storage.Journal.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	var waiting []storage.Pending
	err := s.read(ctx, func(c *conn) error {
		for row, err := range c.rows(ctx, selectPending, int64(max(limit, 0))) {
			if err != nil {
				return err
			}
			e, err := sqlstore.DecodeEntry(blob(row[1]))
			if err != nil {
				return err
			}
			waiting = append(waiting, storage.Pending{Record: text(row[0]), Entry: e})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return waiting, nil
}

// Settle implements storage.Journal.
func (s *Store) Settle(ctx context.Context, entries []storage.Pending) error {
	return s.write(ctx, func(w *writer) error {
		for _, e := range entries {
			if _, _, err := w.conn.exec(deletePending, e.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
