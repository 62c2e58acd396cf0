package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	lockDeleted = `SELECT r.row, r.product, r.words FROM record AS r
		WHERE r.state = 1 AND r.due < $1 AND NOT EXISTS (SELECT FROM pending AS p WHERE p.row = r.row)
		ORDER BY r.due LIMIT $2 FOR UPDATE OF r SKIP LOCKED`

	// Asked again, of what was committed until the records were locked.
	deleteRecord = "DELETE FROM record WHERE row = $1 AND NOT EXISTS (SELECT FROM pending AS p WHERE p.row = $1)"
	deleteSeats  = "DELETE FROM seat WHERE row = $1 AND NOT EXISTS (SELECT FROM record AS r WHERE r.row = $1)"
	deleteText   = deleteWords + " AND NOT EXISTS (SELECT FROM record AS r WHERE r.row = $3)"
)

// Sweep implements storage.Keeper. Totals and days go with their record.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	swept := 0
	if limit < 1 || before.IsZero() {
		return 0, s.usable(ctx)
	}
	err := s.write(ctx, func(tx pgx.Tx) error {
		swept = 0
		if _, err := tx.Exec(ctx, byIndex); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, lockDeleted, before.UnixMilli(), limit)
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		var row int64
		var product int32
		var words []string
		if _, err := pgx.ForEachRow(rows, []any{&row, &product, &words}, func() error {
			batch.Queue(deleteRecord, row).Exec(func(tag pgconn.CommandTag) error {
				swept += int(tag.RowsAffected())
				return nil
			})
			batch.Queue(deleteSeats, row)
			batch.Queue(deleteText, product, words, row)
			return nil
		}); err != nil {
			return err
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return 0, err
	}
	return swept, nil
}
