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

// The columns of a record that a commit sets, save for its id. The last ones
// are numbers of texts.
const (
	textColumns = `kind, version, revision, attempt, done, body,
	external_id, customer_email, customer_external_id, created, starts, ends, due, words`
	numberColumns = "product, plan, state"
	ownColumns    = textColumns + ", " + numberColumns
)

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
	w, err := writingOf(c)
	if err != nil {
		return err
	}
	return s.named(ctx, []storage.Index{c.Record.Index}, func() error { return s.commit(ctx, w) })
}

func (s *Store) commit(ctx context.Context, w *writing) error {
	if !slices.ContainsFunc(w.Remove, func(r storage.Removal) bool { return r.IfLease != nil }) {
		done, err := s.commitAtOnce(ctx, w)
		if err != nil || done {
			return err
		}
		if w.Record.Version == 0 {
			return fault.Clash(fault.Taken, w.Record.ID, "the id is taken")
		}
	}
	return s.write(ctx, func(tx pgx.Tx) error { return w.commitLocked(ctx, tx) })
}

// writing is a change on its way.
type writing struct {
	storage.Change
	done string
}

func writingOf(c storage.Change) (*writing, error) {
	done, err := sqlstore.EncodeDone(c.Record.Done)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "an operation cannot be stored")
	}
	return &writing{Change: c, done: done}, nil
}

// values are those of textColumns.
func (w *writing) values() []any {
	r, x := w.Record, w.Record.Index
	return []any{
		string(r.Kind), r.Version + 1, r.Revision, w.Attempt, orNull(w.done), r.Body,
		orNull(x.ExternalID), orNull(x.CustomerEmail), orNull(x.CustomerExternalID),
		millisOr(x.Created, sqlstore.NeverCreated), millis(x.Starts), millisOr(x.Ends, sqlstore.NeverEnds), millis(x.Due),
		w.words(),
	}
}

// words are never nil, which would be NULL.
func (w *writing) words() []string { return append([]string{}, w.Record.Index.Words...) }

// commitAtOnce reports whether the one statement changed anything. Where it
// did not, there is a conflict, or words are to be moved too.
func (s *Store) commitAtOnce(ctx context.Context, w *writing) (changed bool, err error) {
	err = s.change(ctx, func(c *pgxpool.Conn) error {
		changed, err = w.run(ctx, c, false)
		return err
	})
	return changed, err
}

// run reports whether the statement changed anything. It fails with errUnnamed
// where a text of the record has no number.
func (w *writing) run(ctx context.Context, q querier, moved bool) (changed bool, err error) {
	query, args := w.statement(moved)
	var named bool
	if err := q.QueryRow(ctx, query, args...).Scan(&named, &changed); err != nil {
		return false, err
	}
	if !named {
		return false, errUnnamed
	}
	return changed, nil
}

// statement changes the record and what hangs on that, if its texts have
// numbers. Unless words were moved, it leaves a record alone that has others.
func (w *writing) statement(moved bool) (string, []any) {
	st := &statement{}
	x := w.Record.Index
	st.add("named AS MATERIALIZED (SELECT p.number AS product, q.number AS plan, z.number AS state" +
		" FROM name AS p, name AS q, state AS z WHERE p.text = " + st.arg(x.Product) + " AND q.text = " + st.arg(x.Plan) +
		" AND z.text = " + st.arg(x.State) + ")")
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
	return "WITH " + strings.Join(st.parts, ",\n") + "\nSELECT EXISTS (SELECT FROM named), EXISTS (SELECT FROM changed)", st.args
}

func (w *writing) insert(st *statement) {
	st.add("changed AS (INSERT INTO record (" + ownColumns + ", id) SELECT " + st.list(w.values()...) + ", " + numberColumns +
		", " + st.arg(w.Record.ID) + " FROM named ON CONFLICT (id) DO NOTHING RETURNING row)")
	if len(w.Record.Index.Words) > 0 {
		st.add("worded AS (INSERT INTO word (product, text, row) SELECT named.product, w.text, changed.row" +
			" FROM named, changed, unnest(" + st.array(w.words(), "text") + ") AS w (text))")
	}
}

func (w *writing) update(st *statement, moved bool) {
	values := st.list(w.values()...)
	st.add("changed AS (UPDATE record AS was SET (" + ownColumns + ") = ROW (" + values + ", named.product, named.plan, named.state)" +
		" FROM named WHERE id = " + st.arg(w.Record.ID) +
		" AND version = " + st.arg(w.Record.Version) + " AND kind = " + st.arg(string(w.Record.Kind)) +
		" AND (" + st.arg(moved) + " OR was.product = named.product AND words = " + st.arg(w.words()) + ") RETURNING row)")
}

func (w *writing) remove(st *statement) {
	st.add("removed AS (DELETE FROM seat WHERE row = (SELECT row FROM changed) AND id = ANY (" + st.array(w.removed(), "text") + "::text[]))")
}

func (w *writing) put(st *statement) {
	var ids, bodies []string
	var leases, seen []*int64
	for _, seat := range w.Put {
		ids, bodies = append(ids, seat.ID), append(bodies, string(seat.Body))
		leases, seen = append(leases, millis(seat.Lease)), append(seen, millis(seat.Seen))
	}
	st.add(`put AS (INSERT INTO seat AS was (row, id, lease, seen, body)
		SELECT c.row, p.id, p.lease, p.seen, p.body::json FROM changed AS c, unnest(` + st.array(ids, "text") + ", " +
		st.array(leases, "bigint") + ", " + st.array(seen, "bigint") + ", " + st.array(bodies, "text") + `) AS p (id, lease, seen, body)
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
		SELECT c.row, e.id, e.entry FROM changed AS c, unnest(` + st.array(ids, "text") + ", " + st.array(entries, "bytea") +
		") WITH ORDINALITY AS e (id, entry, n) ORDER BY e.n)")
}

func (w *writing) removed() []string {
	ids := make([]string, len(w.Remove))
	for i, r := range w.Remove {
		ids[i] = r.ID
	}
	return ids
}
