package storagetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Lose has each connection be cut once it has carried so many more bytes of
// answers, until heal is called; what is sent arrives.
type Lose func(after int) (heal func())

// lossyClause is a clause about a handle over a connection that loses answers.
type lossyClause = clauseOf[func(t testing.TB, s, through storage.Store, lose Lose)]

const (
	lossStep    = 16 // bytes from one loss to the next, less than the last part of any answer
	lossCut     = 4  // losses, at one of which there is no connection to be had
	furthest    = 64 << 10
	lossHeals   = 30 * time.Millisecond // where the driver finds a connection again
	lossSlower  = 8                     // so many times as a call took may one take until its loss
	lossPatient = 1500 * time.Millisecond
	lossHealed  = 20 * time.Second
)

// Answers are lost behind each of their parts in turn, so that whatever a
// driver sends in several steps is cut between any two of them. Mostly there is
// another connection soon, as whoever sends something twice would have it.
var lossyClauses = []lossyClause{
	{"ACommitThatMayHaveBeenAppliedIsNoConflictAndToldByItsAttempt", commitsLost},
	{"ATouchIsMadeAgainForTheSame", touchesLost},
	{"ASettleIsMadeAgainForTheSame", settlesLost},
	{"ABlockIsInTheLogOnceAndAgainAConflict", appendsLost},
	{"AUseIsCountedOnceOrNotAtAllIfItIsUnavailable", usesLost},
	{"ARecordIsReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) { return s.Get(ctx, "lic_a", "lic_x") })},
	{"AListIsReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) {
		return s.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 9})
	})},
	{"ASearchIsReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) {
		return s.Search(ctx, storage.SearchQuery{Kind: storage.License, Prefix: "lic_", First: 9})
	})},
	{"UsageIsReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) {
		return s.Usage(ctx, "lic_a", "2026-01-01", "2026-12-31")
	})},
	{"PendingEntriesAreReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) { return s.Pending(ctx, 9) })},
	{"BlocksAreReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) { return s.Blocks(ctx, 0, 9) })},
	{"EntriesAreReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) {
		return s.Entries(ctx, storage.EntryQuery{First: 9, Filter: storage.EntryFilter{Actor: "USER a"}})
	})},
	{"ADumpIsReadRightOrNotAtAll", readsLost(func(ctx context.Context, s storage.Store) (any, error) { return dumpAll(ctx, s, 9) })},
}

// losing calls with one loss after the other, over a connection as the loss
// before left it and over one that has carried the call already: what a driver
// says once need not be said again there, so the same loss meets a later part.
// It ends when so much is let through that nothing is lost. call is told how
// many calls came before.
func losing(t testing.TB, through storage.Store, lose Lose, call func(ctx context.Context, n int) error) {
	t.Helper()
	calls, lost := -1, 0
	next := func(ctx context.Context) error {
		calls++
		return call(ctx, calls)
	}
	for n := 0; n*lossStep < furthest; n++ {
		l := loss{after: n * lossStep, isForGood: n%lossCut == 0, heals: lossHeals}
		before := lost
		for _, isCarried := range []bool{false, true} {
			if isCarried {
				l.heals = lossHeals + lossSlower*carried(t, next)
			}
			if l.during(t, lose, next) != nil {
				lost++
			}
			reachable(t, through)
		}
		if lost == before && l.isForGood {
			if lost == 0 {
				t.Fatal("no answer was lost")
			}
			return
		}
	}
	t.Fatalf("answers are lost behind %d bytes", furthest)
}

// carried calls until a connection has carried the call, and gives how long it
// took.
func carried(t testing.TB, call func(context.Context) error) time.Duration {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), lossHealed)
	defer stop()
	for {
		start := time.Now()
		err := call(ctx)
		if err == nil {
			return time.Since(start)
		}
		if ctx.Err() != nil {
			t.Fatalf("the engine cannot be called again: %v", err)
		}
	}
}

