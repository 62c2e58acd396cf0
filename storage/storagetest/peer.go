package storagetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// wakesWithin is how long a word from the engine may take before it counts as
// missing.
const wakesWithin = 10 * time.Second

// reopenedClause is a clause about a store that nobody has open for a while.
type reopenedClause = clauseOf[func(t testing.TB, s storage.Store, reopened func() storage.Store)]

var reopenedClauses = []reopenedClause{
	{"WhatWasAcknowledgedIsThereOnceAllIsClosedAndOpenedAgain", func(t testing.TB, s storage.Store, reopened func() storage.Store) {
		c := change(full("lic_a", 0))
		c.Put, c.Entries = []storage.Seat{seat("act_a", second(9))}, []storage.Entry{entry("evt_a")}
		commit(t, s, c)
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(8), Until: second(20)})
		appended(t, s, block(0, 3))
		want := get(t, s, "lic_a")
		must(t, s.Close())
		s = reopened()
		must(t, s.Ready(t.Context()))
		unchanged(t, s, want)
		equal(t, pending(t, s, 9), c.Entries)
		logIs(t, s, block(0, 3))
	}},
}

// closingClauses hold of what one handle does while it is closed.
var closingClauses = []pairClause{
	{"ClosingWaitsForTheCommitsUnderWay", func(t testing.TB, s, peer storage.Store) {
		var acknowledged sync.Map
		var started sync.WaitGroup
		there := map[string]bool{} // once it is closed
		started.Add(writers / 2)
		together(func(n int) {
			if n == 0 {
				started.Wait()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				all, err := dumpAll(t.Context(), peer, 999)
				if err != nil {
					t.Error(err)
				}
				for _, r := range all {
					there[r.ID] = true
				}
				return
			}
			for i := 0; ; i++ {
				id := fmt.Sprint("lic_", n, "_", i)
				switch err := s.Commit(t.Context(), change(license(id))); {
				case err == nil:
					acknowledged.Store(id, true)
				case fault.Is(err, fault.Unavailable):
					if i == 0 && n <= writers/2 {
						started.Done()
					}
					return
				default:
					t.Error(err)
					return
				}
				if i == 0 && n <= writers/2 {
					started.Done()
				}
			}
		})
		all := 0
		acknowledged.Range(func(id, _ any) bool {
			if all++; !there[id.(string)] {
				t.Errorf("Close did not wait for the commit of %v", id)
			}
			return true
		})
		if all == 0 {
			t.Error("no commit was acknowledged")
		}
	}},
}

// wakingClauses hold of a driver that is a Waker.
var wakingClauses = []pairClause{
	{"AnAppendWakesWhoListens", func(t testing.TB, s, peer storage.Store) {
		waker, ok := unwrap(peer).(storage.Waker)
		if !ok {
			t.Skip("the driver has no Waker, which is no fault")
		}
		ctx, stop := context.WithCancel(t.Context())
		woken, ended := make(chan struct{}, 1), make(chan error, 1)
		go func() {
			ended <- waker.Wake(ctx, func() {
				select {
				case woken <- struct{}{}:
				default:
				}
			})
		}()
		next := int64(0)
		again := time.NewTicker(wakesWithin / 20) // it may not listen yet
		defer again.Stop()
		late := time.NewTimer(wakesWithin)
		defer late.Stop()
		for heard := 0; heard < 2; { // it may begin with a word of nothing
			appended(t, s, block(next, 1))
			next++
			select {
			case <-woken:
				heard++
			case <-again.C:
			case err := <-ended:
				t.Fatalf("it no longer listens: %v", err)
			case <-late.C:
				t.Fatalf("%d blocks were appended, and nobody was woken", next)
			}
		}
		stop()
		select {
		case <-ended:
		case <-time.After(wakesWithin):
			t.Fatal("it goes on listening after its context has ended")
		}
	}},
}

// bareClauses hold of two handles on a store that was never migrated.
var bareClauses = []pairClause{
	{"IsUnavailableUntilItIsMigratedAndSaysHow", func(t testing.TB, s, _ storage.Store) {
		ctx := t.Context()
		err := s.Ready(ctx)
		refused(t, err, fault.Unavailable)
		if message := fault.All(err)[0].Message; !strings.Contains(message, "keywright migrate") {
			t.Errorf("%q does not say what to run", message)
		}
		must(t, s.Migrate(ctx))
		must(t, s.Ready(ctx))
		commit(t, s, change(license("lic_a")))
	}},
	{"IsMigratedByTwoAtOnce", func(t testing.TB, s, peer storage.Store) {
		together(func(n int) {
			if err := []storage.Store{s, peer}[n%2].Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
		for _, handle := range []storage.Store{s, peer} {
			must(t, handle.Ready(t.Context()))
		}
		unchanged(t, peer, commit(t, s, change(license("lic_a"))))
	}},
}
