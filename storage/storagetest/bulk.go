package storagetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// bulkClauses hold of a driver that is a Bulk.
var bulkClauses = []clause{
	{"LoadsWhatIsListedSearchedAndChangedLikeTheRest", func(t testing.TB, s storage.Store) {
		m := NewModel()
		fillBoth(t, m)
		want := dump(t, m, 99)
		loadInBulk(t, s, want, 2)
		equal(t, dump(t, s, 99), want)
		likeTheRest(t, s)
	}},
	{"LoadsManyOfWhichEachIsWhereItBelongs", func(t testing.TB, s storage.Store) {
		m, many := NewModel(), manyWholes(600)
		load(t, m, many)
		loadInBulk(t, s, many, 150)
		equal(t, dump(t, s, 400), dump(t, m, 400))
		for _, l := range ListQueries() {
			q := l.Query(LicenseIndex(7))
			equal(t, sorted(walk(t, s, q, func() {})), sorted(walk(t, m, q, func() {})))
		}
		for _, prefix := range []string{"order-1000", "a", "lic_"} {
			q := storage.SearchQuery{Kind: storage.License, Prefix: prefix, First: 2 * len(many)}
			got, err := s.Search(t.Context(), q)
			must(t, err)
			want, err := m.Search(t.Context(), q)
			must(t, err)
			equal(t, sorted(strings.Fields(ids(got))), sorted(strings.Fields(ids(want))))
		}
	}},
	{"LoadsNothing", func(t testing.TB, s storage.Store) {
		loadInBulk(t, s, nil, 1)
		equal(t, dump(t, s, 9), []storage.Whole{})
		commit(t, s, worded("lic_a", "ada"))
		searched(t, s, "ad", "lic_a")
	}},
	{"RefusesAnIDThatIsTaken", func(t testing.TB, s storage.Store) {
		must(t, offered[storage.Bulk](t, s).BeginLoad(t.Context()))
		load(t, s, []storage.Whole{wholeOf("lic_a")})
		refused(t, s.Load(t.Context(), []storage.Whole{wholeOf("lic_a")}), fault.Conflict)
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		bulk := offered[storage.Bulk](t, s)
		refused(t, bulk.BeginLoad(ended(t)), fault.Unavailable)
		must(t, bulk.BeginLoad(t.Context()))
		refused(t, bulk.EndLoad(ended(t)), fault.Unavailable)
	}},
	{"IsUnavailableOnceClosed", func(t testing.TB, s storage.Store) {
		bulk := offered[storage.Bulk](t, s)
		must(t, s.Close())
		refused(t, bulk.BeginLoad(t.Context()), fault.Unavailable)
		refused(t, bulk.EndLoad(t.Context()), fault.Unavailable)
	}},
}

// loadInBulk loads so many records a call, of which each is there from then on.
func loadInBulk(t testing.TB, s storage.Store, records []storage.Whole, each int) {
	t.Helper()
	bulk := offered[storage.Bulk](t, s)
	must(t, bulk.BeginLoad(t.Context()))
	for some := range slices.Chunk(records, each) {
		load(t, s, some)
		equal(t, get(t, s, some[0].ID), &some[0].Stored)
	}
	must(t, bulk.EndLoad(t.Context()))
	must(t, s.Ready(t.Context()))
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}
