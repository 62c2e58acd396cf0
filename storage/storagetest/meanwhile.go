package storagetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// meanwhileClauses hold while others change what is read.
var meanwhileClauses = []pairClause{
	{"AListHasWhatStaysOnceInEveryOrder", listedMeanwhile},
	{"PendingHasWhatIsNotSettled", pendingMeanwhile},
	{"NoUseIsLost", countedTogether},
	{"ALeaseEndsWhereTheLastWouldHaveIt", touchedTogether},
	{"OneLoadOrCommitOfAnIdWins", func(t testing.TB, s, peer storage.Store) {
		for round := range 5 {
			var won sync.Map
			together(func(n int) {
				id := fmt.Sprint("lic_", round)
				var err error
				if n%3 == 0 {
					err = []storage.Store{s, peer}[n%2].Load(t.Context(), []storage.Whole{wholeOf(id)})
				} else {
					err = []storage.Store{s, peer}[n%2].Commit(t.Context(), change(license(id)))
				}
				if err == nil {
					won.Store(n, true)
				} else if fault.CodeOf(err) != fault.Conflict {
					t.Error(err)
				}
			})
			count := 0
			won.Range(func(any, any) bool { count++; return true })
			equal(t, count, 1)
		}
	}},
}

// listedMeanwhile walks all pages in each order while others insert, change and
// sweep records.
func listedMeanwhile(t testing.TB, s, peer storage.Store) {
	for n := range 40 {
		commit(t, s, change(placed(fmt.Sprint("stays ", n), n)))
	}
	ctx, stop := context.WithCancel(t.Context())
	var changing sync.WaitGroup
	for n := range 3 {
		changing.Go(func() { churn(ctx, t, []storage.Store{s, peer}[n%2], n) })
	}
	defer changing.Wait()
	defer stop()
	for round := range 8 {
		q := storage.Query{Kind: storage.License, Order: orders[round%len(orders)], First: 3 + round}
		if round%3 == 2 {
			q.Filter.Products = []string{"prd_1", "prd_2"}
		}
		all := walk(t, peer, q, func() {})
		for n := range 40 {
			id := fmt.Sprint("stays ", n)
			if count := len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s != id })); count != 1 {
				t.Fatalf("%s: %q is on the pages %d times", q.Order, id, count)
			}
		}
	}
}

// placed is a license that stands at the same place, n, in every order.
func placed(id string, n int) storage.Record {
	r := license(id)
	r.Index.Created, r.Index.Ends, r.Index.Due = second(n/2), second(n/2), second(n/2)
	return r
}

// churn inserts records among the others, moves them, changes some that stay,
// and sweeps, until ctx ends.
func churn(ctx context.Context, t testing.TB, s storage.Store, number int) {
	for n := 0; ctx.Err() == nil; n++ {
		r := placed(fmt.Sprint("comes ", number, " ", n), n%50-5)
		c := change(r)
		c.Record.Index.State = storage.Deleted
		if err := s.Commit(t.Context(), c); err != nil {
			t.Error(err)
			return
		}
		r = placed(r.ID, n%7*5)
		r.Version, r.Index.State = 1, storage.Deleted
		stays, err := storage.One(t.Context(), s, storage.License, fmt.Sprint("stays ", (number*13+n)%40))
		if err != nil {
			t.Error(err)
			return
		}
		same := change(stays.Record)
		same.Record.Index.State = fmt.Sprint("state ", n) // its place stays
		for _, err := range []error{ignored(s.Commit(t.Context(), change(r))), ignored(s.Commit(t.Context(), same))} {
			if err != nil {
				t.Error(err)
				return
			}
		}
		if _, err := s.Sweep(t.Context(), second(25), 20); err != nil {
			t.Error(err)
			return
		}
	}
}

// ignored is err, unless another was faster.
func ignored(err error) error {
	if fault.CodeOf(err) == fault.Conflict {
		return nil
	}
	return err
}

// pendingMeanwhile reads what is pending while others commit and settle.
func pendingMeanwhile(t testing.TB, s, peer storage.Store) {
	held(t, s)
	ctx, stop := context.WithCancel(t.Context())
	var changing sync.WaitGroup
	for n := range 4 {
		changing.Go(func() {
			handle := []storage.Store{s, peer}[n%2]
			for i := 0; ctx.Err() == nil; i++ {
				c := change(license(fmt.Sprint("lic ", n, " ", i)))
				c.Entries = []storage.Entry{entry(fmt.Sprint("evt ", n, " ", i))}
				if err := handle.Commit(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
				if err := handle.Settle(t.Context(), []storage.Pending{waiting(c.Record.ID, c.Entries[0].ID)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	defer changing.Wait()
	defer stop()
	for range 100 {
		got := pending(t, peer, 99)
		if !slices.ContainsFunc(got, func(e storage.Entry) bool { return e.ID == "evt_a" }) {
			t.Fatalf("an entry that is pending is not among the %d that are given", len(got))
		}
	}
}

// countedTogether has all count uses of one record and its product.
func countedTogether(t testing.TB, s, peer storage.Store) {
	counted(t, s)
	together(func(n int) {
		for i := range 5 {
			err := []storage.Store{s, peer}[n%2].AddUsage(t.Context(), []storage.UsageDelta{
				{Record: "lic_a", Product: "prd_1", Day: "2026-11-21", Valid: 1, Invalid: 2, Last: second(n),
					Values: storage.Values{storage.ByDomain: {fmt.Sprint("domain ", (n+i)%8): 1}}},
				{Record: "lic_b", Product: "prd_1", Day: "2026-11-21", Valid: 1},
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	const each = 5 * writers
	values := map[string]int64{}
	for n := range 8 {
		values[fmt.Sprint("domain ", n)] = each / 8
	}
	equal(t, get(t, s, "lic_a").Total, storage.UsageTotal{Count: 3 * each, Last: second(writers - 1)})
	equal(t, usage(t, peer, "lic_a", "2026-11-21", "2026-11-21"), []storage.UsageDay{
		{Day: "2026-11-21", Valid: each, Invalid: 2 * each, Values: storage.Values{storage.ByDomain: values}}})
	equal(t, usage(t, s, "prd_1", "2026-11-21", "2026-11-21"), []storage.UsageDay{
		{Day: "2026-11-21", Valid: 2 * each, Invalid: 2 * each, Values: storage.Values{storage.ByDomain: values}}})
}

// touchedTogether has all move one lease.
func touchedTogether(t testing.TB, s, peer storage.Store) {
	seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
	together(func(n int) {
		ends, err := []storage.Store{s, peer}[n%2].Touch(t.Context(), []storage.Lease{
			{Record: "lic_a", Seat: "act_a", At: second(n % 8), Until: second(100 + n)},
			{Record: "lic_a", Seat: "act_b", At: second(n % 8), Until: second(200 - n)},
		})
		if err != nil || ends[0].Before(second(100+n)) || ends[1].Before(second(200-n)) {
			t.Errorf("touch %d: %v, %v", n, ends, err)
		}
	})
	for _, handle := range []storage.Store{s, peer} {
		seats := get(t, handle, "lic_a").Seats
		equal(t, seats[0].Lease, second(100+writers-1))
		equal(t, seats[1].Lease, second(200))
		equal(t, seats[0].Seen, second(7))
	}
}
