package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	selectRow = "SELECT row FROM record WHERE id = ?"
	addTotal  = `INSERT INTO total (row, count, last) VALUES (?, ?, ?)
		ON CONFLICT (row) DO UPDATE SET count = count + excluded.count,
		last = CASE WHEN last IS NULL OR excluded.last > last THEN excluded.last ELSE last END`
	selectDay = "SELECT valid, invalid, counts FROM day WHERE row = ? AND day = ?"
	putDay    = "INSERT OR REPLACE INTO day (row, day, valid, invalid, counts) VALUES (?, ?, ?, ?, ?)"
	listDays  = `SELECT d.day, d.valid, d.invalid, d.counts FROM record AS r JOIN day AS d ON d.row = r.row
		WHERE r.id = ? AND d.day BETWEEN ? AND ? ORDER BY d.day`
)

// AddUsage implements storage.Counter.
func (s *Store) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	return s.write(ctx, func(w *writer) error {
		for _, d := range deltas {
			if err := w.addUsage(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) addUsage(d storage.UsageDelta) error {
	record, found, err := w.conn.one(selectRow, d.Record)
	if err != nil {
		return err
	}
	if found {
		if _, _, err := w.conn.exec(addTotal, record[0], d.Valid+d.Invalid, millis(d.Last)); err != nil {
			return err
		}
		if err := w.addDay(record[0], d); err != nil {
			return err
		}
	}
	if d.Product == "" {
		return nil
	}
	product, found, err := w.conn.one(selectRow, d.Product)
	if err != nil || !found {
		return err
	}
	return w.addDay(product[0], d)
}

func (w *writer) addDay(row driver.Value, d storage.UsageDelta) error {
	stored, found, err := w.conn.one(selectDay, row, string(d.Day))
	if err != nil {
		return err
	}
	day := storage.UsageDay{Day: d.Day}
	if found {
		if day, err = decodeDay(d.Day, stored); err != nil {
			return err
		}
	}
	day.Add(d)
	return w.putDay(row, day)
}

func (w *writer) putDay(row driver.Value, day storage.UsageDay) error {
	counts, err := sqlstore.EncodeValues(day.Values)
	if err != nil {
		return err
	}
	_, _, err = w.conn.exec(putDay, row, string(day.Day), day.Valid, day.Invalid, orNull(counts))
	return err
}

// decodeDay reads valid, invalid and counts.
func decodeDay(day storage.Day, v []driver.Value) (storage.UsageDay, error) {
	values, err := sqlstore.DecodeValues(text(v[2]))
	return storage.UsageDay{Day: day, Valid: number(v[0]), Invalid: number(v[1]), Values: values}, err
}

// Usage implements storage.Counter.
func (s *Store) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	var days []storage.UsageDay
	err := s.read(ctx, func(c *conn) error {
		for row, err := range c.rows(ctx, listDays, id, string(first), string(last)) {
			if err != nil {
				return err
			}
			day, err := decodeDay(storage.Day(text(row[0])), row[1:])
			if err != nil {
				return err
			}
			days = append(days, day)
		}
		return nil
	})
	return days, err
}
