package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// Lists stand in queries of their own for what statement.array says.
const (
	lockRecord = `SELECT row, version, kind, product, words, (SELECT number FROM name WHERE text = $2)
		FROM record WHERE id = $1 FOR UPDATE`
	lockSeats   = "SELECT id, lease FROM seat WHERE row = $1 AND id = ANY ((SELECT $2::text[])::text[]) ORDER BY id FOR UPDATE"
	deleteWords = "DELETE FROM word WHERE product = $1 AND text = ANY ((SELECT $2::text[])::text[]) AND row = $3"
	insertWords = "INSERT INTO word (product, text, row) SELECT $1, text, $3 FROM unnest($2::text[]) AS w (text)"
)

// commitLocked changes a record step by step. Nobody else changes it or its
// words meanwhile, nor moves the leases that it looks at.
func (w *writing) commitLocked(ctx context.Context, tx pgx.Tx) error {
	if w.Record.Version == 0 { // with a removal, of a seat that cannot be there
		w.Remove = nil
		return w.finish(ctx, tx)
	}
	var row, version int64
	var kind storage.Kind
	var was sqlstore.WordSet
	var product *int64
	err := tx.QueryRow(ctx, lockRecord, w.Record.ID, w.Record.Index.Product).Scan(&row, &version, &kind, &was.Product, &was.Words, &product)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if err != nil || version != w.Record.Version || kind != w.Record.Kind {
		return fault.Errorf(fault.Conflict, "%s was changed meanwhile", w.Record.Kind)
	}
	if product == nil {
		return errUnnamed
	}
	if err := w.checkLeases(ctx, tx, row); err != nil {
		return err
	}
	if err := moveWords(ctx, tx, row, was, sqlstore.WordSet{Product: *product, Words: w.words()}); err != nil {
		return err
	}
	return w.finish(ctx, tx)
}

// finish does what commitAtOnce does.
func (w *writing) finish(ctx context.Context, tx pgx.Tx) error {
	changed, err := w.run(ctx, tx, true)
	if err == nil && !changed {
		err = fault.Clash(fault.Taken, w.Record.ID, "the id is taken")
	}
	return err
}

// moveWords writes what differs between the words that a record had and those
// that it has.
func moveWords(ctx context.Context, tx pgx.Tx, row int64, was, is sqlstore.WordSet) error {
	if gone := was.Without(is); len(gone) > 0 {
		if _, err := tx.Exec(ctx, deleteWords, was.Product, gone, row); err != nil {
			return err
		}
	}
	if came := is.Without(was); len(came) > 0 {
		if _, err := tx.Exec(ctx, insertWords, is.Product, came, row); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) checkLeases(ctx context.Context, tx pgx.Tx, row int64) error {
	rows, err := tx.Query(ctx, lockSeats, row, w.removed())
	if err != nil {
		return err
	}
	var id string
	var lease *int64
	stored := map[string]*int64{}
	if _, err = pgx.ForEachRow(rows, []any{&id, &lease}, func() error {
		stored[id] = lease
		return nil
	}); err != nil {
		return err
	}
	for _, r := range w.Remove {
		lease, found := stored[r.ID]
		if found && r.IfLease != nil && !moment(lease).Equal(*r.IfLease) {
			return fault.Errorf(fault.Conflict, "a lease was moved meanwhile")
		}
	}
	return nil
}
