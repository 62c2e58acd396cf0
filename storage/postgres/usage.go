package postgres

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// Lists that are joined stand in queries of their own for what statement.array says.
const (
	selectRows = `SELECT r.id, r.row FROM unnest((SELECT $1::text[])) AS a (id)
		CROSS JOIN LATERAL (SELECT id, row FROM record WHERE record.id = a.id OFFSET 0) AS r`

	// What unnest gives keeps its order, and rows are locked in it.
	addTotals = `INSERT INTO total AS was (row, count, last) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
		ON CONFLICT (row) DO UPDATE SET count = was.count + excluded.count, last = greatest(was.last, excluded.last)`
	addDays = `INSERT INTO day (row, day, valid, invalid) SELECT a.row, a.day, 0, 0
		FROM unnest($1::bigint[], $2::text[]) AS a (row, day) ON CONFLICT DO NOTHING`
	lockDays = `SELECT d.row, d.day, d.valid, d.invalid, coalesce(d.counts, '') FROM unnest((SELECT $1::bigint[]), (SELECT $2::text[])) AS a (row, day)
		CROSS JOIN LATERAL (SELECT * FROM day WHERE day.row = a.row AND day.day = a.day OFFSET 0 FOR UPDATE) AS d`
	putDays = `INSERT INTO day (row, day, valid, invalid, counts)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
		ON CONFLICT (row, day) DO UPDATE SET valid = excluded.valid, invalid = excluded.invalid, counts = excluded.counts`

	listDays = `SELECT d.day, d.valid, d.invalid, coalesce(d.counts, '') FROM day AS d
		WHERE d.row = (SELECT row FROM record WHERE record.id = $1) AND d.day BETWEEN $2 AND $3 ORDER BY d.day`
)

// AddUsage implements storage.Counter.
func (s *Store) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	if len(deltas) == 0 {
		return s.usable(ctx)
	}
	err := s.write(ctx, func(tx pgx.Tx) error {
		rows, err := rowsOf(ctx, tx, deltas)
		if err != nil || len(rows) == 0 {
			return err
		}
		return addUsage(ctx, tx, gather(rows, deltas))
	})
	var unknown *unknownError
	if errors.As(err, &unknown) {
		return fault.Wrap(fault.Internal, err, "it is unknown whether uses were counted")
	}
	return err
}

// rowsOf gives the rows of the records and products that there are.
func rowsOf(ctx context.Context, q querier, deltas []storage.UsageDelta) (map[string]int64, error) {
	ids := map[string]bool{}
	for _, d := range deltas {
		ids[d.Record], ids[d.Product] = true, true
	}
	rows, err := q.Query(ctx, selectRows, findable(slices.Collect(maps.Keys(ids))))
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	var id string
	var row int64
	_, err = pgx.ForEachRow(rows, []any{&id, &row}, func() error {
		found[id] = row
		return nil
	})
	return found, err
}

// uses is what is to be added, by row, and by row and day.
type uses struct {
	totals map[int64]storage.UsageTotal
	days   map[dayKey][]storage.UsageDelta
}

type dayKey struct {
	row int64
	day storage.Day
}

func gather(rows map[string]int64, deltas []storage.UsageDelta) uses {
	u := uses{map[int64]storage.UsageTotal{}, map[dayKey][]storage.UsageDelta{}}
	for _, d := range deltas {
		if row, found := rows[d.Record]; found {
			total := u.totals[row]
			total.Count += d.Valid + d.Invalid
			if d.Last.After(total.Last) {
				total.Last = d.Last
			}
			u.totals[row] = total
			u.days[dayKey{row, d.Day}] = append(u.days[dayKey{row, d.Day}], d)
		}
		if row, found := rows[d.Product]; found && d.Product != "" {
			u.days[dayKey{row, d.Day}] = append(u.days[dayKey{row, d.Day}], d)
		}
	}
	return u
}

// addUsage locks the counters in the order of their keys, whoever adds to them,
// and writes the days as they then are, with what is added.
func addUsage(ctx context.Context, tx pgx.Tx, u uses) error {
	var counts []int64
	var last []*int64
	totals := slices.Sorted(maps.Keys(u.totals))
	for _, row := range totals {
		counts, last = append(counts, u.totals[row].Count), append(last, millis(u.totals[row].Last))
	}
	keys := slices.SortedFunc(maps.Keys(u.days), func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.day, b.day))
	})
	rows, names := make([]int64, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		rows[i], names[i] = key.row, string(key.day)
	}
	days := map[dayKey]storage.UsageDay{}
	batch := &pgx.Batch{}
	batch.Queue(addTotals, totals, counts, last)
	batch.Queue(addDays, rows, names)
	batch.Queue(lockDays, rows, names).Query(func(r pgx.Rows) error { return readDays(r, days) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	var valid, invalid []int64
	var values []*string
	for _, key := range keys {
		day := days[key]
		for _, d := range u.days[key] {
			day.Add(d)
		}
		text, err := sqlstore.EncodeValues(day.Values)
		if err != nil {
			return err
		}
		valid, invalid, values = append(valid, day.Valid), append(invalid, day.Invalid), append(values, orNull(text))
	}
	_, err := tx.Exec(ctx, putDays, rows, names, valid, invalid, values)
	return err
}

func readDays(rows pgx.Rows, days map[dayKey]storage.UsageDay) error {
	var row int64
	var day storage.UsageDay
	var values string
	_, err := pgx.ForEachRow(rows, []any{&row, &day.Day, &day.Valid, &day.Invalid, &values}, func() (err error) {
		day.Values, err = sqlstore.DecodeValues(values)
		days[dayKey{row, day.Day}] = day
		return err
	})
	return err
}

// Usage implements storage.Counter.
func (s *Store) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	var days []storage.UsageDay
	texts := findable([]string{id, string(first), string(last)})
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, listDays, texts[0], texts[1], texts[2])
		if err != nil {
			return err
		}
		days, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (day storage.UsageDay, err error) {
			var values string
			if err := row.Scan(&day.Day, &day.Valid, &day.Invalid, &values); err != nil {
				return day, err
			}
			day.Values, err = sqlstore.DecodeValues(values)
			return day, err
		})
		return err
	})
	return days, err
}
