package storagetest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// position is where a record stands in an order: ascending by key, then tie.
type position struct{ key, tie int64 }

func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(p.key, other.key), cmp.Compare(p.tie, other.tie))
}

func (r *modelRecord) position(o storage.Order) position {
	created := int64(math.MinInt64 + 1)
	if t := r.record.Index.Created; !t.IsZero() {
		created = t.UnixMilli()
	}
	switch o {
	case storage.CreatedNewest:
		return position{-created, -int64(r.ordinal)}
	case storage.CreatedOldest:
		return position{created, int64(r.ordinal)}
	}
	if o == storage.DueSoonest {
		return position{r.record.Index.Due.UnixMilli(), int64(r.ordinal)}
	}
	ends := int64(math.MaxInt64)
	if t := r.record.Index.Ends; !t.IsZero() {
		ends = t.UnixMilli()
	}
	return position{ends, int64(r.ordinal)}
}

// List implements storage.Reader.
func (m *Model) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	orders := []storage.Order{storage.CreatedNewest, storage.CreatedOldest, storage.EndsSoonest, storage.DueSoonest}
	if !slices.Contains(orders, q.Order) {
		return storage.Page{}, fault.Invalid("orderBy", "there is no order %q", string(q.Order))
	}
	if q.First < 1 {
		return storage.Page{}, fault.Invalid("first", "first must be at least 1")
	}
	after, err := modelPosition(q)
	if err != nil {
		return storage.Page{}, err
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return storage.Page{}, err
	}
	var behind []*modelRecord
	for _, r := range m.records {
		if r.record.Kind == q.Kind && matches(r.record.Index, q.Filter) && has(r.record.Index, q.Order) && r.position(q.Order).compare(after) > 0 {
			behind = append(behind, r)
		}
	}
	slices.SortFunc(behind, func(a, b *modelRecord) int {
		return a.position(q.Order).compare(b.position(q.Order))
	})
	page := storage.Page{More: len(behind) > q.First}
	for _, r := range behind[:min(q.First, len(behind))] {
		page.Records, page.End = append(page.Records, r.stored()), r.position(q.Order).place(q.Order)
	}
	return page, nil
}

// has reports whether x has a place in the order.
func has(x storage.Index, o storage.Order) bool {
	return o != storage.DueSoonest || !x.Due.IsZero()
}

func (p position) place(o storage.Order) storage.Place {
	return storage.Place(fmt.Sprintf("model %s %d %d", o, p.key, p.tie))
}

func modelPosition(q storage.Query) (position, error) {
	after := position{math.MinInt64, math.MinInt64}
	if q.After == "" {
		return after, nil
	}
	var order string
	_, err := fmt.Sscanf(string(q.After), "model %s %d %d", &order, &after.key, &after.tie)
	if err != nil || order != string(q.Order) || after.place(q.Order) != q.After {
		return after, fault.Invalid("after", "after is not a place of this list")
	}
	return after, nil
}

// ofProducts reports whether x is of one of these products; nil is all.
func ofProducts(x storage.Index, products []string) bool {
	return products == nil || x.Product != "" && slices.Contains(products, x.Product)
}

// matches reports whether all that f names holds of x.
func matches(x storage.Index, f storage.Filter) bool {
	same := func(want, have string) bool { return want == "" || want == have }
	after := func(bound, t time.Time) bool { return bound.IsZero() || !t.IsZero() && t.After(bound) }
	before := func(bound, t time.Time) bool { return bound.IsZero() || !t.IsZero() && t.Before(bound) }
	open := f.OpenAt.IsZero() ||
		!x.Starts.After(f.OpenAt) && (x.Ends.IsZero() || x.Ends.After(f.OpenAt))
	return ofProducts(x, f.Products) &&
		same(f.Plan, x.Plan) && same(f.State, x.State) && same(f.ExternalID, x.ExternalID) &&
		same(f.CustomerEmail, x.CustomerEmail) && same(f.CustomerExternalID, x.CustomerExternalID) &&
		after(f.CreatedAfter, x.Created) && before(f.CreatedBefore, x.Created) &&
		after(f.EndsAfter, x.Ends) && before(f.EndsBefore, x.Ends) &&
		before(f.DueBefore, x.Due) && open
}
