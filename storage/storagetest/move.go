package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var moveClauses = []clause{
	{"DumpsRecordsOfAllKindsInTheByteOrderOfTheirIDs", func(t testing.TB, s storage.Store) {
		ids := []string{"Z", "a", "a ", "a.b", "a$", "ab", "B", "é", "z", "\U0001F511", "lic_1", "lic_10", "lic_2", "K", "k"}
		for i, id := range ids {
			r := license(id)
			r.Kind = []storage.Kind{storage.License, storage.Plan, storage.Cursor, storage.Denial}[i%4]
			commit(t, s, change(r))
		}
		slices.Sort(ids)
		for _, limit := range []int{1, 4, 99} {
			var got []string
			for _, r := range dump(t, s, limit) {
				got = append(got, r.ID)
			}
			equal(t, got, ids)
		}
		behind, err := s.Dump(t.Context(), "a%", 2) // an id that there is not
		must(t, err)
		equal(t, []string{behind[0].ID, behind[1].ID}, []string{"a.b", "ab"})
	}},
	{"DumpsNothingOfAnEmptyStore", func(t testing.TB, s storage.Store) {
		equal(t, dump(t, s, 9), []storage.Whole{})
	}},
	{"DumpsRecordsWithAllThatIsBesideThem", func(t testing.TB, s storage.Store) {
		m := NewModel()
		fillBoth(t, s, m)
		equal(t, dump(t, s, 99), dump(t, m, 99))
	}},
	{"DumpsLargeRecordsOneAtLeast", func(t testing.TB, s storage.Store) {
		const count = 12
		for i := range count {
			r, size := license(fmt.Sprintf("lic_%02d", i)), 1<<20
			if i%5 == 0 {
				size = 5 << 20
			}
			r.Body = []byte(`{"a":"` + strings.Repeat("x", size) + `"}`)
			must(t, s.Commit(t.Context(), change(r)))
		}
		equal(t, len(dump(t, s, 1000)), count)
	}},
	{"LoadsWhatWasDumped", func(t testing.TB, s storage.Store) {
		m := NewModel()
		fillBoth(t, m)
		want := dump(t, m, 99)
		load(t, s, want)
		equal(t, dump(t, s, 99), want)
		for _, w := range want {
			equal(t, get(t, s, w.ID), &w.Stored)
			equal(t, usage(t, s, w.ID, "0001-01-01", "9999-12-31"), w.Days)
		}
		equal(t, pending(t, s, 99), pending(t, m, 99))
	}},
	{"LoadsWhatIsListedSearchedAndChangedLikeTheRest", func(t testing.TB, s storage.Store) {
		m := NewModel()
		fillBoth(t, m)
		load(t, s, dump(t, m, 99))
		likeTheRest(t, s)
	}},
	{"LoadsManyAtOnce", func(t testing.TB, s storage.Store) {
		many := manyWholes(1_500)
		load(t, s, many)
		slices.SortFunc(many, func(a, b storage.Whole) int { return strings.Compare(a.ID, b.ID) })
		equal(t, dump(t, s, 400), many)
	}},
	{"RefusesToLoadAnIDThatIsTaken", func(t testing.TB, s storage.Store) {
		was := commit(t, s, change(license("lic_a")))
		other := wholeOf("lic_a")
		other.Kind, other.Revision = storage.Plan, 9
		refused(t, s.Load(t.Context(), []storage.Whole{other}), fault.Conflict)
		unchanged(t, s, was)
		refused(t, s.Load(t.Context(), []storage.Whole{wholeOf("lic_b"), wholeOf("lic_b")}), fault.Conflict)
	}},
	{"RefusesToLoadWhatIsNotWellFormed", func(t testing.TB, s storage.Store) {
		for name, spoil := range map[string]func(*storage.Whole){
			"never committed":    func(w *storage.Whole) { w.Version = 0 },
			"no attempt":         func(w *storage.Whole) { w.Attempt = "" },
			"no body":            func(w *storage.Whole) { w.Body = nil },
			"a seat twice":       func(w *storage.Whole) { w.Seats = []storage.Seat{seat("a", second(1)), seat("a", second(1))} },
			"an empty entry":     func(w *storage.Whole) { w.Pending = []storage.Entry{{ID: "evt_a", Type: "t"}} },
			"a day twice":        func(w *storage.Whole) { w.Days = []storage.UsageDay{{Day: "2026-11-21"}, {Day: "2026-11-21"}} },
			"a day that is none": func(w *storage.Whole) { w.Days = []storage.UsageDay{{Day: "2026-11-31"}} },
			"counts of no text": func(w *storage.Whole) {
				w.Days = []storage.UsageDay{{Day: "2026-11-21", Values: storage.Values{storage.ByCode: {"\x00": 1}}}}
			},
			"words out of order ": func(w *storage.Whole) { w.Index.Words = []string{"b", "a"} },
		} {
			w := wholeOf("lic_a")
			spoil(&w)
			if err := s.Load(t.Context(), []storage.Whole{w}); !fault.Is(err, fault.InvalidInput) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		equal(t, dump(t, s, 9), []storage.Whole{})
	}},
	{"IsUnavailableToACallerWhoseContextEndedAndLoadsNothing", func(t testing.TB, s storage.Store) {
		refused(t, s.Load(ended(t), []storage.Whole{wholeOf("lic_a")}), fault.Unavailable)
		_, err := s.Dump(ended(t), "", 9)
		refused(t, err, fault.Unavailable)
		equal(t, dump(t, s, 9), []storage.Whole{})
	}},
	{"IsUnavailableOnceClosed", func(t testing.TB, s storage.Store) {
		must(t, s.Close())
		refused(t, s.Load(t.Context(), []storage.Whole{wholeOf("lic_a")}), fault.Unavailable)
		_, err := s.Dump(t.Context(), "", 9)
		refused(t, err, fault.Unavailable)
	}},
}

// fillBoth gives each store the same records, which leave no part of a Whole
// empty.
func fillBoth(t testing.TB, stores ...storage.Store) {
	t.Helper()
	for _, s := range stores {
		product := license("prd_1")
		product.Kind, product.Index = storage.Product, storage.Index{Created: second(0)}
		commit(t, s, change(product))
		commit(t, s, change(license("lic_b")))
		c := change(license("lic_a"))
		c.Record.Index = storage.Index{
			Product: "prd_1", Plan: "pln_1", State: "suspended", ExternalID: "É", CustomerEmail: "a@example.com",
			CustomerExternalID: "x", Created: second(1), Starts: second(2), Ends: second(3), Due: second(4),
			Words: []string{"lic_a", "word"},
		}
		c.Record.Done = []storage.Operation{{Name: "renew", Key: "k", Actor: "a", Digest: "d", At: second(5)}}
		c.Put = []storage.Seat{seat("act_b", second(60)), {ID: "act_a", Body: []byte("{}")}}
		c.Entries = []storage.Entry{entry("evt_2"), entry("evt_1")}
		c.Entries[1].Body = []byte{0, 0xff, '"', '\n'}
		again := change(commit(t, s, c).Record)
		again.Record.Revision = 7
		again.Entries = []storage.Entry{entry("evt_0")}
		commit(t, s, again)
		add(t, s,
			storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-21", Valid: 2, Invalid: 1, Last: second(6),
				Values: storage.Values{storage.ByCode: {"VALID": 2, "a.b$c": 1}, storage.ByCountry: {"DE": 3}}},
			storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-20", Valid: 1})
	}
}

// likeTheRest fails unless what fillBoth made is found and changed like what
// was committed.
func likeTheRest(t testing.TB, s storage.Store) {
	t.Helper()
	listed(t, s, storage.EndsSoonest, storage.Filter{}, "lic_a lic_b")
	listed(t, s, storage.CreatedNewest, storage.Filter{ExternalID: "É", State: "suspended"}, "lic_a")
	searched(t, s, "wor", "lic_a")

	was := get(t, s, "lic_a")
	refused(t, s.Commit(t.Context(), storage.Change{Record: license("lic_a"), Attempt: "again"}), fault.Conflict)
	now := commit(t, s, change(was.Record))
	equal(t, now.Version, was.Version+1)
	equal(t, now.Seats, was.Seats)
	equal(t, now.Total, was.Total)
	add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1})
	equal(t, get(t, s, "lic_a").Total.Count, was.Total.Count+1)
	waits, err := s.Pending(t.Context(), 99)
	must(t, err)
	must(t, s.Settle(t.Context(), waits))
	equal(t, pending(t, s, 99), []storage.Entry{})
}

