package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// scan is one statement of a list, served in order by one index.
type scan struct {
	query string
	args  []driver.Value
}

// terms collects the conditions of a statement with their arguments.
type terms struct {
	texts []string
	args  []driver.Value
}

func (t *terms) add(text string, args ...driver.Value) {
	t.texts, t.args = append(t.texts, text), append(t.args, args...)
}

// scans gives the statements whose records, merged, are the list.
func (s *Store) scans(c *conn, q storage.Query, o order, after sqlstore.Place) ([]scan, error) {
	index, byState := indexFor(q, o)
	products, err := s.productTerms(c, q.Filter.Products)
	if err != nil {
		return nil, err
	}
	states, err := s.stateTerms(c, q.Filter.State, byState)
	if err != nil {
		return nil, err
	}
	common, found, err := s.commonTerms(c, q)
	if err != nil || !found {
		return nil, err
	}
	times := timeTerms(q.Filter, o, after)
	head := "SELECT " + columns + " FROM record AS r INDEXED BY " + index +
		" LEFT JOIN total AS t ON t.row = r.row WHERE "
	var scans []scan
	for _, product := range products {
		for _, state := range states {
			for _, time := range times {
				t := join(common, product, state, time)
				scans = append(scans, scan{head + strings.Join(t.texts, " AND ") + " ORDER BY " + o.clause, t.args})
			}
		}
	}
	return scans, nil
}

func join(each ...terms) terms {
	var all terms
	for _, t := range each {
		all.texts, all.args = append(all.texts, t.texts...), append(all.args, t.args...)
	}
	return all
}

// indexFor names the index that serves q, and says whether its scans need a
// state.
func indexFor(q storage.Query, o order) (index string, byState bool) {
	f := q.Filter
	switch {
	case q.Order == storage.DueSoonest && q.Kind == storage.License:
		return "license_due", false
	case q.Order == storage.DueSoonest:
		return "other_due", false
	case q.Kind != storage.License && f.Products != nil:
		return "other_product_created", false
	case q.Kind != storage.License:
		return "other_created", false
	case f.ExternalID != "":
		return "license_external_id", false
	case f.CustomerEmail != "":
		return "license_customer_email", false
	case f.CustomerExternalID != "":
		return "license_customer_external_id", false
	case f.Plan != "":
		return "license_plan_" + o.Column, true
	case f.Products != nil:
		return "license_product_" + o.Column, true
	}
	return "license_" + o.Column, true
}

// productTerms gives one term for each product, or an empty one for all.
func (s *Store) productTerms(c *conn, products []string) ([]terms, error) {
	if products == nil {
		return []terms{{}}, nil
	}
	numbers, err := s.productNumbers(c, products)
	if err != nil {
		return nil, err
	}
	each := make([]terms, len(numbers))
	for i, number := range numbers {
		each[i].add("r.product = ?", number)
	}
	return each, nil
}

// productNumbers gives the numbers of these products, each once, without those
// that no record names.
func (s *Store) productNumbers(c *conn, products []string) ([]int64, error) {
	var numbers []int64
	for _, id := range slices.Compact(slices.Sorted(slices.Values(products))) {
		number, found, err := s.names.number(c, id)
		if err != nil {
			return nil, err
		}
		if found && id != "" {
			numbers = append(numbers, number)
		}
	}
	return numbers, nil
}

// stateTerms gives the term of the state, or of each state that there is where
// the index needs one.
func (s *Store) stateTerms(c *conn, state string, byState bool) ([]terms, error) {
	if state == "" && !byState {
		return []terms{{}}, nil
	}
	query, args := "SELECT number FROM state", []driver.Value{}
	if state != "" {
		query, args = query+" WHERE text = ?", append(args, state)
	}
	var each []terms
	for row, err := range c.rows(context.Background(), query, args...) {
		if err != nil {
			return nil, err
		}
		var t terms
		t.add("r.state = ?", row[0])
		each = append(each, t)
	}
	return each, nil
}

// commonTerms gives what holds for every scan, beside product, state and the
// times that bound it, and whether anything can match. The terms on kind stand as the indexes' own, so
// that SQLite may use those.
func (s *Store) commonTerms(c *conn, q storage.Query) (terms, bool, error) {
	var t terms
	if q.Kind == storage.License {
		t.add("r.kind = 'license'")
	} else {
		t.add("r.kind <> 'license' AND r.kind = ?", string(q.Kind))
	}
	f := q.Filter
	if f.Plan != "" {
		number, found, err := s.names.number(c, f.Plan)
		if err != nil || !found {
			return t, false, err
		}
		t.add("r.plan = ?", number)
	}
	if f.ExternalID != "" {
		t.add("r.external_id = ?", f.ExternalID)
	}
	if f.CustomerEmail != "" {
		t.add("r.customer_email = ?", f.CustomerEmail)
	}
	if f.CustomerExternalID != "" {
		t.add("r.customer_external_id = ?", f.CustomerExternalID)
	}
	if !f.OpenAt.IsZero() {
		t.add("(r.starts IS NULL OR r.starts <= ?)", f.OpenAt.UnixMilli())
	}
	return t, true, nil
}

// timeTerms gives the terms on the times. The place to begin behind becomes one
// term, and the rest of its millisecond a scan of its own: SQLite seeks by one
// term and would pass over the rest row by row.
func timeTerms(f storage.Filter, o order, after sqlstore.Place) []terms {
	times := sqlstore.TimesOf(f, o.Order, after)
	var bounds, beyond, equal terms
	bounds.within("r.created", times.Created)
	bounds.within("r.ends", times.Ends)
	bounds.within("r.due", times.Due)
	beyond.add(o.beyond, times.Behind.Time)
	if row := times.Behind.Row; row == math.MinInt64 || row == math.MaxInt64 {
		return []terms{join(bounds, beyond)}
	}
	equal.add(o.equal, times.Behind.Time, times.Behind.Row)
	return []terms{join(bounds, equal), join(bounds, beyond)}
}

func (t *terms) within(column string, s sqlstore.Span) {
	if s.BoundedBelow() {
		t.add(column+" > ?", s.After)
	}
	if s.BoundedAbove() {
		t.add(column+" < ?", s.Before)
	}
}
