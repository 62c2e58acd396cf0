package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	dumpRecords = "SELECT " + wholeColumns + ` FROM
		(SELECT * FROM record WHERE record.id > $1 ORDER BY record.id LIMIT $2) AS r` + wholeJoins + " ORDER BY r.id"
	dumpDays = `SELECT row, day, valid, invalid, coalesce(counts, '') FROM day
		WHERE row = ANY ($1) ORDER BY row, day`
	dumpPending = "SELECT row, entry FROM pending WHERE row = ANY ($1) ORDER BY place"
)

const (
	dumpedAtOnce = 16      // records of one statement, since each may have 10,000 seats
	dumpedBytes  = 4 << 20 // behind which Dump begins no further statement
)

// Dump implements storage.Mover.
func (s *Store) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	var all []storage.Whole
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		all = nil // it may begin anew
		last := after
		for size := 0; size < dumpedBytes && len(all) < limit; {
			some, err := dump(ctx, tx, last, min(limit-len(all), dumpedAtOnce))
			if err != nil || len(some) == 0 {
				return err
			}
			for _, r := range some {
				size += r.Size()
			}
			all, last = append(all, some...), some[len(some)-1].ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func dump(ctx context.Context, tx pgx.Tx, after string, limit int) ([]storage.Whole, error) {
	rows, err := tx.Query(ctx, dumpRecords, after, limit)
	if err != nil {
		return nil, err
	}
	records, err := scan(rows)
	if err != nil {
		return nil, err
	}
	stored, err := wholes(records)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	all := make([]storage.Whole, len(stored))
	numbers, of := make([]int64, len(stored)), map[int64]*storage.Whole{}
	for i, r := range stored {
		all[i].Stored = *r
		numbers[i], of[records[i].row] = records[i].row, &all[i]
	}
	batch := &pgx.Batch{}
	batch.Queue(dumpDays, numbers).Query(func(rows pgx.Rows) error { return dumpedDays(rows, of) })
	batch.Queue(dumpPending, numbers).Query(func(rows pgx.Rows) error { return dumpedPending(rows, of) })
	return all, tx.SendBatch(ctx, batch).Close()
}

func dumpedDays(rows pgx.Rows, of map[int64]*storage.Whole) error {
	var row int64
	var day storage.UsageDay
	var values string
	_, err := pgx.ForEachRow(rows, []any{&row, &day.Day, &day.Valid, &day.Invalid, &values}, func() (err error) {
		day.Values, err = sqlstore.DecodeValues(values)
		of[row].Days = append(of[row].Days, day)
		return err
	})
	return err
}

func dumpedPending(rows pgx.Rows, of map[int64]*storage.Whole) error {
	var row int64
	var encoded []byte
	_, err := pgx.ForEachRow(rows, []any{&row, &encoded}, func() error {
		e, err := sqlstore.DecodeEntry(encoded)
		of[row].Pending = append(of[row].Pending, e)
		return err
	})
	return err
}
