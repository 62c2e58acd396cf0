package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// odd are entries at the bounds of what there may be, in the order of their
// ids.
func odd() []storage.Entry {
	long := storage.Entry{
		ID: "a" + strings.Repeat("x", storage.MaxID-1), Type: strings.Repeat("t.", storage.MaxName/2), Actor: strings.Repeat("ü", storage.MaxName/2),
		Product: strings.Repeat("p", storage.MaxID), Body: []byte(strings.Repeat("\x00\xff", storage.MaxEntry/2)),
	}
	for n := range storage.MaxSubjects {
		long.Subjects = append(long.Subjects, fmt.Sprintf("%0*d", storage.MaxID, n))
	}
	return []storage.Entry{
		long,
		{ID: "b", Type: "t", Body: []byte("{")},
		{ID: "c", Type: "license.*", Actor: "\x01\U0010ffff", Product: "\u00ff\x01'", Subjects: []string{"\x01", "%", "\u00ff"}, Body: []byte{0}},
		{ID: "d", Type: "license.created", Product: "prd_1", Body: []byte(`{"b": 1, "a": 2}`)},
	}
}

var pendingClauses = []clause{
	{"GivesEveryEntryOnceACommitsInItsOrder", func(t testing.TB, s storage.Store) {
		for _, id := range []string{"lic_b", "lic_a"} {
			for version := range 3 {
				r := license(id)
				r.Version = int64(version)
				c := change(r)
				for i := range 2 {
					c.Entries = append(c.Entries, entry(fmt.Sprintf("%s %d %d", id, version, 1-i)))
				}
				commit(t, s, c)
			}
		}
		entries := pending(t, s, 99)
		equal(t, len(entries), 12)
		for _, id := range []string{"lic_b", "lic_a"} {
			var got, want []storage.Entry
			for _, e := range entries {
				if e.ID[:5] == id {
					got = append(got, e)
				}
			}
			for version := range 3 {
				want = append(want, entry(fmt.Sprintf("%s %d 1", id, version)), entry(fmt.Sprintf("%s %d 0", id, version)))
			}
			equal(t, got, want)
		}
	}},
	{"GivesAtMostSoMany", func(t testing.TB, s storage.Store) {
		c := change(license("lic_a"))
		for i := range 5 {
			c.Entries = append(c.Entries, entry(fmt.Sprintf("evt_%d", i)))
		}
		commit(t, s, c)
		for limit, want := range map[int]int{0: 0, 1: 1, 4: 4, 5: 5, 6: 5} {
			equal(t, len(pending(t, s, limit)), want)
		}
	}},
	{"KeepsAllThatAnEntryHas", func(t testing.TB, s storage.Store) {
		var want []storage.Pending
		for n, e := range odd() {
			c := change(license(fmt.Sprint("lic_", n)))
			c.Entries = []storage.Entry{e}
			commit(t, s, c)
			want = append(want, storage.Pending{Record: c.Record.ID, Entry: e})
		}
		got, err := s.Pending(t.Context(), 99)
		must(t, err)
		slices.SortFunc(got, func(a, b storage.Pending) int { return strings.Compare(a.Record, b.Record) })
		verbatim(t, got, want)
	}},
	{"KeepsNoHandOnWhatItWasGivenOrGave", func(t testing.TB, s storage.Store) {
		c := change(license("lic_a"))
		c.Entries = []storage.Entry{entry("evt_a")}
		commit(t, s, c)
		c.Entries[0].Body[0], c.Entries[0].Subjects[0] = 'X', "X"
		given := pending(t, s, 9)
		given[0].Body[0], given[0].Subjects[0] = 'X', "X"
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_a")})
	}},
	{"GivesThousandsAtOnce", func(t testing.TB, s storage.Store) {
		want := map[string][]string{}
		for n := range 50 {
			c := change(license(fmt.Sprint("lic_", n)))
			for i := range 100 {
				c.Entries = append(c.Entries, entry(fmt.Sprintf("%d %d", n, i)))
				want[c.Record.ID] = append(want[c.Record.ID], c.Entries[i].ID)
			}
			must(t, s.Commit(t.Context(), c))
		}
		got := map[string][]string{}
		for range 5 {
			some, err := s.Pending(t.Context(), 1000)
			must(t, err)
			equal(t, len(some), 1000)
			for _, p := range some {
				got[p.Record] = append(got[p.Record], p.ID)
			}
			must(t, s.Settle(t.Context(), some))
		}
		equal(t, got, want)
		equal(t, pending(t, s, 1), []storage.Entry{})
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.Pending(ended(t), 1)
		refused(t, err, fault.Unavailable)
	}},
	{"IsEmptyAtFirst", func(t testing.TB, s storage.Store) {
		equal(t, pending(t, s, 9), []storage.Entry{})
	}},
}

var settleClauses = []clause{
	{"LeavesTheOthers", func(t testing.TB, s storage.Store) {
		for n := range 2 {
			r := license("lic_a")
			r.Version = int64(n)
			c := change(r)
			for i := range 3 {
				c.Entries = append(c.Entries, entry(fmt.Sprintf("%d%d", n, i)))
			}
			commit(t, s, c)
		}
		must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "11"), waiting("lic_a", "02")}))
		equal(t, pending(t, s, 9), []storage.Entry{entry("00"), entry("01"), entry("10"), entry("12")})
	}},
	{"PassesOverWhatIsNotPending", func(t testing.TB, s storage.Store) {
		was := held(t, s)
		for range 2 {
			must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_x"), waiting("lic_x", "evt_y")}))
		}
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_a")})
		for range 2 {
			must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_x"), waiting("lic_a", "evt_a")}))
			equal(t, pending(t, s, 9), []storage.Entry{})
		}
		unchanged(t, s, was)
	}},
	{"OfNothingIsNothing", func(t testing.TB, s storage.Store) {
		held(t, s)
		must(t, s.Settle(t.Context(), nil))
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_a")})
	}},
	{"BetweenACommitsReadAndItsWriteIsNotUndone", func(t testing.TB, s storage.Store) {
		read := held(t, s)
		must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_a")}))
		c := change(read.Record)
		c.Entries = []storage.Entry{entry("evt_b")}
		equal(t, commit(t, s, c).Version, int64(2))
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_b")})
	}},
	{"LetsADeletedRecordBeSwept", func(t testing.TB, s storage.Store) {
		c := deleted("lic_a", 1)
		c.Entries = []storage.Entry{entry("evt_a"), entry("evt_b")}
		commit(t, s, c)
		must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_a")}))
		sweep(t, s, 6, 9, 0)
		must(t, s.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_b")}))
		sweep(t, s, 6, 9, 1)
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		held(t, s)
		refused(t, s.Settle(ended(t), []storage.Pending{waiting("lic_a", "evt_a")}), fault.Unavailable)
	}},
}

// held commits lic_a with one entry.
func held(t testing.TB, s storage.Store) *storage.Stored {
	t.Helper()
	c := change(license("lic_a"))
	c.Entries = []storage.Entry{entry("evt_a")}
	return commit(t, s, c)
}

func waiting(record, id string) storage.Pending {
	return storage.Pending{Record: record, Entry: entry(id)}
}
