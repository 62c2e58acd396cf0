package mongodb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// productsAtOnce is how many products one query is for. MongoDB merges scans
// of an index, one for each, as long as they are at most 200; beyond that it
// would sort all that matches.
const productsAtOnce = 100

// List implements storage.Reader. A page is what stands at the time where the
// last one ended, behind it, and then what lies beyond that time: two queries
// whose bounds are those of one index. With very many products it is merged
// from a page for each hundred.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	o, err := orderOf(q.Order)
	if err != nil {
		return storage.Page{}, err
	}
	after, begun, err := o.decode(q.After)
	if err != nil {
		return storage.Page{}, err
	}
	if q.First < 1 {
		return storage.Page{}, fault.Invalid("first", "first must be at least 1")
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return storage.Page{}, err
	}
	defer leave()
	filters, possible := filtersOf(q, o)
	if !possible {
		return storage.Page{}, nil
	}
	var found []recordDocument
	for _, filter := range filters {
		some, err := s.listPart(ctx, listed{filter, o, indexFor(q.Filter, o), 1 + min(q.First, most)}, after, begun)
		if err != nil {
			return storage.Page{}, translate(err)
		}
		found = append(found, some...)
	}
	page, err := pageOf(found, o, q.First)
	return page, translate(err)
}

// listed is a part of a list.
type listed struct {
	filter bson.M
	order  order
	index  string
	limit  int
}

func (s *Store) listPart(ctx context.Context, l listed, after place, begun bool) ([]recordDocument, error) {
	if !begun {
		return s.listRange(ctx, l, nil)
	}
	at := bson.M{l.order.field: after.time, "_id": bson.M{l.order.behind(): after.id}}
	found, err := s.listRange(ctx, l, at)
	if err != nil || len(found) == l.limit {
		return found, err
	}
	l.limit -= len(found)
	beyond, err := s.listRange(ctx, l, bson.M{l.order.field: bson.M{l.order.behind(): after.time}})
	return append(found, beyond...), err
}

// listRange gives what a part has within bounds. Where a bound of the filter's
// is of the same field, both are to hold.
func (s *Store) listRange(ctx context.Context, l listed, bounds bson.M) ([]recordDocument, error) {
	filter := l.filter
	if bounds != nil {
		filter = bson.M{"$and": bson.A{l.filter, bounds}}
	}
	return all[recordDocument](ctx, s.surely.records, filter, options.Find().SetSort(l.order.sort()).SetLimit(int64(l.limit)).
		SetHint(l.index).SetProjection(bson.M{"pending": 0}))
}

func pageOf(found []recordDocument, o order, first int) (storage.Page, error) {
	slices.SortFunc(found, func(a, b recordDocument) int { return o.compare(o.placeOf(a), o.placeOf(b)) })
	page := storage.Page{More: len(found) > first}
	// A record that moves on while it is read may be there twice.
	seen := map[string]bool{}
	found = slices.DeleteFunc(found, func(d recordDocument) bool {
		again := seen[d.ID]
		seen[d.ID] = true
		return again
	})
	for _, d := range found[:min(first, len(found))] {
		stored, err := d.stored()
		if err != nil {
			return storage.Page{}, err
		}
		page.Records, page.End = append(page.Records, stored), o.encode(o.placeOf(d))
	}
	return page, nil
}

// indexFor names the index that a list goes by: in its order, and narrowed as
// far as one index can be.
func indexFor(f storage.Filter, o order) string {
	if o.field == "created" {
		for _, own := range []struct{ name, value string }{
			{"externalId", f.ExternalID}, {"customerEmail", f.CustomerEmail}, {"customerExternalId", f.CustomerExternalID},
		} {
			if own.value != "" {
				return own.name + "_created"
			}
		}
	}
	name := o.field
	if f.State != "" && o.field != "due" {
		name = "state_" + name
	}
	switch {
	case f.Plan != "":
		name = "plan_" + name
	case f.Products != nil:
		name = "product_" + name
	}
	return name
}

// filtersOf gives the filter of a query, one for so many of its products; none
// where nothing can match.
func filtersOf(q storage.Query, o order) ([]bson.M, bool) {
	f := q.Filter
	texts := map[string]string{
		"kind": string(q.Kind), "plan": f.Plan, "state": f.State, "externalId": f.ExternalID,
		"customerEmail": f.CustomerEmail, "customerExternalId": f.CustomerExternalID,
	}
	filter := bson.M{"kind": string(q.Kind)}
	for field, text := range texts {
		if !storage.IsText(text) {
			return nil, false
		}
		if text != "" {
			filter[field] = text
		}
	}
	times(filter, f, o)
	if f.Products == nil {
		return []bson.M{filter}, true
	}
	var filters []bson.M
	for products := range slices.Chunk(productsOf(f.Products), productsAtOnce) {
		narrowed := bson.M{"product": oneOf(products)}
		for field, value := range filter {
			narrowed[field] = value
		}
		filters = append(filters, narrowed)
	}
	return filters, len(filters) > 0
}

// productsOf gives the products that there may be, each once.
func productsOf(ids []string) []string {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || !storage.IsText(id) })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// times adds the bounds of times to a filter.
func times(filter bson.M, f storage.Filter, o order) {
	bound := func(field, operator string, at int64) {
		if filter[field] == nil {
			filter[field] = bson.M{}
		}
		bounds := filter[field].(bson.M)
		if was, ok := bounds[operator].(int64); ok && operator == "$gt" {
			at = max(at, was)
		} else if ok {
			at = min(at, was)
		}
		bounds[operator] = at
	}
	if !f.CreatedAfter.IsZero() {
		bound("created", "$gt", f.CreatedAfter.UnixMilli())
	}
	if !f.CreatedBefore.IsZero() {
		bound("created", "$lt", f.CreatedBefore.UnixMilli())
		bound("created", "$gt", before0)
	}
	if !f.EndsAfter.IsZero() {
		bound("ends", "$gt", f.EndsAfter.UnixMilli())
		bound("ends", "$lt", never)
	}
	if !f.EndsBefore.IsZero() {
		bound("ends", "$lt", f.EndsBefore.UnixMilli())
	}
	if !f.OpenAt.IsZero() {
		bound("ends", "$gt", f.OpenAt.UnixMilli())
		filter["starts"] = bson.M{"$lte": f.OpenAt.UnixMilli()}
	}
	if !f.DueBefore.IsZero() {
		bound("due", "$lt", f.DueBefore.UnixMilli())
	}
	if o.field == "due" {
		bound("due", "$lt", never)
	}
}
