package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	loadedAtOnce = 512 // records of one transaction

	takeRows    = "SELECT nextval(pg_get_serial_sequence('record', 'row')) FROM generate_series(1, $1::integer)"
	selectTaken = "SELECT id FROM record WHERE id = ANY ($1) LIMIT 1"
)

// Load implements storage.Mover, by COPY.
func (s *Store) Load(ctx context.Context, records []storage.Whole) error {
	for _, r := range records {
		if err := r.Check(); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(records, loadedAtOnce) {
		if err := s.loadSome(ctx, some); err != nil {
			return err
		}
	}
	return s.usable(ctx)
}

func (s *Store) loadSome(ctx context.Context, records []storage.Whole) error {
	writings, indexes := make([]*writing, len(records)), make([]storage.Index, len(records))
	for i, r := range records {
		w, err := writingOf(storage.Change{Record: r.Record, Attempt: r.Attempt})
		if err != nil {
			return err
		}
		w.Record.Version-- // which a change raises
		writings[i], indexes[i] = w, r.Index
	}
	return s.named(ctx, indexes, func() error {
		return s.write(ctx, func(tx pgx.Tx) error { return copyRecords(ctx, tx, writings, indexes, records) })
	})
}

func copyRecords(ctx context.Context, tx pgx.Tx, writings []*writing, indexes []storage.Index, records []storage.Whole) error {
	if err := refuseTaken(ctx, tx, records); err != nil {
		return err
	}
	named, err := numbersOf(ctx, tx, indexes)
	if err != nil {
		return err
	}
	taken, err := tx.Query(ctx, takeRows, len(records))
	if err != nil {
		return err
	}
	rows, err := pgx.CollectRows(taken, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	tables, err := tablesOf(rows, named, writings, records)
	if err != nil {
		return err
	}
	if err = copyAll(ctx, tx, tables); codeOf(err) == uniqueViolation {
		return fault.Wrap(fault.Conflict, err, "an id is taken")
	}
	return err
}

// refuseTaken fails where an id is taken, save by somebody who commits it
// meanwhile: of that the unique index tells.
func refuseTaken(ctx context.Context, tx pgx.Tx, records []storage.Whole) error {
	ids, seen := make([]string, len(records)), map[string]bool{}
	for i, r := range records {
		if ids[i] = r.ID; seen[r.ID] {
			return fault.Clash(fault.Taken, r.ID, "the id is taken")
		}
		seen[r.ID] = true
	}
	rows, err := tx.Query(ctx, selectTaken, ids)
	if err != nil {
		return err
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(taken) > 0 {
		err = fault.Clash(fault.Taken, taken[0], "the id is taken")
	}
	return err
}