// manyWholes are so many of the licenses that Fill makes, as they were dumped.
func manyWholes(count int) (many []storage.Whole) {
	for n := range count {
		c := LicenseChange(n)
		r := c.Record
		r.Version, r.Attempt = int64(1+n%3), c.Attempt
		many = append(many, storage.Whole{Stored: storage.Stored{Record: r}, Pending: c.Entries})
	}
	return many
}

// wholeOf is a license that was committed once.
func wholeOf(id string) storage.Whole {
	r := license(id)
	r.Version, r.Attempt = 1, "attempt"
	return storage.Whole{Stored: storage.Stored{Record: r}}
}

// dump gives all that a store holds, so many at once.
func dump(t testing.TB, s storage.Store, limit int) (all []storage.Whole) {
	t.Helper()
	all, err := dumpAll(t.Context(), s, limit)
	must(t, err)
	return all
}

func dumpAll(ctx context.Context, s storage.Store, limit int) (all []storage.Whole, err error) {
	after := ""
	for {
		some, err := s.Dump(ctx, after, limit)
		if err != nil || len(some) == 0 {
			return all, err
		}
		if len(some) > limit || some[0].ID <= after {
			return nil, fmt.Errorf("behind %q there are %d records, the first of them %q", after, len(some), some[0].ID)
		}
		all, after = append(all, some...), some[len(some)-1].ID
	}
}

