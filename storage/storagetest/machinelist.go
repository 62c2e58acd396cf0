package storagetest

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/storage"
)

func drawQuery(r *rapid.T) storage.Query {
	rarely := func(what string) bool { return rapid.IntRange(0, 3).Draw(r, "with "+what) == 0 }
	q := storage.Query{
		Kind:  rapid.SampledFrom(machineKinds).Draw(r, "kind"),
		Order: rapid.SampledFrom(orders).Draw(r, "order"),
		First: rapid.IntRange(1, 4).Draw(r, "first"),
	}
	f := &q.Filter
	if rarely("products") {
		f.Products = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z", "", "$x", "\x00"}), 0, 3).Draw(r, "products")
	}
	for _, text := range []*string{&f.Plan, &f.State, &f.ExternalID, &f.CustomerEmail, &f.CustomerExternalID} {
		if rarely("a text") {
			*text = drawText(r, "text")
		}
	}
	for _, bound := range []*time.Time{&f.CreatedAfter, &f.CreatedBefore, &f.EndsAfter, &f.EndsBefore, &f.DueBefore, &f.OpenAt} {
		if rarely("a time") {
			*bound = drawTime(r, "time")
		}
	}
	return q
}

// list walks all pages of both. Equal times come in an order of each one's
// own, so the records are compared as sets between times, and the times in
// their order.
func (m *machine) list(r *rapid.T) {
	q := drawQuery(r)
	got, want := m.walk(r, m.store(r), q), m.walk(r, m.model, q)
	m.same(r, timesOf(got, q.Order), timesOf(want, q.Order), nil)
	byID := func(a, b *storage.Stored) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	m.same(r, got, want, nil)
}

// search compares the words that records are found by, in their order, and
// where no limit cuts it off all that is found. Records of one word come in an
// order of each one's own.
func (m *machine) search(r *rapid.T) {
	q := storage.SearchQuery{
		Kind:   rapid.SampledFrom(machineKinds).Draw(r, "kind"),
		Prefix: rapid.SampledFrom([]string{"x", "xy", "a", "y", "z", "X", "x%", "\xff"}).Draw(r, "prefix"),
		First:  rapid.SampledFrom([]int{1, 2, 99}).Draw(r, "first"),
	}
	if rapid.Bool().Draw(r, "of products") {
		q.Products = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z", "", "$x", "\x00"}), 0, 3).Draw(r, "products")
	}
	want, _ := m.model.Search(m.t.Context(), q)
	got, err := m.store(r).Search(m.t.Context(), q)
	m.same(r, wordsOf(got, q.Prefix), wordsOf(want, q.Prefix), err)
	if q.First < 99 {
		return
	}
	byID := func(a, b *storage.Stored) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	m.same(r, got, want, nil)
}

// wordsOf gives the word that each record is found by.
func wordsOf(found []*storage.Stored, prefix string) (words []string) {
	for _, r := range found {
		words = append(words, firstWord(r.Index, prefix))
	}
	return words
}

func (m *machine) walk(r *rapid.T, s storage.Store, q storage.Query) []*storage.Stored {
	var all []*storage.Stored
	for {
		page, err := s.List(m.t.Context(), q)
		if err != nil || len(page.Records) > q.First || page.More && len(page.Records) < q.First {
			r.Fatalf("%+v: %d records, more %v, %v", q, len(page.Records), page.More, err)
		}
		all = append(all, page.Records...)
		if !page.More {
			return all
		}
		q.After = page.End
	}
}

func timesOf(records []*storage.Stored, o storage.Order) []time.Time {
	times := make([]time.Time, len(records))
	for i, r := range records {
		times[i] = r.Index.Created
		switch o {
		case storage.EndsSoonest:
			times[i] = r.Index.Ends
		case storage.DueSoonest:
			times[i] = r.Index.Due
		}
	}
	return times
}
