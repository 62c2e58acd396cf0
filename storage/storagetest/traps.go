package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// traps are texts that an engine may take for something else, or two for one:
// by case, accents, spaces or a bound of their length; for an operator, a path,
// a pattern, a quote, or another type. They are at most as long as an id.
func traps() []string {
	long := strings.Repeat("p", storage.MaxID-1)
	return []string{
		"a", "A", "ä", "a\u0308", "Ä", "ß", "ss", "SS", "ı", "i", "İ", "I", "ﬁ", "fi", "\u212a", "K", "k",
		"$", "$set", "$a.b", ".", "..", "a.b", ".a", "a.", "_id", "id", "__proto__", "~", "~1", "%2e", "\uff04", "\uff0e",
		"%", "_", "a%", "a_", "*", "a*", "?", ".*", "^a", "(?i)a", `\`, `\\`, `\'`, "'", "''", `"`, "`", "';--", "{}", "[]", "a,b", "a|b", "/",
		" ", "  ", " a", "a ", "a  ", "\u00a0a", "\u200ba", "\ufeff", "\u2028", "\t", "\n", "\r\n", "\x01", "\x7f", "\u0085",
		"null", "NULL", "true", "0", "-0", "00", "1e400", "9223372036854775808", "2026-11-21T12:00:00Z",
		"\U0001f600", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "deleted", long + "a", long + "b", long,
	}
}

// noTexts are what no engine has to hold: it is nowhere to be found.
var noTexts = []string{"\x00", "a\x00", "\x00a", "\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"}