func load(t testing.TB, s storage.Store, records []storage.Whole) {
	t.Helper()
	must(t, s.Load(t.Context(), records))
}

// dump compares all that the machine's stores hold.
func (m *machine) dump(r *rapid.T) {
	limit := rapid.IntRange(1, 9).Draw(r, "limit")
	want, _ := dumpAll(m.t.Context(), m.model, limit)
	got, err := dumpAll(m.t.Context(), m.store(r), limit)
	m.same(r, got, want, err)
}

// load inserts records, some of whose ids may be taken. Which others are
// inserted then is the store's own, so it is one at a time.
func (m *machine) load(r *rapid.T) {
	record := drawRecord(r)
	record.Version, record.Attempt = record.Version+1, "loaded"
	w := storage.Whole{Stored: storage.Stored{Record: record, Total: storage.UsageTotal{Count: 7, Last: drawTime(r, "last")}}}
	for _, id := range slices.Sorted(slices.Values(machineSeats)) {
		if rapid.Bool().Draw(r, "seat "+id) {
			w.Seats = append(w.Seats, storage.Seat{ID: id, Lease: drawTime(r, "lease"), Body: []byte(`{}`)})
		}
	}
	for _, day := range machineDays {
		if rapid.Bool().Draw(r, "day") {
			w.Days = append(w.Days, storage.UsageDay{Day: day, Valid: 2, Values: storage.Values{storage.ByCode: {"a.b": 1}}})
		}
	}
	m.made++
	if rapid.Bool().Draw(r, "entry") {
		w.Pending = append(w.Pending, drawEntry(r, fmt.Sprint("loaded ", m.made)))
	}
	want, got := m.model.Load(m.t.Context(), []storage.Whole{w}), m.store(r).Load(m.t.Context(), []storage.Whole{w})
	if fault.CodeOf(want) != fault.CodeOf(got) {
		r.Fatalf("%+v: got %v, want %v", w, got, want)
	}
}
