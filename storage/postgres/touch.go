package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

const touchSeat = `UPDATE seat SET lease = greatest(lease, $4), seen = greatest(seen, $3)
	WHERE row = (SELECT row FROM record WHERE record.id = $1) AND id = $2
	AND (lease IS NULL OR $3::bigint IS NULL OR lease > $3) RETURNING lease`

// Touch implements storage.Committer. Each lease is a statement, and all go in
// one round trip and are one transaction. They come in the order of their keys, so
// that of two calls neither waits for the other in turn.
func (s *Store) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	ends := make([]time.Time, len(leases))
	var order []int // of those that can be stored
	for i, l := range leases {
		if storage.IsText(l.Record) && storage.IsText(l.Seat) {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		return ends, s.usable(ctx)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(leases[a].Record, leases[b].Record), cmp.Compare(leases[a].Seat, leases[b].Seat))
	})
	err := s.change(ctx, func(c *pgxpool.Conn) error {
		batch := &pgx.Batch{}
		for _, i := range order {
			l := leases[i]
			batch.Queue(touchSeat, l.Record, l.Seat, millis(l.At), millis(l.Until)).QueryRow(func(row pgx.Row) error {
				var end *int64
				err := row.Scan(&end)
				if errors.Is(err, pgx.ErrNoRows) {
					err = nil
				}
				ends[i] = moment(end)
				return err
			})
		}
		return c.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return nil, err
	}
	return ends, nil
}
