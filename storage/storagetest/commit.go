package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var commitClauses = []clause{
	{"InsertsAtVersionOneWithEveryField", func(t testing.TB, s storage.Store) {
		r := full("lic_a", 0)
		c := change(r)
		c.Put = []storage.Seat{seat("act_b", second(9)), {ID: "act_a", Body: []byte(`{}`)}}
		got := commit(t, s, c)
		r.Version, r.Attempt = 1, c.Attempt
		equal(t, got, &storage.Stored{Record: r, Seats: []storage.Seat{c.Put[1], c.Put[0]}})
	}},
	{"KeepsWhatIsNone", func(t testing.TB, s storage.Store) {
		r := storage.Record{Kind: storage.Alias, ID: "als_a", Body: []byte(`{}`)}
		got := commit(t, s, change(r))
		r.Version, r.Attempt = 1, change(r).Attempt
		equal(t, got, &storage.Stored{Record: r})
	}},
	{"ReplacesAllOwnFields", func(t testing.TB, s storage.Store) {
		commit(t, s, change(full("lic_a", 0)))
		for version, r := range []storage.Record{full("lic_a", 1), license("lic_a"), full("lic_a", 2)} {
			r.Version = int64(version + 1)
			c := change(r)
			got := commit(t, s, c)
			r.Version, r.Attempt = r.Version+1, c.Attempt
			equal(t, got, &storage.Stored{Record: r})
		}
	}},
	{"ReplacesTheBodyAloneWhereTheIndexStays", func(t testing.TB, s storage.Store) {
		r := full("lic_a", 0)
		r.Version = commit(t, s, change(r)).Version
		r.Body, r.Revision, r.Done = []byte(`{"other":true}`), 77, nil
		got := commit(t, s, change(r))
		r.Version, r.Attempt = 2, change(r).Attempt
		equal(t, got, &storage.Stored{Record: r})
	}},
	{"RefusesAnIdOfTheSameKind", func(t testing.TB, s storage.Store) {
		was := commit(t, s, change(license("lic_a")))
		c := change(full("lic_a", 0))
		c.Entries = []storage.Entry{entry("evt_a")}
		refused(t, s.Commit(t.Context(), c), fault.Conflict)
		unchanged(t, s, was)
		equal(t, pending(t, s, 9), []storage.Entry{})
	}},
	{"RefusesAnIdOfAnotherKind", func(t testing.TB, s storage.Store) {
		was := commit(t, s, change(license("x")))
		r := license("x")
		r.Kind = storage.Alias
		refused(t, s.Commit(t.Context(), change(r)), fault.Conflict)
		r.Version = was.Version
		refused(t, s.Commit(t.Context(), change(r)), fault.Conflict)
		unchanged(t, s, was)
	}},
	{"RefusesAnotherVersionThanStored", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		commit(t, s, change(r))
		r.Version = 1
		was := commit(t, s, change(r))
		for _, version := range []int64{1, 3, 99} {
			r.Version = version
			c := change(r)
			c.Put, c.Entries = []storage.Seat{seat("act_a", second(1))}, []storage.Entry{entry("evt_a")}
			refused(t, s.Commit(t.Context(), c), fault.Conflict)
		}
		unchanged(t, s, was)
		equal(t, pending(t, s, 9), []storage.Entry{})
	}},
	{"RefusesAVersionOfWhatIsNotThere", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		r.Version = 1
		refused(t, s.Commit(t.Context(), change(r)), fault.Conflict)
		found, err := s.Get(t.Context(), "lic_a")
		must(t, err)
		equal(t, found, []*storage.Stored{nil})
	}},
	{"RefusesAChangeThatIsNotWellFormed", func(t testing.TB, s storage.Store) {
		was := commit(t, s, change(full("lic_a", 0)))
		for name, spoil := range map[string]func(c *storage.Change){
			"no attempt":         func(c *storage.Change) { c.Attempt = "" },
			"no body":            func(c *storage.Change) { c.Record.Body = nil },
			"no kind":            func(c *storage.Change) { c.Record.Kind = "" },
			"half a character":   func(c *storage.Change) { c.Record.Index.State = "\xc3" },
			"words out of order": func(c *storage.Change) { c.Record.Index.Words = []string{"b", "a"} },
			"a seat twice":       func(c *storage.Change) { c.Put = append(c.Put, c.Put[0]) },
			"a seat put and removed": func(c *storage.Change) {
				c.Remove = []storage.Removal{{ID: c.Put[0].ID}}
			},
			"an empty entry": func(c *storage.Change) { c.Entries[0].Body = nil },
		} {
			for _, r := range []storage.Record{license("lic_new"), was.Record} {
				c := change(r)
				c.Put, c.Entries = []storage.Seat{seat("act_a", second(9))}, []storage.Entry{entry("evt_a")}
				spoil(&c)
				if err := s.Commit(t.Context(), c); !fault.Is(err, fault.InvalidInput) {
					t.Errorf("%s: got %v", name, err)
				}
			}
		}
		unchanged(t, s, was)
		equal(t, pending(t, s, 9), []storage.Entry{})
		found, err := s.Get(t.Context(), "lic_new")
		must(t, err)
		equal(t, found, []*storage.Stored{nil})
	}},
	{"CountsVersionsFromOne", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		for version := range int64(9) {
			r.Version, r.Revision = version, 40-version
			got := commit(t, s, change(r))
			equal(t, []int64{got.Version, got.Revision}, []int64{version + 1, 40 - version})
		}
	}},
	{"KeepsTheOrderOfManyOperations", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		for n := range 256 {
			r.Done = append(r.Done, storage.Operation{Name: fmt.Sprint("op ", n*7%256), Key: "k", Actor: "a", Digest: "d", At: second(-n)})
		}
		equal(t, commit(t, s, change(r)).Done, r.Done)
	}},
	{"LeavesTotalsAndPendingEntriesAlone", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		c := change(r)
		c.Entries = []storage.Entry{entry("evt_a")}
		commit(t, s, c)
		must(t, s.AddUsage(t.Context(), []storage.UsageDelta{
			{Record: "lic_a", Day: "2026-11-21", Valid: 3, Last: second(5)},
		}))
		r.Version = 1
		got := commit(t, s, change(r))
		equal(t, got.Total, storage.UsageTotal{Count: 3, Last: second(5)})
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_a")})
	}},
	{"TakesTheLongestIdsAndALargeBody", func(t testing.TB, s storage.Store) {
		r := license(strings.Repeat("x", storage.MaxID))
		r.Body = []byte(`{"text":"` + strings.Repeat("ü", 16<<10) + `"}`)
		c := change(r)
		c.Put = []storage.Seat{seat(strings.Repeat("s", storage.MaxID), time.Time{})}
		big := entry("evt_a")
		big.Body = []byte(strings.Repeat("\x00\xff", storage.MaxEntry/2))
		c.Entries = []storage.Entry{big}
		got := commit(t, s, c)
		r.Version, r.Attempt = 1, c.Attempt
		equal(t, got, &storage.Stored{Record: r, Seats: c.Put})
		if entries := pending(t, s, 9); len(entries) != 1 || string(entries[0].Body) != string(c.Entries[0].Body) {
			t.Fatal("the entry was changed")
		}
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		err := s.Commit(ended(t), change(license("lic_a")))
		refused(t, err, fault.Unavailable)
		if !errors.Is(err, ended(t).Err()) {
			t.Fatalf("%v does not tell the context's end", err)
		}
	}},
}

// full is a license with every field set; n varies them.
func full(id string, n int) storage.Record {
	suffix := string(rune('a' + n))
	return storage.Record{
		Kind: storage.License, ID: id, Revision: int64(n) + 4,
		Index: storage.Index{
			Product: "prd_" + suffix, Plan: "pln_" + suffix, State: "state " + suffix,
			ExternalID: "Order-" + suffix, CustomerEmail: suffix + "@example.com", CustomerExternalID: "c" + suffix,
			Created: second(n).Add(time.Millisecond), Starts: second(n + 1), Ends: second(n + 2), Due: second(n + 3),
			Words: slices.Sorted(slices.Values([]string{suffix + "@example.com", "c" + suffix, id, "order-" + suffix, "wort " + suffix})),
		},
		Done: []storage.Operation{
			{Name: "renewLicense", Key: "k" + suffix, Actor: "USER i|s", Digest: "d", At: second(n)},
			{Name: "suspendLicense", Key: "l", Actor: "SYSTEM x", Digest: "e", At: second(n + 1)},
		},
		Body: []byte(`{"n":"` + suffix + `","deep":{"list":["a",{"b":null}]},"text":"ü\\"}`),
	}
}
