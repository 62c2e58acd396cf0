package sqlite

import (
	"context"
	"database/sql/driver"
	"time"
)

const (
	selectDeleted = `SELECT r.row FROM record AS r INDEXED BY record_deleted
		WHERE r.state = 1 AND r.due < ? AND NOT EXISTS (SELECT 1 FROM pending AS p WHERE p.row = r.row) LIMIT ?`
)

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
	var rows []driver.Value
	for v, err := range w.conn.rows(context.Background(), selectDeleted, before.UnixMilli(), int64(max(limit, 0))) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, v[0])
	}
	return rows, nil
}
