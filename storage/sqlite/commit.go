package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	insertRecord = `INSERT INTO record (kind, version, revision, attempt, done, body, product, plan, state,
		external_id, customer_email, customer_external_id, created, starts, ends, due, words, id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

	// An update that leaves the index fields alone rewrites no index.
	updateRecord = `UPDATE record SET kind = ?, version = ?, revision = ?, attempt = ?, done = ?, body = ?
		WHERE row = ?`
	updateIndexed = `UPDATE record SET kind = ?, version = ?, revision = ?, attempt = ?, done = ?, body = ?,
		product = ?, plan = ?, state = ?, external_id = ?, customer_email = ?, customer_external_id = ?,
		created = ?, starts = ?, ends = ?, due = ?, words = ? WHERE row = ?`
	selectIndexed = `SELECT row, version, kind, product, plan, state, external_id, customer_email,
		customer_external_id, created, starts, ends, due, words FROM record WHERE id = ?`

	putSeat = `INSERT INTO seat (row, id, lease, seen, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (row, id) DO UPDATE SET seen = excluded.seen, body = excluded.body,
		lease = CASE WHEN lease IS NULL OR excluded.lease > lease THEN excluded.lease ELSE lease END`
	selectSeat    = "SELECT lease, seen FROM seat WHERE row = ? AND id = ?"
	deleteSeat    = "DELETE FROM seat WHERE row = ? AND id = ?"
	insertPending = "INSERT INTO pending (row, id, entry) VALUES (?, ?, ?)"
)

// Commit implements storage.Committer.
func (s *Store) Commit(ctx context.Context, c storage.Change) error {
	if err := c.Check(); err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error { return w.commit(c) })
}

func (w *writer) commit(c storage.Change) error {
	row, err := w.putRecord(c)
	if err != nil {
		return err
	}
	for _, r := range c.Remove {
		if err := w.removeSeat(row, r); err != nil {
			return err
		}
	}
	return w.putParts(row, c.Put, c.Entries)
}

// putParts adds to a record seats and entries that wait for the log.
func (w *writer) putParts(row int64, seats []storage.Seat, entries []storage.Entry) error {
	for _, s := range seats {
		_, _, err := w.conn.exec(putSeat, row, s.ID, millis(s.Lease), millis(s.Seen), string(s.Body))
		if err != nil {
			return err
		}
	}
	for _, e := range entries {
		if _, _, err := w.conn.exec(insertPending, row, e.ID, sqlstore.AppendEntry(nil, e)); err != nil {
			return err
		}
	}
	return nil
}

// putRecord inserts or updates the record of c and gives its row.
func (w *writer) putRecord(c storage.Change) (int64, error) {
	r := c.Record
	r.Version, r.Attempt = c.Record.Version+1, c.Attempt
	if c.Record.Version == 0 {
		return w.insertRecord(r)
	}
	own, index, err := w.columnsOf(r)
	if err != nil {
		return 0, err
	}
	stored, found, err := w.conn.one(selectIndexed, c.Record.ID)
	if err != nil {
		return 0, err
	}
	if !found || number(stored[1]) != c.Record.Version || text(stored[2]) != string(c.Record.Kind) {
		return 0, fault.Errorf(fault.Conflict, "%s was changed meanwhile", c.Record.Kind)
	}
	row := number(stored[0])
	if equal(index, stored[3:]) {
		_, _, err = w.conn.exec(updateRecord, append(own, row)...)
		return row, err
	}
	is := sqlstore.WordSet{Product: number(index[0]), Words: r.Index.Words}
	was := sqlstore.WordSet{Product: number(stored[3]), Words: decodeWords(stored[13], sharedWith(c.Record.ID, stored[6:9]))}
	if _, _, err = w.conn.exec(updateIndexed, append(append(own, index...), row)...); err != nil {
		return 0, err
	}
	return row, w.moveWords(row, was, is)
}

// insertRecord inserts a record as it is and gives its row.
func (w *writer) insertRecord(r storage.Record) (int64, error) {
	own, index, err := w.columnsOf(r)
	if err != nil {
		return 0, err
	}
	changed, row, err := w.conn.exec(insertRecord, append(append(own, index...), r.ID)...)
	if err == nil && changed == 0 {
		err = fault.Clash(fault.Taken, r.ID, "the id is taken")
	}
	if err != nil {
		return 0, err
	}
	return row, w.moveWords(row, sqlstore.WordSet{}, sqlstore.WordSet{Product: number(index[0]), Words: r.Index.Words})
}

// columnsOf gives the columns of a record: its own, with room for more, and
// those of its index.
func (w *writer) columnsOf(r storage.Record) (own, index []driver.Value, err error) {
	if own, err = ownColumns(r); err != nil {
		return nil, nil, err
	}
	index, err = w.indexColumns(r.ID, r.Index)
	return own, index, err
}

func ownColumns(r storage.Record) ([]driver.Value, error) {
	done, err := sqlstore.EncodeDone(r.Done)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "an operation cannot be stored")
	}
	return append(make([]driver.Value, 0, 18),
		string(r.Kind), r.Version, r.Revision, r.Attempt, orNull(done), string(r.Body)), nil
}

func (w *writer) indexColumns(id string, x storage.Index) ([]driver.Value, error) {
	product, err := w.names.add(w.conn, x.Product)
	if err != nil {
		return nil, err
	}
	plan, err := w.names.add(w.conn, x.Plan)
	if err != nil {
		return nil, err
	}
	state, err := w.states.add(w.conn, x.State)
	if err != nil {
		return nil, err
	}
	names := []driver.Value{orNull(x.ExternalID), orNull(x.CustomerEmail), orNull(x.CustomerExternalID)}
	return append(append([]driver.Value{product, plan, state}, names...),
		millisOr(x.Created, sqlstore.NeverCreated), millis(x.Starts), millisOr(x.Ends, sqlstore.NeverEnds), millis(x.Due),
		encodeWords(x.Words, sharedWith(id, names)),
	), nil
}

func equal(a, b []driver.Value) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func millisOr(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return t.UnixMilli()
}

func (w *writer) removeSeat(row int64, r storage.Removal) error {
	if r.IfLease != nil {
		seat, found, err := w.conn.one(selectSeat, row, r.ID)
		if err != nil {
			return err
		}
		if found && seat[0] != millis(*r.IfLease) {
			return fault.Errorf(fault.Conflict, "a lease was moved meanwhile")
		}
	}
	_, _, err := w.conn.exec(deleteSeat, row, r.ID)
	return err
}