// loss is how answers are lost during a call.
type loss struct {
	after     int           // bytes
	isForGood bool          // as long as the call lasts, which is short then
	heals     time.Duration // else, when there is a connection again
}

func (l loss) during(t testing.TB, lose Lose, call func(context.Context) error) error {
	heal := sync.OnceFunc(lose(l.after))
	defer heal()
	within := lossPatient
	if !l.isForGood {
		defer time.AfterFunc(l.heals, heal).Stop()
		within = lossHealed
	}
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	return call(ctx)
}

// reachable waits until the driver has a connection again.
func reachable(t testing.TB, through storage.Store) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), lossHealed)
	defer stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := through.Get(ctx, "none")
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the engine is not found again: %v", err)
		}
	}
}

// commitsLost inserts a record at each loss and changes it at the next.
func commitsLost(t testing.TB, s, through storage.Store, lose Lose) {
	applied := 0
	for _, insert := range []bool{true, false} {
		losing(t, through, lose, func(ctx context.Context, n int) error {
			r := license(fmt.Sprint("lic ", insert, n))
			if !insert {
				r = commit(t, s, change(r)).Record
			}
			c := change(r)
			c.Attempt = fmt.Sprint("attempt ", insert, n)
			c.Put, c.Entries = []storage.Seat{seat("act_a", second(n+1))}, []storage.Entry{entry("evt " + r.ID)}
			err := through.Commit(ctx, c)
			if fault.Is(err, fault.Conflict) {
				t.Fatalf("loss %d: a commit of which nobody else knows is a conflict: %v", n, err)
			}
			if wasApplied := repeated(t, s, c); err == nil && !wasApplied {
				t.Fatalf("loss %d: a commit that was acknowledged was not applied", n)
			} else if err != nil && wasApplied {
				applied++
			}
			got := get(t, s, r.ID)
			equal(t, got.Version, r.Version+1)
			equal(t, got.Seats, c.Put)
			equal(t, len(slices.DeleteFunc(pending(t, s, 9999), func(e storage.Entry) bool { return e.ID != c.Entries[0].ID })), 1)
			return err
		})
	}
	if applied == 0 {
		t.Log("no commit was applied whose answer was lost")
	}
}

// repeated does what a caller does who was not told: it reads whether the
// change was applied, by its attempt, and else commits it once more.
func repeated(t testing.TB, s storage.Store, c storage.Change) (wasApplied bool) {
	t.Helper()
	again := c
	again.Attempt += " again"
	for range 9 {
		found, err := s.Get(t.Context(), c.Record.ID)
		must(t, err)
		if found[0] != nil && found[0].Attempt == c.Attempt {
			return true
		}
		switch err := s.Commit(t.Context(), again); {
		case err == nil:
			return false
		case !fault.Is(err, fault.Conflict):
			t.Fatal(err)
		}
	}
	t.Fatal("the change is neither applied nor can it be")
	return false
}

func touchesLost(t testing.TB, s, through storage.Store, lose Lose) {
	seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
	losing(t, through, lose, func(ctx context.Context, n int) error {
		leases := []storage.Lease{
			{Record: "lic_a", Seat: "act_a", At: second(1), Until: second(10 + n)},
			{Record: "lic_a", Seat: "act_b", At: second(1), Until: second(10 + n)},
		}
		want := []time.Time{second(10 + n), second(10 + n)}
		ends, err := through.Touch(ctx, leases)
		if err == nil {
			equal(t, ends, want)
			seats := get(t, s, "lic_a").Seats
			equal(t, []time.Time{seats[0].Lease, seats[1].Lease}, want)
		}
		again, failed := s.Touch(t.Context(), leases)
		must(t, failed)
		equal(t, again, want)
		return err
	})
	equal(t, get(t, s, "lic_a").Version, int64(1))
}

