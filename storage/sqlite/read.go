package sqlite

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// The columns that decode reads, of record r and total t.
const columns = `r.row, r.id, r.kind, r.version, r.revision, r.attempt, r.product, r.plan, r.state,
	r.external_id, r.customer_email, r.customer_external_id, r.created, r.starts, r.ends, r.due, r.done, r.body,
	t.count, t.last, EXISTS (SELECT 1 FROM seat AS s WHERE s.row = r.row), r.words`

const (
	selectRecord = "SELECT " + columns + " FROM record AS r LEFT JOIN total AS t ON t.row = r.row WHERE r.id = ?"
	// A blob is copied once on its way, where a text is copied twice.
	selectSeats = "SELECT id, lease, seen, CAST(body AS BLOB) FROM seat WHERE row = ? ORDER BY id"
)

// read runs f with a connection of the pool.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return translate(err)
	}
	c, err := s.readers.take(ctx)
	if err != nil {
		return translate(err)
	}
	defer s.readers.give(c)
	return translate(f(c))
}

// snapshot is read where all that f reads is of one moment.
func (s *Store) snapshot(ctx context.Context, f func(*conn) error) error {
	return s.read(ctx, func(c *conn) error {
		if _, _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer func() { _, _, _ = c.exec("COMMIT") }()
		return f(c)
	})
}

// Get implements storage.Reader.
func (s *Store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	found := make([]*storage.Stored, len(ids))
	err := s.read(ctx, func(c *conn) error {
		for i, id := range ids {
			stored, err := s.get(c, id)
			if err != nil {
				return err
			}
			found[i] = stored
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s *Store) get(c *conn, id string) (*storage.Stored, error) {
	cur, err := c.query(context.Background(), selectRecord, id) // by a key: not worth interrupting
	if err != nil {
		return nil, err
	}
	defer cur.close()
	ok, err := cur.next()
	if err != nil || !ok {
		return nil, err
	}
	return s.decode(cur)
}

// decode reads the record that the cursor stands on, and while the cursor
// holds the snapshot its seats.
func (s *Store) decode(cur *cursor) (*storage.Stored, error) {
	v := cur.values
	stored := &storage.Stored{
		Record: storage.Record{
			ID: text(v[1]), Kind: storage.Kind(text(v[2])), Version: number(v[3]), Revision: number(v[4]),
			Attempt: text(v[5]), Body: []byte(text(v[17])),
			Index: storage.Index{
				ExternalID: text(v[9]), CustomerEmail: text(v[10]), CustomerExternalID: text(v[11]),
				Starts: moment(v[13]), Due: moment(v[15]),
				Words: decodeWords(v[21], sharedWith(text(v[1]), v[9:12])),
			},
		},
		Total: storage.UsageTotal{Count: number(v[18]), Last: moment(v[19])},
	}
	x := &stored.Index
	if number(v[12]) != sqlstore.NeverCreated {
		x.Created = moment(v[12])
	}
	if number(v[14]) != sqlstore.NeverEnds {
		x.Ends = moment(v[14])
	}
	var err error
	if x.Product, err = s.names.text(cur.conn, number(v[6])); err != nil {
		return nil, err
	}
	if x.Plan, err = s.names.text(cur.conn, number(v[7])); err != nil {
		return nil, err
	}
	if x.State, err = s.states.text(cur.conn, number(v[8])); err != nil {
		return nil, err
	}
	if stored.Done, err = sqlstore.DecodeDone(text(v[16])); err != nil {
		return nil, fmt.Errorf("%s: %w", stored.ID, err)
	}
	if number(v[20]) != 0 { // most have none, and to begin a statement costs more than to ask
		stored.Seats, err = seats(cur.conn, number(v[0]))
	}
	return stored, err
}

func seats(c *conn, row int64) ([]storage.Seat, error) {
	var seats []storage.Seat
	for v, err := range c.rows(context.Background(), selectSeats, row) {
		if err != nil {
			return nil, err
		}
		seats = append(seats, storage.Seat{ID: text(v[0]), Lease: moment(v[1]), Seen: moment(v[2]), Body: blob(v[3])})
	}
	return seats, nil
}
