package storagetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const writers = 32

var concurrencyClauses = []clause{
	{"EveryAcknowledgedChangeIsAVersion", func(t testing.TB, s storage.Store) {
		race(t, s, s)
	}},
	{"OneInsertOfAnIdWins", func(t testing.TB, s storage.Store) {
		for round := range 5 {
			id := fmt.Sprint("lic_", round)
			var won, lost atomic.Int64
			together(func(n int) {
				c := change(license(id))
				c.Attempt = fmt.Sprint("attempt ", n)
				c.Entries = []storage.Entry{entry(fmt.Sprint(round, " ", n))}
				switch err := s.Commit(t.Context(), c); fault.CodeOf(err) {
				case "":
					won.Add(1)
				case fault.Conflict:
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
			equal(t, won.Load(), int64(1))
			equal(t, lost.Load(), int64(writers-1))
			equal(t, len(pending(t, s, 999)), round+1)
		}
	}},
	{"AFailedChangeLeavesItsGroupAlone", func(t testing.TB, s storage.Store) {
		taken := commit(t, s, change(license("taken")))
		together(func(n int) {
			c := change(full(fmt.Sprint("lic_", n), n%3))
			if n%2 == 1 {
				c.Record.ID = "taken"
			}
			c.Put = []storage.Seat{seat(fmt.Sprint("act_", n), second(1))}
			c.Entries = []storage.Entry{entry(fmt.Sprint("evt_", n))}
			err := s.Commit(t.Context(), c)
			if failed := fault.Is(err, fault.Conflict); failed != (n%2 == 1) || err != nil && !failed {
				t.Errorf("commit %d: %v", n, err)
			}
		})
		for n := 0; n < writers; n += 2 {
			got := get(t, s, fmt.Sprint("lic_", n))
			equal(t, got.Index, full(got.ID, n%3).Index)
			equal(t, len(got.Seats), 1)
		}
		unchanged(t, s, taken)
		equal(t, len(pending(t, s, 999)), writers/2)
	}},
	{"ALeaseIsMovedOrItsSeatRemovedNeverBoth", func(t testing.TB, s storage.Store) {
		for round := range 20 {
			r := license(fmt.Sprint("lic_", round))
			c := change(r)
			c.Put = []storage.Seat{seat("act_a", second(9))}
			removal := change(commit(t, s, c).Record)
			removal.Remove = []storage.Removal{{ID: "act_a", IfLease: pointer(second(9))}}

			var removed, moved bool
			var both sync.WaitGroup
			both.Go(func() { removed = s.Commit(t.Context(), removal) == nil })
			both.Go(func() {
				ends, err := s.Touch(t.Context(),
					[]storage.Lease{{Record: r.ID, Seat: "act_a", At: second(8), Until: second(20)}})
				moved = err == nil && ends[0].Equal(second(20))
			})
			both.Wait()
			if seats := len(get(t, s, r.ID).Seats); removed == moved || moved != (seats == 1) {
				t.Fatalf("removed %v, moved %v, %d seats left", removed, moved, seats)
			}
		}
	}},
	{"ReadersSeeARecordAsOneCommitLeftIt", func(t testing.TB, s storage.Store) {
		whole := func(version int) storage.Change {
			r := license("lic_a")
			r.Version, r.Body = int64(version), fmt.Appendf(nil, `{"n":"%d"}`, version+1)
			r.Revision = int64(version + 1)
			c := change(r)
			for _, id := range []string{"act_a", "act_b"} {
				c.Put = append(c.Put, storage.Seat{ID: id, Body: fmt.Appendf(nil, `{"n":"%d"}`, version+1)})
			}
			return c
		}
		commit(t, s, whole(0))
		ctx, stop := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for reader := range 4 {
			readers.Go(func() {
				for last := int64(0); ctx.Err() == nil; {
					stored, err := oneOf(t.Context(), s, reader%2 == 0)
					if err != nil {
						t.Error(err)
						return
					}
					want := fmt.Sprintf(`{"n":"%d"}`, stored.Version)
					for _, body := range [][]byte{stored.Seats[0].Body, stored.Seats[1].Body, stored.Body} {
						if stored.Revision != stored.Version || stored.Version < last || !sameJSON(body, want) {
							t.Errorf("version %d, last %d, revision %d, body %s", stored.Version, last, stored.Revision, body)
							return
						}
					}
					last = stored.Version
				}
			})
		}
		for version := 1; version < 100; version++ {
			if err := s.Commit(t.Context(), whole(version)); err != nil {
				t.Error(err)
			}
		}
		stop()
		readers.Wait()
	}},
}

// logRaces hold of one handle and of two.
var logRaces = []pairClause{
	{"OneBlockOfAPlaceWins", appendersRace},
	{"EveryEntryIsInTheLogOnceInTheOrderOfItsRecordsCommits", sequencersRace},
	{"EntriesFitWhileTheLogGrows", checkedMeanwhile},
}

// peerClauses hold of two handles on one database.
var peerClauses = []pairClause{
	{"AReadSeesWhatTheOtherCommitted", func(t testing.TB, s, peer storage.Store) {
		for n := range 10 {
			r := full(fmt.Sprint("lic_", n), n) // each with a product, plan and state that are new
			commit(t, s, change(r))
			unchanged(t, peer, get(t, s, r.ID))
			r.Version = 1
			commit(t, peer, change(r))
			unchanged(t, s, get(t, peer, r.ID))
			listed(t, peer, storage.CreatedNewest, storage.Filter{Plan: r.Index.Plan, State: r.Index.State}, r.ID)
			listed(t, s, storage.EndsSoonest, storage.Filter{Products: []string{r.Index.Product}}, r.ID)
			searched(t, peer, r.ID, r.ID)
			searched(t, s, r.ID, r.ID, r.Index.Product)
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{},
			"lic_0 lic_1 lic_2 lic_3 lic_4 lic_5 lic_6 lic_7 lic_8 lic_9")
	}},
	{"EveryAcknowledgedChangeIsAVersion", race},
	{"ACrashBetweenAppendingAndSettlingIsSettledByTheOther", func(t testing.TB, s, peer storage.Store) {
		c := change(license("lic_a"))
		c.Entries = []storage.Entry{entry("0 a"), entry("0 b")}
		must(t, s.Commit(t.Context(), c))
		count, err := Sequence(t.Context(), s, 9)
		must(t, err)
		equal(t, count, 2)
		must(t, s.Close()) // before it settles

		equal(t, pending(t, peer, 9), c.Entries)
		equal(t, blocks(t, peer, storage.LastBlock, 1)[0].Entries, c.Entries)
		count, err = Sequence(t.Context(), peer, 9)
		must(t, err)
		equal(t, count, 0)
		equal(t, pending(t, peer, 9), []storage.Entry{})
		holdsEachOnce(t, peer, 2)
	}},
	{"WhatTheOneSettlesIsNotPendingForTheOther", func(t testing.TB, s, peer storage.Store) {
		read := held(t, s)
		must(t, peer.Settle(t.Context(), []storage.Pending{waiting("lic_a", "evt_a")}))
		c := change(read.Record)
		c.Entries = []storage.Entry{entry("evt_b")}
		commit(t, s, c)
		for _, handle := range []storage.Store{s, peer} {
			equal(t, pending(t, handle, 9), []storage.Entry{entry("evt_b")})
		}
	}},
	{"BothAreToldOneClock", func(t testing.TB, s, peer storage.Store) {
		for range 20 {
			before, between, after := clockOf(t, s), clockOf(t, peer), clockOf(t, s)
			if between.Before(before) || between.After(after) {
				t.Fatalf("the one says %v and then %v, the other %v between them", before, after, between)
			}
		}
	}},
	{"ClosingOneLeavesTheOther", func(t testing.TB, s, peer storage.Store) {
		was := commit(t, s, change(license("lic_a")))
		must(t, peer.Close())
		unchanged(t, s, was)
		commit(t, s, change(license("lic_b")))
	}},
	{"BothMigrateAtOnce", func(t testing.TB, s, peer storage.Store) {
		together(func(n int) {
			if err := []storage.Store{s, peer}[n%2].Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
		must(t, peer.Ready(t.Context()))
	}},
}

// race has all writers change one record by compare-and-swap, half of them by
// each handle.
func race(t testing.TB, s, peer storage.Store) {
	commit(t, s, change(license("lic_a")))
	var acknowledged atomic.Int64
	together(func(n int) {
		handle := []storage.Store{s, peer}[n%2]
		for done := 0; done < 3; {
			found, err := handle.Get(t.Context(), "lic_a")
			if err != nil {
				t.Error(err)
				return
			}
			c := change(found[0].Record)
			c.Attempt = fmt.Sprint(n, " ", done)
			c.Entries = []storage.Entry{entry(fmt.Sprint(n, " ", done))}
			switch err := handle.Commit(t.Context(), c); fault.CodeOf(err) {
			case "":
				acknowledged.Add(1)
				done++
			case fault.Conflict:
			default:
				t.Error(err)
				return
			}
		}
	})
	equal(t, get(t, s, "lic_a").Version, 1+acknowledged.Load())
	equal(t, int64(len(pending(t, s, 999))), acknowledged.Load())
}

// together runs f on all writers at once and waits for them.
func together(f func(n int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for n := range writers {
		all.Go(func() {
			<-start
			f(n)
		})
	}
	close(start)
	all.Wait()
}

// oneOf reads lic_a by Get or by List.
func oneOf(ctx context.Context, s storage.Store, byKey bool) (*storage.Stored, error) {
	if byKey {
		return storage.One(ctx, s, storage.License, "lic_a")
	}
	page, err := s.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1})
	if err != nil || len(page.Records) != 1 {
		return nil, fmt.Errorf("%d records on the page: %w", len(page.Records), err)
	}
	return page.Records[0], nil
}
