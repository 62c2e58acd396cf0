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

// mark tells places of this driver's lists from others'.
const mark = "p"

// List implements storage.Reader. One statement merges a scan for each product
// and state that the query leaves open, each in order from one index.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	o, err := sqlstore.OrderOf(mark, q.Order)
	if err != nil {
		return storage.Page{}, err
	}
	after, err := o.Decode(q.After)
	if err != nil {
		return storage.Page{}, err
	}
	if q.First < 1 {
		return storage.Page{}, fault.Invalid("first", "first must be at least 1")
	}
	if !findableBy(q) {
		return storage.Page{}, s.usable(ctx)
	}
	query, args := listStatement(q, o, sqlstore.TimesOf(q.Filter, o, after))
	var page storage.Page
	err = s.read(ctx, func(c *pgxpool.Conn) (err error) {
		var records []*record
		if err = inOrder(ctx, c, query, args, func(rows pgx.Rows) (err error) {
			records, err = scan(rows)
			return err
		}); err != nil {
			return err
		}
		page, err = pageOf(records, o, q.First)
		return err
	})
	return page, err
}

// pageOf takes the first records; one more is a sign of what lies behind.
func pageOf(records []*record, o sqlstore.Order, first int) (page storage.Page, err error) {
	page.More = len(records) > first
	records = records[:min(first, len(records))]
	if len(records) > 0 {
		page.End = o.Encode(records[len(records)-1].placeIn(o))
	}
	page.Records, err = wholes(records)
	return page, err
}

func (r *record) placeIn(o sqlstore.Order) sqlstore.Place {
	switch o.Column {
	case "ends":
		return sqlstore.Place{Time: r.ends, Row: r.row}
	case "due":
		return sqlstore.Place{Time: *r.due, Row: r.row}
	}
	return sqlstore.Place{Time: r.created, Row: r.row}
}

// findableBy reports whether any record can match: not what is no text, nor one
// of no products.
func findableBy(q storage.Query) bool {
	f := q.Filter
	named := []string{string(q.Kind), f.Plan, f.State, f.ExternalID, f.CustomerEmail, f.CustomerExternalID}
	none := f.Products != nil && len(f.Products) == 0
	return !none && !slices.ContainsFunc(named, func(text string) bool { return !storage.IsText(text) })
}

// listStatement gives the statement of a page and one record more.
func listStatement(q storage.Query, o sqlstore.Order, times sqlstore.Times) (string, []any) {
	st := &statement{}
	sources := st.sources(q, o)
	st.common(q)
	st.bounds(times, o)
	direction := ""
	if o.Newest {
		direction = " DESC"
	}
	by := func(of string) string { return of + "." + o.Column + direction + ", " + of + ".row" + direction }
	limit := " LIMIT " + st.arg(q.First+1)
	return "SELECT " + wholeColumns + " FROM (SELECT x.row, x." + o.Column + " FROM " + strings.Join(sources, " CROSS JOIN ") +
		" CROSS JOIN LATERAL (SELECT r.row, r." + o.Column + " FROM record AS r WHERE " + strings.Join(st.parts, " AND ") +
		" ORDER BY " + by("r") + limit + ") AS x ORDER BY " + by("x") + limit + ") AS page" +
		" CROSS JOIN LATERAL (SELECT * FROM record WHERE record.row = page.row OFFSET 0) AS r" + wholeJoins +
		" ORDER BY " + by("page"), st.args
}

// sources gives what a scan is made for each of, and adds what each scan has of
// it. An index that does not begin with a product or a state has these
// compared instead.
func (s *statement) sources(q storage.Query, o sqlstore.Order) []string {
	f := q.Filter
	byProduct, byState := leading(q, o)
	sources := []string{"(SELECT) AS once"}
	if f.Products != nil {
		products := "SELECT number FROM name WHERE text = ANY (" + s.arg(findable(f.Products)) + ") AND text <> ''"
		if byProduct {
			sources = append(sources, "("+products+") AS p")
			s.add("r.product = p.number")
		} else {
			s.add("r.product = ANY (ARRAY (" + products + "))")
		}
	}
	states := "SELECT number FROM state"
	if f.State != "" {
		states += " WHERE text = " + s.arg(f.State)
	}
	switch {
	case byState:
		sources = append(sources, "("+states+") AS z")
		s.add("r.state = z.number")
	case f.State != "":
		s.add("r.state = (" + states + ")")
	}
	return sources
}

// leading reports whether the index that serves q begins with a product, and
// whether it goes on with a state.
func leading(q storage.Query, o sqlstore.Order) (product, state bool) {
	f := q.Filter
	named := f.ExternalID != "" || f.CustomerEmail != "" || f.CustomerExternalID != ""
	switch {
	case o.Column == "due":
		return false, false
	case q.Kind != storage.License:
		return true, false
	case named:
		return false, false
	}
	return f.Plan == "", true
}

// common adds what holds for every scan. The terms on kind stand as the
// indexes' own, so that PostgreSQL may use those.
func (s *statement) common(q storage.Query) {
	f := q.Filter
	if q.Kind == storage.License {
		s.add("r.kind = 'license'")
	} else {
		s.add("r.kind <> 'license' AND r.kind = " + s.arg(string(q.Kind)))
	}
	if f.Plan != "" {
		s.add("r.plan = (SELECT number FROM name WHERE text = " + s.arg(f.Plan) + ")")
	}
	for _, name := range []struct{ column, text string }{
		{"r.external_id", f.ExternalID}, {"r.customer_email", f.CustomerEmail}, {"r.customer_external_id", f.CustomerExternalID},
	} {
		if name.text != "" {
			text := s.arg(name.text)
			s.add("hashtextextended(" + name.column + ", 0) = hashtextextended(" + text + ", 0) AND " + name.column + " = " + text)
		}
	}
	if !f.OpenAt.IsZero() {
		s.add("(r.starts IS NULL OR r.starts <= " + s.arg(f.OpenAt.UnixMilli()) + ")")
	}
}

// bounds adds the times.
func (s *statement) bounds(times sqlstore.Times, o sqlstore.Order) {
	behind := " > "
	if o.Newest {
		behind = " < "
	}
	s.add("(r." + o.Column + ", r.row)" + behind + "(" + s.list(times.Behind.Time, times.Behind.Row) + ")")
	if o.Column == "due" {
		s.add("r.due IS NOT NULL")
	}
	for _, span := range []struct {
		column string
		sqlstore.Span
	}{{"r.created", times.Created}, {"r.ends", times.Ends}, {"r.due", times.Due}} {
		if span.BoundedBelow() {
			s.add(span.column + " > " + s.arg(span.After))
		}
		if span.BoundedAbove() {
			s.add(span.column + " < " + s.arg(span.Before))
		}
	}
}
