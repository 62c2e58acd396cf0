package storagetest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var entriesClauses = []clause{
	{"OfAnEmptyLogAreAnEmptyPage", func(t testing.TB, s storage.Store) {
		for _, f := range someFilters() {
			verbatim(t, entries(t, s, storage.EntryQuery{Filter: f, First: 1}), storage.EntryPage{})
		}
	}},
	{"AreFoundFromTheMomentThatTheirBlockIsAppended", func(t testing.TB, s storage.Store) {
		for n := range 70 {
			b := block(int64(n), 1)
			appended(t, s, b)
			want := storage.EntryPage{Entries: []storage.Logged{{Index: int64(n), At: b.At, Entry: b.Entries[0]}}, More: n > 0}
			verbatim(t, entries(t, s, storage.EntryQuery{First: 1, Newest: true}), want)
			verbatim(t, entries(t, s, storage.EntryQuery{First: 1, Newest: true, Filter: storage.EntryFilter{Subjects: []string{"lic_1"}}}), want)
		}
	}},
	{"AreWhatTheirFilterLeavesInEitherOrder", func(t testing.TB, s storage.Store) {
		m := NewModel()
		for _, b := range variedLog(0, 16) {
			appended(t, s, b)
			appended(t, m, b)
		}
		matched := 0
		for i, f := range someFilters() {
			for _, newest := range []bool{false, true} {
				q := storage.EntryQuery{Filter: f, Newest: newest, First: 999}
				if i%5 == 0 { // which every part of a filter goes through
					q.First = 3
				}
				want := walkLog(t, m, q, func() {})
				verbatim(t, walkLog(t, s, q, func() {}), want)
				matched += len(want)
			}
		}
		if matched < 2500 {
			t.Fatalf("the filters leave %d entries", matched)
		}
	}},
	{"AreOnOnePageEachWhateverIsAppended", func(t testing.TB, s storage.Store) {
		for _, newest := range []bool{false, true} {
			for _, f := range []storage.EntryFilter{{}, {Types: []string{"license.*"}}, {Subjects: []string{"lic_1"}}, {Products: []string{"prd_a", "prd_b"}}} {
				next, m := int64(0), NewModel()
				if last := blocks(t, s, storage.LastBlock, 1); len(last) > 0 {
					next = last[0].Next()
					for _, b := range blocks(t, s, 0, math.MaxInt) {
						appended(t, m, b)
					}
				}
				grow := func() {
					for _, b := range variedLog(next, 2) {
						appended(t, s, b)
						appended(t, m, b)
						next = b.Next()
					}
				}
				grow()
				q := storage.EntryQuery{Filter: f, Newest: newest, First: 4}
				before := walkLog(t, m, q, func() {})
				turns := 0
				got := walkLog(t, s, q, func() {
					if turns++; turns < 7 {
						grow()
					}
				})
				if newest { // what comes behind the reader's back is not in his way
					verbatim(t, got, before)
				} else {
					verbatim(t, got, walkLog(t, m, q, func() {}))
				}
			}
		}
	}},
	{"AreOfATypeOrOfItsFamily", func(t testing.TB, s storage.Store) {
		logOf(t, s, func(e *storage.Entry, name string) { e.Type = name },
			"license", "license.", "license.created", "license.created.late", "licensed.created", "LICENSE.created", "*", "license.*", "license.creatEd", ".x", "license.%")
		for types, want := range map[string]string{
			"license.*": "1 2 3 7 8 10", "license": "0", "license.": "1", "license.created": "2", "license.created.*": "3", "license*": "",
			"*": "6", ".*": "9", "": "", "license.c*": "", "license.created license.*": "1 2 3 7 8 10", "license .*": "0 9", "license._": "", "license.%": "10",
		} {
			found(t, s, storage.EntryFilter{Types: strings.Split(types, " ")}, want)
		}
		found(t, s, storage.EntryFilter{Types: []string{}}, "0 1 2 3 4 5 6 7 8 9 10")
	}},
	{"AreOfOneOfTheProducts", func(t testing.TB, s storage.Store) {
		logOf(t, s, func(e *storage.Entry, name string) { e.Product = name }, "a", "b", "", "a", "A", "aa")
		found(t, s, storage.EntryFilter{}, "0 1 2 3 4 5")
		found(t, s, storage.EntryFilter{Products: []string{}}, "")
		found(t, s, storage.EntryFilter{Products: []string{""}}, "")
		found(t, s, storage.EntryFilter{Products: []string{"a"}}, "0 3")
		found(t, s, storage.EntryFilter{Products: []string{"b", "x", "a", "", "b"}}, "0 1 3")
		found(t, s, storage.EntryFilter{Products: []string{"a", "b"}, Types: []string{"license.*"}}, "0 1 3")
		found(t, s, storage.EntryFilter{Products: []string{"a"}, Types: []string{"plan.*"}}, "")
		found(t, s, storage.EntryFilter{Products: []string{}, Types: []string{"license.*"}}, "")
	}},
	{"ConcernAllOfTheSubjects", func(t testing.TB, s storage.Store) {
		logOf(t, s, func(e *storage.Entry, name string) { e.Subjects = strings.Fields(name) }, "a b", "a", "", "b", "a b c", "ab")
		found(t, s, storage.EntryFilter{Subjects: []string{"a"}}, "0 1 4")
		found(t, s, storage.EntryFilter{Subjects: []string{"b", "a"}}, "0 4")
		found(t, s, storage.EntryFilter{Subjects: []string{"a", "a"}}, "0 1 4")
		found(t, s, storage.EntryFilter{Subjects: []string{"c", "x"}}, "")
		found(t, s, storage.EntryFilter{Subjects: []string{""}}, "")
	}},
	{"AreBySomebody", func(t testing.TB, s storage.Store) {
		logOf(t, s, func(e *storage.Entry, name string) { e.Actor = name }, "USER a", "USER b", "", "USER a", "USER A")
		found(t, s, storage.EntryFilter{Actor: "USER a"}, "0 3")
		found(t, s, storage.EntryFilter{Actor: "USER"}, "")
	}},
	{"AreKeptApartByTheRoleOfAText", func(t testing.TB, s storage.Store) {
		logOf(t, s, func(e *storage.Entry, name string) {
			*e = storage.Entry{ID: e.ID, Type: "t", Body: e.Body}
			switch name {
			case "actor":
				e.Actor = "x"
			case "product":
				e.Product = "x"
			case "subject":
				e.Subjects = []string{"x"}
			case "type":
				e.Type = "x"
			}
		}, "actor", "product", "subject", "type")
		found(t, s, storage.EntryFilter{Actor: "x"}, "0")
		found(t, s, storage.EntryFilter{Products: []string{"x"}}, "1")
		found(t, s, storage.EntryFilter{Subjects: []string{"x"}}, "2")
		found(t, s, storage.EntryFilter{Types: []string{"x"}}, "3")
	}},
	{"AreOfBlocksMadeFromATimeOnAndBeforeAnother", func(t testing.TB, s storage.Store) {
		for n, at := range []int{1, 2, 2, 2, 5} {
			b := block(int64(2*n), 2)
			b.At = second(at)
			appended(t, s, b)
		}
		for _, narrow := range []storage.EntryFilter{{}, {Types: []string{"license.*"}}, {Actor: "USER a"}} {
			for span, want := range map[[2]int]string{
				{0, 9}: "0 1 2 3 4 5 6 7 8 9", {1, 2}: "0 1", {2, 3}: "2 3 4 5 6 7", {2, 2}: "", {3, 5}: "", {3, 6}: "8 9", {6, 9}: "", {0, 1}: "", {5, 2}: "",
			} {
				f := narrow
				f.From, f.To = second(span[0]), second(span[1])
				found(t, s, f, want)
			}
			f := narrow
			f.From = second(2).Add(1e6)
			found(t, s, f, "8 9")
			f.From = second(3)
			found(t, s, f, "8 9")
			f.From, f.To = f.To, second(5)
			found(t, s, f, "0 1 2 3 4 5 6 7")
		}
	}},
	{"LieBehindTheIndexInTheOrderAskedFor", func(t testing.TB, s storage.Store) {
		appended(t, s, block(0, 3))
		appended(t, s, block(3, 100))
		for _, f := range []storage.EntryFilter{{}, {Types: []string{"license.*"}}, {Subjects: []string{"lic_1"}}} {
			for _, after := range []int64{math.MinInt64, -1, 0, 2, 3, 33, 34, 35, 36, 101, 102, 103, math.MaxInt64} {
				up := entries(t, s, storage.EntryQuery{Filter: f, First: 999, After: &after})
				down := entries(t, s, storage.EntryQuery{Filter: f, First: 999, After: &after, Newest: true})
				behind, before := 102-max(min(after, 102), -1), min(max(after, 0), 103)
				if int64(len(up.Entries)) != behind || int64(len(down.Entries)) != before || up.More || down.More {
					t.Fatalf("behind %d of 103 lie %d one way and %d the other", after, len(up.Entries), len(down.Entries))
				}
			}
		}
	}},
	{"SayWhetherThereIsMore", func(t testing.TB, s storage.Store) {
		appended(t, s, block(0, 4))
		appended(t, s, block(4, 36))
		for first, more := range map[int]bool{1: true, 4: true, 5: true, 39: true, 40: false, 41: false, math.MaxInt: false} {
			for _, newest := range []bool{true, false} {
				page := entries(t, s, storage.EntryQuery{First: first, Newest: newest})
				equal(t, page.More, more)
				equal(t, len(page.Entries), min(first, 40))
			}
		}
	}},
	{"AreRefusedAPageOfNothing", func(t testing.TB, s storage.Store) {
		_, err := s.Entries(t.Context(), storage.EntryQuery{})
		refused(t, err, fault.InvalidInput)
		equal(t, fault.All(err)[0].Field, "first")
	}},
	{"AreUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.Entries(ended(t), storage.EntryQuery{First: 1})
		refused(t, err, fault.Unavailable)
	}},
}

