package licensing_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// crowd is claims for the seats of one license, the first of which waits in
// its commit until it is let go.
type crowd struct {
	*shop
	made    *licensing.IssueLicensePayload
	letGo   chan struct{}
	commits atomic.Int64
}

// newCrowd runs in a synctest bubble.
func newCrowd(t *testing.T, seats int) *crowd {
	t.Helper()
	s := newShop(t)
	in := planOf("acme", "many")
	in.MaxMachines = &seats
	must(s.CreatePlan(as(ada), in))(t)
	c := &crowd{shop: s, letGo: make(chan struct{})}
	c.made = s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/many" })
	s.store.commit = func(ctx context.Context, change storage.Change) error {
		if c.commits.Add(1) == 1 {
			<-c.letGo
		}
		return s.store.Model.Commit(ctx, change)
	}
	return c
}

func TestWaitingClaimsAreDecidedInOneChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seats, waiting = 40, 50
		c := newCrowd(t, seats)
		var taken, refused atomic.Int64
		var all sync.WaitGroup
		for i := range waiting + 1 {
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
			all.Go(func() {
				switch got, err := c.Activate(context.Background(), claim); {
				case err != nil:
					t.Error(err)
				case got.Changed:
					taken.Add(1)
				default:
					refused.Add(1)
				}
			})
			synctest.Wait() // the first is in its commit, the others in the line
		}
		close(c.letGo)
		all.Wait()
		if c.commits.Load() != 2 || taken.Load() != seats || refused.Load() != waiting+1-seats {
			t.Errorf("%d commits, %d seats taken, %d refused", c.commits.Load(), taken.Load(), refused.Load())
		}
		if n := len(c.seats(t, c.made.License.ID())); n != seats {
			t.Errorf("%d seats on record", n)
		}
	})
}

func TestAWaitingClaimSeesWhatTheOneBeforeItDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2)
		type outcome struct {
			name    string
			changed bool
		}
		outcomes := make(chan outcome, 8)
		var all sync.WaitGroup
		ask := func(name string, call func() (*licensing.SeatAnswer, error)) {
			all.Go(func() {
				got, err := call()
				if err != nil {
					t.Error(err)
				}
				outcomes <- outcome{name, got.Changed}
			})
			synctest.Wait()
		}
		claim := func(name, machine string) {
			asked := c.claim(t, c.made.Key, machine)
			ask(name, func() (*licensing.SeatAnswer, error) { return c.Activate(context.Background(), asked) })
		}
		release := func(name, machine string) {
			asked := c.release(t, c.made.Key, machine)
			ask(name, func() (*licensing.SeatAnswer, error) { return c.Deactivate(context.Background(), asked) })
		}
		claim("a", "a")
		claim("b", "b")
		claim("b again", "b")
		claim("c too many", "c")
		release("b goes", "b")
		release("b has gone", "b")
		claim("c", "c")
		claim("a is found", "a")
		close(c.letGo)
		all.Wait()
		close(outcomes)
		want := map[string]bool{
			"a": true, "b": true, "b again": false, "c too many": false, "b goes": true, "b has gone": false, "c": true, "a is found": false,
		}
		for got := range outcomes {
			if want[got.name] != got.changed {
				t.Errorf("%s: changed %t", got.name, got.changed)
			}
		}
		if c.commits.Load() != 2 {
			t.Errorf("%d commits", c.commits.Load())
		}
		c.wantSeats(t, c.made.License.ID(), "a", "c")
	})
}

func TestWhoGivesUpLeavesTheLineAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 10)
		ctx, giveUp := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i, ctx := range []context.Context{ctx, ctx, context.Background()} {
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
			all.Go(func() {
				_, err := c.Activate(ctx, claim)
				if gone := i == 1; gone != fault.Is(err, fault.Unavailable) {
					t.Errorf("claim %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		giveUp() // the first, which serves, goes on
		synctest.Wait()
		close(c.letGo)
		all.Wait()
		c.wantSeats(t, c.made.License.ID(), "m-0", "m-2")
		if got := must(c.Activate(context.Background(), c.claim(t, c.made.Key, "m-3")))(t); !got.Changed {
			t.Error("the line does not go on")
		}
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 10)
		claim := c.claim(t, c.made.Key, "m-1")
		var all sync.WaitGroup
		all.Go(func() { _, _ = c.Activate(context.Background(), claim) })
		synctest.Wait()
		broken := c.claim(t, c.made.Key, "m-2")
		broken.Admit = func(*license.License, *license.Plan) error { panic("broken") }
		all.Go(func() {
			defer func() { _ = recover() }()
			_, err := c.Activate(context.Background(), broken)
			t.Errorf("no panic, but %v", err)
		})
		synctest.Wait()
		behind := c.claim(t, c.made.Key, "m-3")
		all.Go(func() {
			if _, err := c.Activate(context.Background(), behind); err == nil {
				t.Error("decided, though deciding broke off")
			}
		})
		synctest.Wait()
		close(c.letGo)
		all.Wait()
		c.wantSeats(t, c.made.License.ID(), "m-1")
		must(c.Activate(context.Background(), behind))(t)
	})
}

func TestAClaimThatFailsLeavesNothingToThoseBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2)
		no := fault.Errorf(fault.RateLimited, "too many")
		var all sync.WaitGroup
		for i, refusal := range []error{nil, no, nil} {
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
			claim.Admit = func(*license.License, *license.Plan) error { return refusal }
			all.Go(func() {
				switch got, err := c.Activate(context.Background(), claim); {
				case !errors.Is(err, refusal):
					t.Errorf("claim %d: %v", i, err)
				case err == nil && (!got.Changed || got.MachineCount() != max(1, i)):
					t.Errorf("claim %d: changed %t, %d machines", i, got.Changed, got.MachineCount())
				}
			})
			synctest.Wait()
		}
		close(c.letGo)
		all.Wait()
		c.wantSeats(t, c.made.License.ID(), "m-0", "m-2")
	})
}

func TestSoManyAreDecidedTogetherAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 256
		c := newCrowd(t, 1000)
		var taken atomic.Int64
		var all sync.WaitGroup
		for i := range 1 + most + 1 { // one goes first, and one is too many for its group
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
			all.Go(func() {
				if must(c.Activate(context.Background(), claim))(t).Changed {
					taken.Add(1)
				}
			})
			synctest.Wait()
		}
		close(c.letGo)
		all.Wait()
		if c.commits.Load() != 3 || taken.Load() != most+2 {
			t.Errorf("%d seats in %d commits", taken.Load(), c.commits.Load())
		}
	})
}

// Who gives up in the moment in which it is called to serve calls the next.
func TestWhoIsCalledWhileItGivesUpCallsTheNext(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, 10)
			ctx, giveUp := context.WithCancel(context.Background())
			wait := c.store.commit
			c.store.commit = func(ctx context.Context, change storage.Change) error {
				err := wait(ctx, change)
				giveUp() // and the line goes on at once
				return err
			}
			var all sync.WaitGroup
			for i, ctx := range []context.Context{context.Background(), ctx, context.Background()} {
				claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
				all.Go(func() {
					if _, err := c.Activate(ctx, claim); err != nil && i != 1 {
						t.Errorf("claim %d: %v", i, err)
					}
				})
				synctest.Wait()
			}
			close(c.letGo)
			all.Wait()
			must(c.Activate(context.Background(), c.claim(t, c.made.Key, "m-3")))(t)
		})
	}
}
