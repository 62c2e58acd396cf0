package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var keeperClauses = []clause{
	{"SweepRemovesWhatIsDeletedAndDue", func(t testing.TB, s storage.Store) {
		commit(t, s, deleted("lic_a", 5))
		must(t, s.AddUsage(t.Context(), []storage.UsageDelta{{Record: "lic_a", Day: "2026-11-21", Valid: 1}}))
		sweep(t, s, 6, 9, 1)
		found, err := s.Get(t.Context(), "lic_a")
		must(t, err)
		equal(t, found, []*storage.Stored{nil})
		equal(t, usage(t, s, "lic_a", "2026-01-01", "2026-12-31"), []storage.UsageDay{})

		again := commit(t, s, change(license("lic_a"))) // of the old one nothing is left
		equal(t, again.Seats, []storage.Seat{})
		equal(t, again.Total, storage.UsageTotal{})
		equal(t, usage(t, s, "lic_a", "2026-01-01", "2026-12-31"), []storage.UsageDay{})
	}},
	{"SweepLeavesTheRest", func(t testing.TB, s storage.Store) {
		commit(t, s, deleted("due", 6)) // not before the time
		alive := deleted("alive", 1)
		alive.Record.Index.State = "issued"
		commit(t, s, alive)
		undated := deleted("undated", 1)
		undated.Record.Index.Due = time.Time{}
		commit(t, s, undated)
		held := deleted("held", 1)
		held.Entries = []storage.Entry{entry("evt_a")}
		commit(t, s, held)
		sweep(t, s, 6, 9, 0)
		for _, id := range []string{"due", "alive", "undated", "held"} {
			get(t, s, id)
		}
	}},
	{"SweepTakesEveryKindWithAllThatIsBesideIt", func(t testing.TB, s storage.Store) {
		for n, kind := range []storage.Kind{storage.Product, storage.Plan, storage.License, storage.Alias, storage.Denial, storage.Cursor, "other"} {
			c := deleted(fmt.Sprint("x", n), n)
			c.Record.Kind, c.Record.Index.Words = kind, []string{"word"}
			c.Record.Index.ExternalID = "external"
			commit(t, s, c)
			add(t, s, storage.UsageDelta{Record: c.Record.ID, Product: c.Record.ID, Day: "2026-11-21", Valid: 1, Last: second(1)})
		}
		sweep(t, s, 5, 99, 5)
		sweep(t, s, 99, 99, 2)
		equal(t, dump(t, s, 9), []storage.Whole{})
		for n := range 7 { // another kind, and nothing else
			r := storage.Record{Kind: storage.License, ID: fmt.Sprint("x", n), Body: []byte(`{}`)}
			got := commit(t, s, change(r))
			r.Version, r.Attempt = 1, change(r).Attempt
			equal(t, got, &storage.Stored{Record: r})
			equal(t, usage(t, s, r.ID, "2026-01-01", "2026-12-31"), []storage.UsageDay{})
			ends, err := s.Touch(t.Context(), []storage.Lease{{Record: r.ID, Seat: "act_a", Until: second(99)}})
			must(t, err)
			equal(t, ends, make([]time.Time, 1))
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{ExternalID: "external"}, "")
		searched(t, s, "word", "")
	}},
	{"SweepIsUnavailableToACallerWhoseContextEndedAndRemovesNothing", func(t testing.TB, s storage.Store) {
		was := commit(t, s, deleted("lic_a", 5))
		_, err := s.Sweep(ended(t), second(6), 9)
		refused(t, err, fault.Unavailable)
		unchanged(t, s, was)
	}},
	{"SweepStopsAtItsLimit", func(t testing.TB, s storage.Store) {
		for i := range 5 {
			commit(t, s, deleted(fmt.Sprintf("lic_%d", i), 1))
		}
		sweep(t, s, 6, 0, 0)
		sweep(t, s, 6, 3, 3)
		sweep(t, s, 6, 3, 2)
		sweep(t, s, 6, 3, 0)
	}},
	{"ReadyOnceMigratedAndMigratingAgainChangesNothing", func(t testing.TB, s storage.Store) {
		was := commit(t, s, change(license("lic_a")))
		must(t, s.Ready(t.Context()))
		must(t, s.Migrate(t.Context()))
		must(t, s.Ready(t.Context()))
		unchanged(t, s, was)
	}},
	{"ClockGoesForwardInWholeMilliseconds", func(t testing.TB, s storage.Store) {
		var last time.Time
		for range 100 {
			now := clockOf(t, s)
			equal(t, now, now.UTC().Truncate(time.Millisecond))
			if now.Before(last) || now.IsZero() {
				t.Fatalf("%v came after %v", now, last)
			}
			last = now
		}
		_, err := s.Clock(ended(t))
		refused(t, err, fault.Unavailable)
	}},
	{"EverythingIsUnavailableOnceClosed", func(t testing.TB, s storage.Store) {
		commit(t, s, change(license("lic_a")))
		must(t, s.Close())
		ctx := t.Context()
		_, errGet := s.Get(ctx, "lic_a")
		_, errList := s.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1})
		_, errSearch := s.Search(ctx, storage.SearchQuery{Kind: storage.License, Prefix: "x", First: 1})
		_, errTouch := s.Touch(ctx, []storage.Lease{{Record: "lic_a", Seat: "act_a"}})
		_, errUsage := s.Usage(ctx, "lic_a", "2026-11-21", "2026-11-21")
		_, errPending := s.Pending(ctx, 1)
		_, errBlocks := s.Blocks(ctx, 0, 1)
		_, errEntries := s.Entries(ctx, storage.EntryQuery{First: 1})
		_, errSweep := s.Sweep(ctx, second(0), 1)
		_, errClock := s.Clock(ctx)
		_, errCheck := s.CheckEntries(ctx)
		for _, err := range []error{
			errGet, errList, errSearch, errTouch, errUsage, errPending, errBlocks, errEntries, errSweep, errClock, errCheck,
			s.Commit(ctx, change(license("lic_b"))),
			s.AddUsage(ctx, []storage.UsageDelta{{Record: "lic_a", Day: "2026-11-21"}}),
			s.Settle(ctx, []storage.Pending{waiting("lic_a", "evt_a")}), s.AppendBlock(ctx, block(0, 1)),
			s.Ready(ctx), s.Migrate(ctx),
		} {
			refused(t, err, fault.Unavailable)
		}
		must(t, s.Close())
	}},
}

// deleted is a change that leaves a deleted record with a seat, due at second
// n.
func deleted(id string, n int) storage.Change {
	r := license(id)
	r.Index.State, r.Index.Due = storage.Deleted, second(n)
	c := change(r)
	c.Put = []storage.Seat{seat("act_a", second(1))}
	return c
}

func clockOf(t testing.TB, s storage.Store) time.Time {
	t.Helper()
	now, err := s.Clock(t.Context())
	must(t, err)
	return now
}

func sweep(t testing.TB, s storage.Store, before, limit, want int) {
	t.Helper()
	swept, err := s.Sweep(t.Context(), second(before), limit)
	must(t, err)
	equal(t, swept, want)
}
