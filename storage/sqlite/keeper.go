package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/keywright/keywright/storage"
)

const (
	listPending   = "SELECT id, body FROM pending ORDER BY place LIMIT ?"
	selectDeleted = `SELECT r.row FROM record AS r INDEXED BY record_deleted
		WHERE r.state = 1 AND r.due < ? AND NOT EXISTS (SELECT 1 FROM pending AS p WHERE p.row = r.row) LIMIT ?`
)

// Pending implements storage.Outbox.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Entry, error) {
	var entries []storage.Entry
	err := s.read(ctx, func(c *conn) error {
		cur, err := c.query(ctx, listPending, int64(max(limit, 0)))
		if err != nil {
			return err
		}
		defer cur.close()
		for {
			ok, err := cur.next()
			if err != nil || !ok {
				return err
			}
			body, _ := cur.values[1].([]byte)
			entries = append(entries, storage.Entry{ID: text(cur.values[0]), Body: body})
		}
	})
	return entries, err
}

// Sweep implements storage.Keeper.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	swept := 0
	err := s.write(ctx, func(w *writer) error {
		rows, err := w.deleted(before, limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := w.dropWords(row); err != nil {
				return err
			}
			for _, table := range []string{"seat", "total", "day", "record"} {
				if _, _, err := w.conn.exec("DELETE FROM "+table+" WHERE row = ?", row); err != nil {
					return err
				}
			}
		}
		swept = len(rows)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return swept, nil
}

func (w *writer) deleted(before time.Time, limit int) ([]driver.Value, error) {
	cur, err := w.conn.query(context.Background(), selectDeleted, before.UnixMilli(), int64(max(limit, 0)))
	if err != nil {
		return nil, err
	}
	defer cur.close()
	var rows []driver.Value
	for {
		ok, err := cur.next()
		if err != nil || !ok {
			return rows, err
		}
		rows = append(rows, cur.values[0])
	}
}
