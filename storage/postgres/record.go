package postgres

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// Records are read by statements that say SELECT wholeColumns FROM
// something that has a record r, and wholeJoins: the record with its counters and
// its seats, which are thus of one moment.
//
// Each look-up by key is a sub-query with OFFSET 0, which the planner leaves as it
// is. It would else read small tables whole, and go on doing so with a plan
// that it keeps, however they grow.
const (
	wholeColumns = `r.row, r.id, r.kind, r.version, r.revision, r.attempt,
		(SELECT text FROM name WHERE number = r.product), (SELECT text FROM name WHERE number = r.plan),
		(SELECT text FROM state WHERE number = r.state),
		coalesce(r.external_id, ''), coalesce(r.customer_email, ''), coalesce(r.customer_external_id, ''),
		r.created, r.starts, r.ends, r.due, r.words, coalesce(r.done::text, ''), r.body,
		coalesce(t.count, 0), t.last, s.ids, s.leases, s.seen, s.bodies`

	wholeJoins = `
		LEFT JOIN LATERAL (SELECT count, last FROM total WHERE total.row = r.row OFFSET 0) AS t ON true
		LEFT JOIN LATERAL (SELECT array_agg(id) AS ids, array_agg(lease) AS leases, array_agg(seen) AS seen,
			array_agg(body) AS bodies FROM (SELECT id, lease, seen, body FROM seat WHERE seat.row = r.row
			ORDER BY seat.row, seat.id OFFSET 0) AS each) AS s ON true`
)

// record is a row of wholeColumns.
type record struct {
	stored              storage.Stored
	row                 int64
	product, plan       *string
	state               *string
	created, ends       int64
	starts, due, last   *int64
	done                string
	seatIDs             []string
	seatLease, seatSeen []*int64
	seatBodies          [][]byte

	place int64  // among the ids that were asked for, from 1 on
	word  string // that it was found by
}

// targets are what a row is scanned into.
func (r *record) targets() []any {
	x := &r.stored.Index
	return []any{
		&r.row, &r.stored.ID, &r.stored.Kind, &r.stored.Version, &r.stored.Revision, &r.stored.Attempt,
		&r.product, &r.plan, &r.state, &x.ExternalID, &x.CustomerEmail, &x.CustomerExternalID,
		&r.created, &r.starts, &r.ends, &r.due, &x.Words, &r.done, &r.stored.Body,
		&r.stored.Total.Count, &r.last, &r.seatIDs, &r.seatLease, &r.seatSeen, &r.seatBodies,
	}
}

// scan reads all rows, whose columns are those of records, and more.
func scan(rows pgx.Rows, more ...func(*record) any) ([]*record, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*record, error) {
		r := &record{}
		targets := r.targets()
		for _, target := range more {
			targets = append(targets, target(r))
		}
		return r, row.Scan(targets...)
	})
}

// wholes gives the records that were scanned.
func wholes(records []*record) ([]*storage.Stored, error) {
	all := make([]*storage.Stored, len(records))
	for i, r := range records {
		var err error
		if all[i], err = r.whole(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *record) whole() (*storage.Stored, error) {
	if r.product == nil || r.plan == nil || r.state == nil {
		return nil, fmt.Errorf("%s: no text is stored for its product, plan or state", r.stored.ID)
	}
	x := &r.stored.Index
	x.Product, x.Plan, x.State = *r.product, *r.plan, *r.state
	var err error
	if r.stored.Done, err = sqlstore.DecodeDone(r.done); err != nil {
		return nil, fmt.Errorf("%s: %w", r.stored.ID, err)
	}
	if r.created != sqlstore.NeverCreated {
		x.Created = moment(&r.created)
	}
	if r.ends != sqlstore.NeverEnds {
		x.Ends = moment(&r.ends)
	}
	x.Starts, x.Due, r.stored.Total.Last = moment(r.starts), moment(r.due), moment(r.last)
	for i, id := range r.seatIDs {
		r.stored.Seats = append(r.stored.Seats, storage.Seat{
			ID: id, Lease: moment(r.seatLease[i]), Seen: moment(r.seatSeen[i]), Body: r.seatBodies[i],
		})
	}
	return &r.stored, nil
}

// The columns' values: what is none is NULL, save where an order needs a time.

func moment(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}

func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

func millisOr(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return t.UnixMilli()
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
