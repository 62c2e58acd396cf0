package sqlite

import (
	"context"
	"slices"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	selectWhole = "SELECT " + columns + `, EXISTS (SELECT 1 FROM day AS d WHERE d.row = r.row),
		EXISTS (SELECT 1 FROM pending AS p WHERE p.row = r.row)
		FROM record AS r LEFT JOIN total AS t ON t.row = r.row WHERE r.id > ? ORDER BY r.id LIMIT ?`
	selectDays      = "SELECT day, valid, invalid, counts FROM day WHERE row = ? ORDER BY day"
	selectPendingOf = "SELECT entry FROM pending WHERE row = ? ORDER BY place"
)

const (
	dumpedBytes = 4 << 20 // behind which Dump begins no further record
	loadedRows  = 512     // records that one change loads: others need not wait long
)

// Dump implements storage.Mover.
func (s *Store) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	var records []storage.Whole
	err := s.read(ctx, func(c *conn) error {
		cur, err := c.query(ctx, selectWhole, after, int64(max(limit, 0)))
		if err != nil {
			return err
		}
		defer cur.close()
		for size := 0; size < dumpedBytes; {
			ok, err := cur.next()
			if err != nil || !ok {
				return err
			}
			r, err := s.decodeWhole(cur)
			if err != nil {
				return err
			}
			records = append(records, r)
			size += r.Size()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// decodeWhole reads the record that the cursor stands on, with all that is
// beside it.
func (s *Store) decodeWhole(cur *cursor) (r storage.Whole, err error) {
	stored, err := s.decode(cur)
	if err != nil {
		return r, err
	}
	r.Stored = *stored
	row, flags := number(cur.values[0]), cur.values[len(cur.values)-2:]
	if number(flags[0]) != 0 {
		if r.Days, err = daysOf(cur.conn, row); err != nil {
			return r, err
		}
	}
	if number(flags[1]) != 0 {
		r.Pending, err = pendingOf(cur.conn, row)
	}
	return r, err
}

func daysOf(c *conn, row int64) (days []storage.UsageDay, err error) {
	for v, err := range c.rows(context.Background(), selectDays, row) {
		if err != nil {
			return nil, err
		}
		day, err := decodeDay(storage.Day(text(v[0])), v[1:])
		if err != nil {
			return nil, err
		}
		days = append(days, day)
	}
	return days, nil
}

func pendingOf(c *conn, row int64) (entries []storage.Entry, err error) {
	for v, err := range c.rows(context.Background(), selectPendingOf, row) {
		if err != nil {
			return nil, err
		}
		e, err := sqlstore.DecodeEntry(blob(v[0]))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Load implements storage.Mover.
func (s *Store) Load(ctx context.Context, records []storage.Whole) error {
	for _, r := range records {
		if err := r.Check(); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(records, loadedRows) {
		err := s.write(ctx, func(w *writer) error {
			for _, r := range some {
				if err := w.load(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) load(r storage.Whole) error {
	row, err := w.insertRecord(r.Record)
	if err != nil {
		return err
	}
	if r.Total != (storage.UsageTotal{}) {
		if _, _, err := w.conn.exec(addTotal, row, r.Total.Count, millis(r.Total.Last)); err != nil {
			return err
		}
	}
	for _, day := range r.Days {
		if err := w.putDay(row, day); err != nil {
			return err
		}
	}
	return w.putParts(row, r.Seats, r.Pending)
}