var trapClauses = []clause{
	{"AreIdsOfRecords", func(t testing.TB, s storage.Store) {
		var want []*storage.Stored
		for _, text := range traps() {
			want = append(want, commit(t, s, change(license(text))))
		}
		got, err := s.Get(t.Context(), traps()...)
		must(t, err)
		equal(t, got, want)
		for i, text := range traps() {
			refused(t, s.Commit(t.Context(), change(license(text))), fault.Conflict)
			equal(t, got[i].ID, text)
		}
	}},
	{"AreIdsOfSeats", func(t testing.TB, s storage.Store) {
		c := change(license("lic_a"))
		for _, text := range traps() {
			c.Put = append(c.Put, seat(text, second(9)))
		}
		r := commit(t, s, c)
		inOrder := slices.Sorted(slices.Values(traps()))
		for i, text := range inOrder { // by bytes, so that U+FFFF comes before U+10000
			equal(t, r.Seats[i].ID, text)
			touched(t, s, second(20+i), storage.Lease{Record: "lic_a", Seat: text, At: second(1), Until: second(20 + i)})
		}
		for i, text := range inOrder {
			c := change(r.Record)
			c.Remove = []storage.Removal{{ID: text, IfLease: pointer(second(20 + i))}}
			c.Put = []storage.Seat{seat(inOrder[len(inOrder)-1], second(999))}
			if i == len(inOrder)-1 {
				break
			}
			r = commit(t, s, c)
			equal(t, len(r.Seats), len(inOrder)-1-i)
			equal(t, r.Seats[0].ID, inOrder[i+1])
		}
	}},
	{"AreFieldsThatAListFinds", func(t testing.TB, s storage.Store) {
		for n, text := range traps() {
			commit(t, s, change(trapped(n, text)))
		}
		for n, text := range traps() {
			for _, f := range []storage.Filter{
				{Products: []string{text}}, {Plan: text}, {State: text}, {ExternalID: text}, {CustomerEmail: text}, {CustomerExternalID: text},
				{Products: []string{text, "\x00"}, Plan: text, State: text, ExternalID: text, CustomerEmail: text, CustomerExternalID: text},
			} {
				page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, Filter: f, First: 9})
				must(t, err)
				if got := ids(page.Records); got != fmt.Sprint("lic_", n) {
					t.Fatalf("%+q finds %q, want lic_%d", f, got, n)
				}
			}
			r := trapped(n, text)
			r.Version, r.Attempt = 1, change(r).Attempt
			equal(t, get(t, s, r.ID).Record, r)
		}
	}},
	{"AreLongTextsOfOneBeginning", func(t testing.TB, s storage.Store) {
		long := strings.Repeat("läng ", 200)
		for n, text := range []string{long, long + "a", long + "A", long + "ä"} {
			commit(t, s, change(trapped(n, text)))
		}
		for n, text := range []string{long, long + "a", long + "A", long + "ä"} {
			listed(t, s, storage.CreatedOldest, storage.Filter{ExternalID: text}, fmt.Sprint("lic_", n))
			listed(t, s, storage.EndsSoonest, storage.Filter{Plan: text}, fmt.Sprint("lic_", n))
			listed(t, s, storage.CreatedNewest, storage.Filter{CustomerEmail: text, CustomerExternalID: text}, fmt.Sprint("lic_", n))
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{ExternalID: long[:len(long)-1]}, "")
	}},
	{"AreKinds", func(t testing.TB, s storage.Store) {
		for n, text := range traps() {
			c := worded(fmt.Sprint("x", n), "word")
			c.Record.Kind = storage.Kind(text)
			commit(t, s, c)
		}
		for n, text := range traps() {
			page, err := s.List(t.Context(), storage.Query{Kind: storage.Kind(text), Order: storage.CreatedNewest, First: 9})
			must(t, err)
			equal(t, ids(page.Records), fmt.Sprint("x", n))
			found, err := s.Search(t.Context(), storage.SearchQuery{Kind: storage.Kind(text), Prefix: "w", First: 9})
			must(t, err)
			equal(t, ids(found), fmt.Sprint("x", n))
		}
	}},
	{"AreWordsThatASearchFinds", func(t testing.TB, s storage.Store) {
		m := NewModel()
		words := slices.DeleteFunc(traps(), func(word string) bool { return strings.ContainsFunc(word, unicode.IsControl) })
		for n, word := range words {
			commit(t, s, worded(fmt.Sprint("lic_", n), word))
			commit(t, m, worded(fmt.Sprint("lic_", n), word))
		}
		for _, prefix := range traps() {
			q := storage.SearchQuery{Kind: storage.License, Prefix: prefix, First: 999}
			want, err := m.Search(t.Context(), q)
			must(t, err)
			got, err := s.Search(t.Context(), q)
			must(t, err)
			if ids(got) != ids(want) {
				t.Fatalf("%q finds %s, want %s", prefix, ids(got), ids(want))
			}
		}
	}},
	{"AreOperationsAndAttempts", func(t testing.TB, s storage.Store) {
		r := license("lic_a")
		for n, text := range traps() {
			r.Done = append(r.Done, storage.Operation{Name: text, Key: text, Actor: text, Digest: text, At: second(n)})
		}
		for _, text := range traps() {
			c := change(r)
			c.Attempt = text
			equal(t, commit(t, s, c).Attempt, text)
			equal(t, get(t, s, "lic_a").Done, r.Done)
			r.Version++
		}
	}},
	{"AreValuesOfADay", func(t testing.TB, s storage.Store) {
		commit(t, s, change(license("lic_a")))
		want := storage.UsageDay{Day: "2026-11-21"}
		for range 2 {
			var deltas []storage.UsageDelta
			for _, text := range append(traps(), "", "\x00", "\xff") {
				d := storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1, Values: storage.Values{
					storage.ByDomain: {text: 1}, storage.Dimension("$a.b"): {text: 2}}}
				want.Add(d)
				deltas = append(deltas, d)
			}
			add(t, s, deltas...)
		}
		equal(t, usage(t, s, "lic_a", "2026-11-21", "2026-11-21"), []storage.UsageDay{want})
	}},
	{"AreWhatEntriesAreFoundBy", func(t testing.TB, s storage.Store) {
		b, c := block(0, len(traps())), change(license("lic_a"))
		for i, text := range traps() {
			e := &b.Entries[i]
			e.ID, e.Type, e.Actor, e.Product, e.Subjects = text, text, text, text, []string{text}
			c.Entries = append(c.Entries, *e)
		}
		commit(t, s, c)
		verbatim(t, pending(t, s, 999), c.Entries)
		appended(t, s, b)
		logIs(t, s, b)
		for i, text := range traps() {
			want := fmt.Sprint(i)
			found(t, s, storage.EntryFilter{Actor: text}, want)
			found(t, s, storage.EntryFilter{Products: []string{text, "\x00"}}, want)
			found(t, s, storage.EntryFilter{Subjects: []string{text}}, want)
			found(t, s, storage.EntryFilter{Types: []string{text, "\xff"}, Actor: text}, want)
		}
		allFits(t, s)
		var settled []storage.Pending
		for _, e := range c.Entries[1:] {
			settled = append(settled, storage.Pending{Record: "lic_a", Entry: e})
		}
		must(t, s.Settle(t.Context(), settled))
		verbatim(t, pending(t, s, 999), c.Entries[:1])
	}},
	{"ThatAreNoTextAreNowhereToBeFound", nowhere},
}