func settlesLost(t testing.TB, s, through storage.Store, lose Lose) {
	c := change(license("lic_a"))
	for n := range 600 {
		c.Entries = append(c.Entries, entry(fmt.Sprintf("evt %03d", n)))
	}
	commit(t, s, c)
	left := c.Entries
	losing(t, through, lose, func(ctx context.Context, n int) error {
		settled := []storage.Pending{{Record: "lic_a", Entry: left[0]}, {Record: "lic_a", Entry: left[1]}}
		left = left[2:]
		err := through.Settle(ctx, settled)
		if fault.Is(err, fault.Conflict) {
			t.Fatalf("loss %d: %v", n, err)
		}
		if err != nil {
			must(t, s.Settle(t.Context(), settled))
		}
		equal(t, pending(t, s, 999), left)
		return err
	})
}

func appendsLost(t testing.TB, s, through storage.Store, lose Lose) {
	var all []storage.Block
	next := int64(0)
	losing(t, through, lose, func(ctx context.Context, n int) error {
		b := block(next, 3)
		err := through.AppendBlock(ctx, b)
		if fault.Is(err, fault.Conflict) {
			t.Fatalf("loss %d: a block that nobody else appends is a conflict: %v", n, err)
		}
		if again := s.AppendBlock(t.Context(), b); again != nil || err == nil {
			refused(t, again, fault.Conflict)
		}
		all, next = append(all, b), b.Next()
		return err
	})
	logIs(t, s, all...)
	equal(t, len(entries(t, s, storage.EntryQuery{First: 9999, Filter: storage.EntryFilter{Actor: "USER a"}}).Entries), int(next))
	allFits(t, s)
}

// usesLost counts uses, each on a day of its own. What is Unavailable may be
// counted again by its caller.
func usesLost(t testing.TB, s, through storage.Store, lose Lose) {
	counted(t, s)
	dayOf := func(n int) storage.Day { return storage.DayOf(second(0).AddDate(0, 0, n)) }
	least, most := []int64{}, []int64{}
	judge := func(n int) {
		for _, id := range []string{"lic_a", "prd_1"} {
			got := int64(0)
			for _, day := range usage(t, s, id, dayOf(n), dayOf(n)) {
				got += day.Valid
			}
			if got < least[n] || got > most[n] {
				t.Fatalf("loss %d: %d uses of %s are counted, and there were from %d to %d", n, got, id, least[n], most[n])
			}
		}
	}
	losing(t, through, lose, func(ctx context.Context, n int) error {
		err := through.AddUsage(ctx, []storage.UsageDelta{{Record: "lic_a", Product: "prd_1", Day: dayOf(n), Valid: 1}})
		switch {
		case err == nil:
			least, most = append(least, 1), append(most, 1)
		case fault.Is(err, fault.Unavailable):
			least, most = append(least, 0), append(most, 0)
		default:
			least, most = append(least, 0), append(most, 1)
		}
		judge(n)
		return err
	})
	var from, to int64
	for n := range least {
		judge(n) // what was sent may have come late
		from, to = from+least[n], to+most[n]
	}
	if got := get(t, s, "lic_a").Total.Count; got < from || got > to {
		t.Fatalf("%d uses are counted, and there were from %d to %d", got, from, to)
	}
}

// readsLost compares what is read with what is read without a loss.
func readsLost(read func(ctx context.Context, s storage.Store) (any, error)) func(t testing.TB, s, through storage.Store, lose Lose) {
	return func(t testing.TB, s, through storage.Store, lose Lose) {
		counted(t, s)
		c := change(get(t, s, "lic_a").Record)
		c.Record.Index.Words = []string{"lic_a"}
		c.Put, c.Entries = []storage.Seat{seat("act_a", second(9))}, []storage.Entry{entry("evt_a")}
		commit(t, s, c)
		add(t, s, storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-21", Valid: 1},
			storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-22", Valid: 1})
		appended(t, s, block(0, 3))
		want, err := read(t.Context(), s)
		must(t, err)
		losing(t, through, lose, func(ctx context.Context, _ int) error {
			got, err := read(ctx, through)
			if err == nil {
				equal(t, got, want)
			}
			return err
		})
	}
}
