package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// The columns of a record that a commit sets, save for its id.
const ownColumns = `kind, version, revision, attempt, done, body, plan, state,
	external_id, customer_email, customer_external_id, created, starts, ends, due, product, words`

// Commit implements storage.Committer.
//
// As a rule it is one statement, which is a transaction of one round trip:
// it inserts the record or changes it under its version, and all else hangs on
// the row that came of that. Since PostgreSQL judges such a statement by what was
// committed before it began, and looks again only at rows that it changes,
// it relies on the version alone. What needs to look at more is a transaction of
// several.
func (s *Store) Commit(ctx context.Context, c storage.Change) error {
	if err := c.Check(); err != nil {
		return err
	}
	w, err := s.prepare(ctx, c)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(c.Remove, func(r storage.Removal) bool { return r.IfLease != nil }) {
		done, err := s.commitAtOnce(ctx, w)
		if err != nil || done {
			return err
		}
		if c.Record.Version == 0 {
			return fault.Clash(fault.Taken, c.Record.ID, "the id is taken")
		}
	}
	return s.write(ctx, func(tx pgx.Tx) error { return w.commitLocked(ctx, tx) })
}

// writing is a change on its way.
type writing struct {
	storage.Change
	done          string
	product, plan int32
	state         int32
}

func (s *Store) prepare(ctx context.Context, c storage.Change) (*writing, error) {
	done, err := sqlstore.EncodeDone(c.Record.Done)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "an operation cannot be stored")
	}
	w := &writing{Change: c, done: done}
	x := c.Record.Index
	if s.names.knows(x.Product, x.Plan) && s.states.knows(x.State) {
		return w, w.number(ctx, s, nil)
	}
	return w, s.change(ctx, func(q *pgxpool.Conn) error { return w.number(ctx, s, q) })
}

// number gives the names of the record their numbers. They are committed before
// it is, and stay where it is not.
func (w *writing) number(ctx context.Context, s *Store, q querier) (err error) {
	x := w.Record.Index
	if w.product, err = s.names.number(ctx, q, x.Product); err != nil {
		return err
	}
	if w.plan, err = s.names.number(ctx, q, x.Plan); err != nil {
		return err
	}
	w.state, err = s.states.number(ctx, q, x.State)
	return err
}

// values are those of ownColumns.
func (w *writing) values() []any {
	r, x := w.Record, w.Record.Index
	return []any{
		string(r.Kind), r.Version + 1, r.Revision, w.Attempt, orNull(w.done), r.Body, w.plan, w.state,
		orNull(x.ExternalID), orNull(x.CustomerEmail), orNull(x.CustomerExternalID),
		millisOr(x.Created, sqlstore.NeverCreated), millis(x.Starts), millisOr(x.Ends, sqlstore.NeverEnds), millis(x.Due),
		w.product, w.words(),
	}
}

// words are never nil, which would be NULL.
func (w *writing) words() []string { return append([]string{}, w.Record.Index.Words...) }

// commitAtOnce reports whether the one statement changed anything. Where it
// did not, there is a conflict, or words are to be moved too.
func (s *Store) commitAtOnce(ctx context.Context, w *writing) (bool, error) {
	query, args := w.statement(false)
	changed := false
	err := s.change(ctx, func(c *pgxpool.Conn) error {
		tag, err := c.Exec(ctx, query, args...)
		changed = tag.RowsAffected() > 0
		return err
	})
	return changed, err
}

// statement changes the record and what hangs on that. Unless words were moved,
// it leaves a record alone that has others.
func (w *writing) statement(moved bool) (string, []any) {
	st := &statement{}
	if w.Record.Version == 0 {
		w.insert(st)
	} else {
		w.update(st, moved)
	}
	if len(w.Remove) > 0 {
		w.remove(st)
	}
	if len(w.Put) > 0 {
		w.put(st)
	}
	if len(w.Entries) > 0 {
		w.account(st)
	}
	return "WITH " + strings.Join(st.parts, ",\n") + "\nSELECT row FROM changed", st.args
}

func (w *writing) insert(st *statement) {
	values := st.list(w.values()...)
	st.add("changed AS (INSERT INTO record (" + ownColumns + ", id) VALUES (" + values + ", " + st.arg(w.Record.ID) +
		") ON CONFLICT (id) DO NOTHING RETURNING row)")
	if len(w.Record.Index.Words) > 0 {
		st.add("worded AS (INSERT INTO word (product, text, row) SELECT " + st.arg(w.product) +
			"::integer, text, row FROM changed, unnest(" + st.arg(w.words()) + "::text[]) AS w (text))")
	}
}

func (w *writing) update(st *statement, moved bool) {
	values := st.list(w.values()...)
	st.add("changed AS (UPDATE record SET (" + ownColumns + ") = ROW (" + values + ") WHERE id = " + st.arg(w.Record.ID) +
		" AND version = " + st.arg(w.Record.Version) + " AND kind = " + st.arg(string(w.Record.Kind)) +
		" AND (" + st.arg(moved) + " OR product = " + st.arg(w.product) + " AND words = " + st.arg(w.words()) + ") RETURNING row)")
}

func (w *writing) remove(st *statement) {
	st.add("removed AS (DELETE FROM seat WHERE row = (SELECT row FROM changed) AND id = ANY (" + st.arg(w.removed()) + "))")
}

func (w *writing) put(st *statement) {
	var ids, bodies []string
	var leases, seen []*int64
	for _, seat := range w.Put {
		ids, bodies = append(ids, seat.ID), append(bodies, string(seat.Body))
		leases, seen = append(leases, millis(seat.Lease)), append(seen, millis(seat.Seen))
	}
	st.add(`put AS (INSERT INTO seat AS was (row, id, lease, seen, body)
		SELECT c.row, p.id, p.lease, p.seen, p.body::json FROM changed AS c, unnest(` + st.arg(ids) + "::text[], " +
		st.arg(leases) + "::bigint[], " + st.arg(seen) + "::bigint[], " + st.arg(bodies) + `::text[]) AS p (id, lease, seen, body)
		ON CONFLICT (row, id) DO UPDATE SET seen = excluded.seen, body = excluded.body,
		lease = greatest(was.lease, excluded.lease))`) // none is less than any
}

// account makes the entries pending, in their order.
func (w *writing) account(st *statement) {
	var ids []string
	var entries [][]byte
	for _, e := range w.Entries {
		ids, entries = append(ids, e.ID), append(entries, sqlstore.AppendEntry(nil, e))
	}
	st.add(`pending AS (INSERT INTO pending (row, id, entry)
		SELECT c.row, e.id, e.entry FROM changed AS c, unnest(` + st.arg(ids) + "::text[], " + st.arg(entries) +
		"::bytea[]) WITH ORDINALITY AS e (id, entry, n) ORDER BY e.n)")
}

func (w *writing) removed() []string {
	ids := make([]string, len(w.Remove))
	for i, r := range w.Remove {
		ids[i] = r.ID
	}
	return ids
}