// logOf appends an entry for each text, in two blocks.
func logOf(t testing.TB, s storage.Store, set func(e *storage.Entry, text string), texts ...string) {
	t.Helper()
	all := block(0, len(texts))
	for i, text := range texts {
		set(&all.Entries[i], text)
	}
	half := len(texts) / 2
	appended(t, s, storage.Block{First: 0, At: second(0), Head: []byte("h"), Entries: all.Entries[:half]})
	appended(t, s, storage.Block{First: int64(half), At: second(1), Head: []byte("h"), Entries: all.Entries[half:]})
}

func entries(t testing.TB, s storage.Store, q storage.EntryQuery) storage.EntryPage {
	t.Helper()
	page, err := s.Entries(t.Context(), q)
	must(t, err)
	return page
}

// found fails unless the filter leaves the entries of these indexes, in both
// orders, on one page and on pages of one.
func found(t testing.TB, s storage.Store, f storage.EntryFilter, want string) {
	t.Helper()
	for _, first := range []int{99, 1} {
		var up, down []string
		for _, e := range walkLog(t, s, storage.EntryQuery{Filter: f, First: first}, func() {}) {
			up = append(up, fmt.Sprint(e.Index))
		}
		for _, e := range walkLog(t, s, storage.EntryQuery{Filter: f, First: first, Newest: true}, func() {}) {
			down = append([]string{fmt.Sprint(e.Index)}, down...)
		}
		if strings.Join(up, " ") != want || strings.Join(down, " ") != want {
			t.Fatalf("%+v leaves %q and, the newest first, the reverse of %q, want %q", f, up, down, want)
		}
	}
}

// walkLog reads page after page; between is called between two pages.
func walkLog(t testing.TB, s storage.Store, q storage.EntryQuery, between func()) []storage.Logged {
	t.Helper()
	var all []storage.Logged
	for {
		page := entries(t, s, q)
		all = append(all, page.Entries...)
		if len(page.Entries) > q.First || page.More && len(page.Entries) < q.First {
			t.Fatalf("a page of %d has %d entries, more %v", q.First, len(page.Entries), page.More)
		}
		if !page.More {
			return all
		}
		q.After = &page.Entries[q.First-1].Index
		between()
	}
}
