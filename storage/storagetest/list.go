package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var orders = []storage.Order{storage.CreatedNewest, storage.CreatedOldest, storage.EndsSoonest, storage.DueSoonest}

var listClauses = []clause{
	{"SortsByCreation", func(t testing.TB, s storage.Store) {
		for _, n := range []int{2, 5, 1, 4, 3} {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Created = second(n)
			commit(t, s, change(r))
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{}, "lic_1 lic_2 lic_3 lic_4 lic_5")
		listed(t, s, storage.CreatedNewest, storage.Filter{}, "lic_5 lic_4 lic_3 lic_2 lic_1")
	}},
	{"SortsByEndWithWhatHasNoneLast", func(t testing.TB, s storage.Store) {
		for n, ends := range map[int]time.Time{1: second(1), 2: second(2), 3: second(3), 9: {}} {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Ends, r.Index.Created = ends, second(-n)
			commit(t, s, change(r))
		}
		listed(t, s, storage.EndsSoonest, storage.Filter{}, "lic_1 lic_2 lic_3 lic_9")
	}},
	{"TellsTimesOneMillisecondApart", func(t testing.TB, s storage.Store) {
		for _, n := range []int{2, 1, 3} {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Created = second(0).Add(time.Duration(n) * time.Millisecond)
			commit(t, s, change(r))
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{}, "lic_1 lic_2 lic_3")
		listed(t, s, storage.CreatedOldest,
			storage.Filter{CreatedAfter: second(0).Add(time.Millisecond)}, "lic_2 lic_3")
	}},
	{"GivesOneKindOnly", func(t testing.TB, s storage.Store) {
		for _, kind := range []storage.Kind{storage.Product, storage.Plan, storage.License, storage.Alias} {
			r := license("of " + string(kind))
			r.Kind, r.Index.Due = kind, second(1)
			commit(t, s, change(r))
		}
		for _, kind := range []storage.Kind{storage.Product, storage.Plan, storage.License, storage.Alias} {
			for _, order := range orders {
				page, err := s.List(t.Context(), storage.Query{Kind: kind, Order: order, First: 9})
				must(t, err)
				equal(t, ids(page.Records), "of "+string(kind))
			}
		}
	}},
	{"GivesRecordsWhole", func(t testing.TB, s storage.Store) {
		c := change(full("lic_a", 0))
		c.Put = []storage.Seat{seat("act_b", second(9)), seat("act_a", time.Time{})}
		commit(t, s, c)
		must(t, s.AddUsage(t.Context(), []storage.UsageDelta{
			{Record: "lic_a", Day: "2026-11-21", Valid: 3, Last: second(5)},
		}))
		page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 9})
		must(t, err)
		equal(t, page.Records, []*storage.Stored{get(t, s, "lic_a")})
	}},
	{"FiltersByText", func(t testing.TB, s storage.Store) {
		for n := range 3 {
			commit(t, s, change(full(fmt.Sprint("lic_", n), n)))
		}
		commit(t, s, change(storage.Record{Kind: storage.License, ID: "bare", Body: []byte(`{}`)}))
		for _, order := range orders {
			for _, f := range []storage.Filter{
				{Plan: "pln_b"}, {State: "state b"}, {ExternalID: "Order-b"}, {CustomerEmail: "b@example.com"},
				{CustomerExternalID: "cb"}, {Products: []string{"prd_b"}},
				{Products: []string{"prd_a", "prd_b"}, Plan: "pln_b", State: "state b", CustomerEmail: "b@example.com"},
			} {
				listed(t, s, order, f, "lic_1")
			}
			for _, f := range []storage.Filter{
				{Plan: "pln_x"}, {State: "state x"}, {ExternalID: "order-b"}, {CustomerEmail: "B@example.com"},
				{CustomerEmail: "b@example.com "}, {CustomerEmail: "%"}, {CustomerExternalID: "c"},
				{Products: []string{}}, {Products: []string{"prd_x"}}, {Products: []string{""}},
				{Plan: "pln_b", State: "state a"}, {Products: []string{"prd_a"}, Plan: "pln_b"},
				{CustomerEmail: "b@example.com", ExternalID: "Order-a"},
			} {
				listed(t, s, order, f, "")
			}
		}
	}},
	{"TakesAnyOfSeveralProducts", func(t testing.TB, s storage.Store) {
		for n := range 3 {
			r := full(fmt.Sprint("lic_", n), n)
			commit(t, s, change(r))
		}
		listed(t, s, storage.CreatedNewest, storage.Filter{Products: []string{"prd_c", "prd_x", "prd_a", "prd_c"}}, "lic_2 lic_0")
		listed(t, s, storage.EndsSoonest, storage.Filter{Products: []string{"prd_c", "prd_a"}}, "lic_0 lic_2")
	}},
	{"FiltersByTimesThatAreThere", func(t testing.TB, s storage.Store) {
		for n := range 5 {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Created, r.Index.Ends = second(n), second(n)
			commit(t, s, change(r))
		}
		commit(t, s, change(storage.Record{Kind: storage.License, ID: "bare", Body: []byte(`{}`)}))
		for _, f := range []storage.Filter{
			{CreatedAfter: second(0), CreatedBefore: second(4)},
			{EndsAfter: second(0), EndsBefore: second(4)},
		} {
			listed(t, s, storage.CreatedOldest, f, "lic_1 lic_2 lic_3")
			listed(t, s, storage.EndsSoonest, f, "lic_1 lic_2 lic_3")
		}
		listed(t, s, storage.EndsSoonest, storage.Filter{CreatedBefore: second(2)}, "lic_0 lic_1")
		listed(t, s, storage.EndsSoonest, storage.Filter{EndsAfter: second(3)}, "lic_4")
	}},
	{"FiltersByWhatIsOpenAtATime", func(t testing.TB, s storage.Store) {
		for id, span := range map[string][2]time.Time{
			"always": {}, "started": {second(5), {}}, "starts later": {second(6), {}},
			"ended": {{}, second(5)}, "ends later": {second(1), second(6)}, "is over": {second(1), second(2)},
		} {
			r := license(id)
			r.Index.Starts, r.Index.Ends = span[0], span[1]
			commit(t, s, change(r))
		}
		page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.EndsSoonest, First: 9,
			Filter: storage.Filter{OpenAt: second(5)}})
		must(t, err)
		open := strings.Split(ids(page.Records), " ")
		slices.Sort(open)
		equal(t, strings.Join(open, " "), "always ends later started")
	}},
	{"IsAnEmptyPageWhereNothingMatches", func(t testing.TB, s storage.Store) {
		for _, order := range orders {
			page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: order, First: 9})
			must(t, err)
			equal(t, page, storage.Page{})
		}
	}},
	{"SaysWhetherThereIsMore", func(t testing.TB, s storage.Store) {
		for n := range 4 {
			commit(t, s, change(license(fmt.Sprint("lic_", n))))
		}
		for first, more := range map[int]bool{1: true, 3: true, 4: false, 5: false} {
			page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: first})
			must(t, err)
			equal(t, page.More, more)
			equal(t, len(page.Records), min(first, 4))
			behind, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest,
				First: 9, After: page.End})
			must(t, err)
			equal(t, len(behind.Records), 4-min(first, 4))
			equal(t, behind.End == "", len(behind.Records) == 0)
		}
	}},
	{"RefusesAPlaceOfAnotherOrderOrMaking", func(t testing.TB, s storage.Store) {
		commit(t, s, change(full("lic_a", 0)))
		for _, from := range orders {
			page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: from, First: 1})
			must(t, err)
			for _, place := range []storage.Place{page.End, "x", "lic_a", page.End + "!", " " + page.End, "\x00", page.End[1:]} {
				for _, order := range orders {
					if place == page.End && order == from {
						continue
					}
					_, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: order, First: 1, After: place})
					refused(t, err, fault.InvalidInput)
					equal(t, fault.All(err)[0].Field, "after")
				}
			}
		}
	}},
	{"RefusesAnOrderThatThereIsNotAndAPageOfNothing", func(t testing.TB, s storage.Store) {
		_, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: "by-name", First: 1})
		refused(t, err, fault.InvalidInput)
		equal(t, fault.All(err)[0].Field, "orderBy")
		_, err = s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest})
		refused(t, err, fault.InvalidInput)
		equal(t, fault.All(err)[0].Field, "first")
	}},
	{"PagesThroughEqualTimesOnceEach", func(t testing.TB, s storage.Store) {
		for n := range 23 {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Created, r.Index.Ends, r.Index.Due = second(n/8), second(-n/8), second(n%3)
			r.Index.Product, r.Index.State = fmt.Sprint("prd_", n%3), []string{"issued", "revoked"}[n%2]
			commit(t, s, change(r))
		}
		for _, order := range orders {
			for first := 1; first < 24; first += 3 {
				all := walk(t, s, storage.Query{Kind: storage.License, Order: order, First: first}, func() {})
				slices.Sort(all)
				equal(t, len(slices.Compact(all)), 23)
				equal(t, len(all), 23)
			}
		}
	}},
	{"KeepsTheOrderOfEqualTimesForEver", func(t testing.TB, s storage.Store) {
		for n := range 12 {
			r := license(fmt.Sprint("lic_", n*7%12))
			r.Index.Due, r.Index.Ends = second(1), second(1)
			commit(t, s, change(r))
		}
		for _, order := range orders {
			q := storage.Query{Kind: storage.License, Order: order, First: 99}
			was := walk(t, s, q, func() {})
			equal(t, len(was), 12)
			for n, id := range was[:4] {
				r := get(t, s, id).Record
				r.Index.State, r.Index.Product = fmt.Sprint("state ", order, n), fmt.Sprint("prd_", n)
				commit(t, s, change(r))
				q.First = 1 + 3*n
				equal(t, walk(t, s, q, func() {}), was)
			}
		}
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.List(ended(t), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1})
		refused(t, err, fault.Unavailable)
	}},
	{"HasARecordThatStaysOnOnePageWhateverIsCommitted", func(t testing.TB, s storage.Store) {
		for n := range 20 {
			r := license(fmt.Sprint("stays ", n))
			r.Index.Created, r.Index.Ends, r.Index.Due = second(n), second(n), second(n)
			commit(t, s, change(r))
		}
		for _, order := range orders {
			made := 0
			all := walk(t, s, storage.Query{Kind: storage.License, Order: order, First: 6}, func() {
				for _, n := range []int{-1, 5, 10, 30} { // before, among and behind
					made++
					r := license(fmt.Sprint(order, made))
					r.Index.Created, r.Index.Ends, r.Index.Due = second(n), second(n), second(n)
					commit(t, s, change(r))
				}
				stays := get(t, s, "stays 12").Record
				stays.Index.State += "x"
				commit(t, s, change(stays))
			})
			for n := range 20 {
				id := fmt.Sprint("stays ", n)
				if count := len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s != id })); count != 1 {
					t.Fatalf("%s: %q is on the pages %d times", order, id, count)
				}
			}
		}
	}},
}