// trapped is a license whose fields are all one text.
func trapped(n int, text string) storage.Record {
	r := license(fmt.Sprint("lic_", n))
	r.Index.Product, r.Index.Plan, r.Index.State = text, text, text
	r.Index.ExternalID, r.Index.CustomerEmail, r.Index.CustomerExternalID = text, text, text
	return r
}

// nowhere asks for what is no text wherever one can be named.
func nowhere(t testing.TB, s storage.Store) {
	c := change(full("a", 0))
	c.Put, c.Entries = []storage.Seat{seat("a", second(9))}, []storage.Entry{entry("a")}
	was := commit(t, s, c)
	appended(t, s, block(0, 2))
	for _, text := range noTexts {
		found, err := s.Get(t.Context(), text, "a")
		must(t, err)
		equal(t, found, []*storage.Stored{nil, was})
		for _, f := range []storage.Filter{
			{Products: []string{text}}, {Plan: text}, {State: text}, {ExternalID: text}, {CustomerEmail: text}, {CustomerExternalID: text},
		} {
			for _, order := range orders {
				listed(t, s, order, f, "")
			}
		}
		listed(t, s, storage.CreatedNewest, storage.Filter{Products: []string{text, was.Index.Product}}, "a")
		page, err := s.List(t.Context(), storage.Query{Kind: storage.Kind(text), Order: storage.CreatedNewest, First: 1})
		must(t, err)
		equal(t, page, storage.Page{})
		_, err = s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1, After: storage.Place(text)})
		refused(t, err, fault.InvalidInput)
		searched(t, s, text, "")
		searchedOf(t, s, "wort", "", text)
		searchedOf(t, s, "wort", "a", text, was.Index.Product)
		matched, err := s.Search(t.Context(), storage.SearchQuery{Kind: storage.Kind(text), Prefix: "wort", First: 1})
		must(t, err)
		equal(t, matched, []*storage.Stored{})

		ends, err := s.Touch(t.Context(), []storage.Lease{
			{Record: text, Seat: "a", At: second(1), Until: second(20)}, {Record: "a", Seat: text, At: second(1), Until: second(20)},
		})
		must(t, err)
		equal(t, ends, make([]time.Time, 2))
		add(t, s, storage.UsageDelta{Record: text, Product: text, Day: "2026-11-21", Valid: 1})
		equal(t, usage(t, s, text, "2026-11-21", "2026-11-21"), []storage.UsageDay{})
		equal(t, usage(t, s, "a", storage.Day(text), storage.Day(text)), []storage.UsageDay{})
		must(t, s.Settle(t.Context(), []storage.Pending{waiting(text, "b"), waiting("a", text)}))
		for _, f := range []storage.EntryFilter{{Types: []string{text}}, {Types: []string{text + ".*"}}, {Products: []string{text}}, {Subjects: []string{text}}, {Actor: text}} {
			verbatim(t, entries(t, s, storage.EntryQuery{Filter: f, First: 9}), storage.EntryPage{})
		}
	}
	unchanged(t, s, was)
	equal(t, pending(t, s, 9), c.Entries)
}
