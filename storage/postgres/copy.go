package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// table is what is to be copied into one.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

// tablesOf gives all that records are made of, each under its row.
func tablesOf(rows []int64, named numbers, writings []*writing, records []storage.Whole) ([]table, error) {
	record := table{name: "record", columns: append(strings.Fields(strings.ReplaceAll(ownColumns, ",", " ")), "id", "row")}
	word := table{name: "word", columns: []string{"product", "text", "row"}}
	seat := table{name: "seat", columns: []string{"row", "id", "lease", "seen", "body"}}
	total := table{name: "total", columns: []string{"row", "count", "last"}}
	day := table{name: "day", columns: []string{"row", "day", "valid", "invalid", "counts"}}
	pending := table{name: "pending", columns: []string{"row", "id", "entry"}}
	for i, r := range records {
		row, x := rows[i], r.Index
		product := named.names[x.Product]
		record.add(append(writings[i].values(), product, named.names[x.Plan], named.states[x.State], r.ID, row)...)
		for _, text := range x.Words {
			word.add(product, text, row)
		}
		for _, s := range r.Seats {
			seat.add(row, s.ID, millis(s.Lease), millis(s.Seen), s.Body)
		}
		if r.Total != (storage.UsageTotal{}) {
			total.add(row, r.Total.Count, millis(r.Total.Last))
		}
		for _, d := range r.Days {
			values, err := sqlstore.EncodeValues(d.Values)
			if err != nil {
				return nil, err
			}
			day.add(row, string(d.Day), d.Valid, d.Invalid, orNull(values))
		}
		for _, e := range r.Pending {
			pending.add(row, e.ID, sqlstore.AppendEntry(nil, e))
		}
	}
	return []table{record, word, seat, total, day, pending}, nil
}

func (t *table) add(values ...any) { t.rows = append(t.rows, values) }

func copyAll(ctx context.Context, tx pgx.Tx, tables []table) error {
	for _, t := range tables {
		if len(t.rows) == 0 {
			continue
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return err
		}
	}
	return nil
}