// walk reads page after page and gives the ids; between is called between two
// pages.
func walk(t testing.TB, s storage.Store, q storage.Query, between func()) []string {
	t.Helper()
	var all []string
	for {
		page, err := s.List(t.Context(), q)
		must(t, err)
		for _, r := range page.Records {
			all = append(all, r.ID)
		}
		if len(page.Records) > q.First || page.More && (len(page.Records) == 0 || page.End == "") {
			t.Fatalf("a page of %d has %d records, more %v, end %q", q.First, len(page.Records), page.More, page.End)
		}
		if !page.More {
			return all
		}
		q.After = page.End
		between()
	}
}

// listed fails unless the list has these ids in this order, on one page and
// on pages of one.
func listed(t testing.TB, s storage.Store, order storage.Order, f storage.Filter, want string) {
	t.Helper()
	for _, first := range []int{99, 1} {
		q := storage.Query{Kind: storage.License, Filter: f, Order: order, First: first}
		if got := strings.Join(walk(t, s, q, func() {}), " "); got != want {
			t.Fatalf("%s %+v gives %q, want %q", order, f, got, want)
		}
	}
}

func ids(records []*storage.Stored) string {
	var all []string
	for _, r := range records {
		all = append(all, r.ID)
	}
	return strings.Join(all, " ")
}
