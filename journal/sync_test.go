package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func TestAnEmptySyncIsTwoReads(t *testing.T) {
	s := newStore()
	l := journal.NewLog(journal.Config{Store: s})
	commitMany(t, s, 0, 3)
	first := mustSync(t, l)
	if first.Size != 3 || first.Epoch != 1 || !id.Valid(journal.LogPrefix, first.Log) || first != l.State() {
		t.Errorf("the state is %+v, and %+v by Sync", l.State(), first)
	}
	s.told()
	again := mustSync(t, l)
	if diff := cmp.Diff([]string{"pending", "blocks"}, s.told()); diff != "" || again != first {
		t.Errorf("%+v after %+v, and calls: %s", again, first, diff)
	}
	commitMany(t, s, 3, 4)
	mustSync(t, l)
	if diff := cmp.Diff([]string{"pending", "blocks", "pending", "blocks", "append", "settle"}, s.told()); diff != "" {
		t.Errorf("calls of a Sync that found something: %s", diff)
	}
}

func TestAnEmptyLogHasTheRootOfNothing(t *testing.T) {
	l := journal.NewLog(journal.Config{Store: newStore()})
	got := mustSync(t, l)
	if got.Size != 0 || got.Log != "" || got.Root.String() != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
		t.Errorf("%+v", got)
	}
}

// What a call came to when it failed is not known: it may have had its effect.
func TestWhateverCallFailsNothingIsLostOrDoubled(t *testing.T) {
	for _, call := range []string{"pending", "blocks", "append", "settle"} {
		for n := 1; n <= 3; n++ {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprint(call, n, late), func(t *testing.T) {
					s := newStore()
					l := journal.NewLog(journal.Config{Store: s}).Within(4, 2)
					if late {
						s.hook(nil, failingAt(call, n))
					} else {
						s.hook(failingAt(call, n), nil)
					}
					ids := commitMany(t, s, 0, 7)
					failed := 0
					for range 3 {
						if _, err := l.Sync(t.Context()); err != nil {
							if !fault.Is(err, fault.Unavailable) {
								t.Error(err)
							}
							failed++
						}
					}
					if failed != 1 {
						t.Errorf("%d of 3 failed", failed)
					}
					if diff := cmp.Diff(sorted(ids), sorted(logged(t, s))); diff != "" {
						t.Error(diff)
					}
					nonePending(t, s)
					if got := l.State(); got.Size != 7 {
						t.Errorf("%+v", got)
					}
				})
			}
		}
	}
}

func TestAnErrorThatSaysNothingIsUnavailable(t *testing.T) {
	s := newStore()
	s.hook(func(string) error { return errors.New("no answer") }, nil)
	if _, err := journal.NewLog(journal.Config{Store: s}).Sync(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestFiveThousandAtOnceAreLoggedByOneSyncInBlocksWithinTheirBounds(t *testing.T) {
	s := newStore()
	var ids []string
	for n := range 5000 {
		e := happened(t, n)
		if n < 1000 { // these fill blocks by their bytes
			e.Body = append(e.Body, bytes.Repeat([]byte{' '}, 2000)...)
		}
		ids = append(ids, commit(t, s, fmt.Sprint("lic_", n), e)...)
	}
	l := journal.NewLog(journal.Config{Store: s})
	if got := mustSync(t, l); got.Size != 5000 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(ids, logged(t, s)); diff != "" { // in the order of their commits
		t.Error(diff)
	}
	for _, b := range blocks(t, s) {
		size := 0
		for _, e := range b.Entries {
			size += len(e.Body)
		}
		if len(b.Entries) > storage.MaxBlock || size > 256<<10 {
			t.Errorf("the block at %d has %d entries and %d bytes", b.First, len(b.Entries), size)
		}
	}
	nonePending(t, s)
}

func TestTheLargestEntriesFitInBlocks(t *testing.T) {
	s := newStore()
	for n := range 6 {
		e := happened(t, n)
		e.Body = bytes.Repeat([]byte{'x'}, storage.MaxEntry)
		commit(t, s, fmt.Sprint("lic_", n), e)
	}
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	var got []int
	for _, b := range blocks(t, s) {
		got = append(got, len(b.Entries))
	}
	if diff := cmp.Diff([]int{4, 2}, got); diff != "" {
		t.Error(diff)
	}
}

// Else a log falls behind whoever commits large entries: four fill a block, and
// a read has a thousand.
func TestWhatFillsManyBlocksIsReadOnce(t *testing.T) {
	s := newStore()
	for n := range 40 {
		e := happened(t, n)
		e.Body = bytes.Repeat([]byte{'x'}, storage.MaxEntry)
		commit(t, s, fmt.Sprint("lic_", n), e)
	}
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	calls := map[string]int{}
	for _, call := range s.told() {
		calls[call]++
	}
	if calls["append"] != 10 || calls["pending"] != 1 {
		t.Errorf("the calls were %v", calls)
	}
	nonePending(t, s)
}

func TestAnEntryThatCannotBeDecodedIsLoggedAsItIs(t *testing.T) {
	s := newStore()
	bad := happened(t, 0)
	bad.Body = []byte("\x00{]")
	commit(t, s, "lic_0", bad)
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	if diff := cmp.Diff([]storage.Entry{bad}, blocks(t, s)[0].Entries); diff != "" {
		t.Error(diff)
	}
}

// twice is a store whose reads of pending show each entry twice, as a scan
// that others write under may.
type twice struct{ *store }

func (s twice) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	found, err := s.store.Pending(ctx, limit/2)
	return append(found, found...), err
}

func TestWhatAReadOfPendingShowsTwiceIsLoggedOnce(t *testing.T) {
	s := newStore()
	ids := commitMany(t, s, 0, 3)
	mustSync(t, journal.NewLog(journal.Config{Store: twice{s}}))
	if diff := cmp.Diff(ids, logged(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestTimesOfBlocksStayAsTheyWereWhenTheClockGoesBack(t *testing.T) {
	s := newStore()
	now := noon.Add(1500 * time.Microsecond)
	l := journal.NewLog(journal.Config{Store: s, Now: func() time.Time { return now.In(time.FixedZone("", 3600)) }})
	for i, moved := range []time.Duration{0, -time.Hour, time.Hour} {
		now = now.Add(moved)
		commitMany(t, s, i, i+1)
		mustSync(t, l)
	}
	var got []time.Time
	for _, b := range blocks(t, s) {
		got = append(got, b.At)
	}
	at := noon.Add(time.Millisecond)
	if diff := cmp.Diff([]time.Time{at, at, at}, got); diff != "" {
		t.Error(diff)
	}
}

func TestASyncIsSharedByThoseWhoAskedBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		mustSync(t, l)
		s.told()
		let := make(chan struct{})
		s.hook(func(call string) error {
			if call == "blocks" {
				<-let
			}
			return nil
		}, nil)
		var all sync.WaitGroup
		all.Go(func() { mustSync(t, l) })
		synctest.Wait() // it has read pending
		commitMany(t, s, 0, 1)
		for range 100 {
			all.Go(func() {
				if got := mustSync(t, l); got.Size != 1 {
					t.Errorf("one that was asked for after a commit ended at %+v", got)
				}
			})
		}
		synctest.Wait()
		close(let)
		all.Wait()
		if diff := cmp.Diff([]string{"pending", "blocks", "pending", "blocks", "pending", "blocks", "append", "settle"}, s.told()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhoGivesUpHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		commitMany(t, s, 0, 1)
		ctx, cancel := context.WithCancel(t.Context())
		s.hook(func(call string) error {
			if call == "pending" && ctx.Err() == nil {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}, nil)
		var all sync.WaitGroup
		for range 3 { // one leads, and the others wait for it
			all.Go(func() {
				if _, err := l.Sync(ctx); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
					t.Errorf("of one that gave up: %v", err)
				}
			})
		}
		synctest.Wait()
		for range 3 {
			all.Go(func() {
				if got := mustSync(t, l); got.Size != 1 {
					t.Errorf("%+v", got)
				}
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
	})
}

func TestTwoServersAndManyCommittersMakeOneLog(t *testing.T) {
	s := newStore()
	var logs [2]*journal.Log
	for i := range logs {
		logs[i] = journal.NewLog(journal.Config{Store: s, Poll: 5 * time.Millisecond, Pace: time.Millisecond})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running, committing sync.WaitGroup
	for _, l := range logs {
		running.Go(func() { l.Run(ctx) })
	}
	const committers, each = 8, 50
	for c := range committers {
		committing.Go(func() {
			for n := c * each; n < (c+1)*each; n++ {
				commitMany(t, s, n, n+1)
				logs[c%2].Committed()
				if n%10 == 0 {
					got, err := logs[n/10%2].Sync(ctx)
					if place := slices.Index(logged(t, s), happened(t, n).ID); err != nil || place < 0 || int64(place) >= got.Size {
						t.Errorf("a Sync after the commit of %d ended at %+v, %v; it is at %d", n, got, err, place)
					}
				}
			}
		})
	}
	committing.Wait()
	a, b := mustSync(t, logs[0]), mustSync(t, logs[1])
	cancel()
	running.Wait()
	if ids := sorted(logged(t, s)); len(slices.Compact(ids)) != committers*each || a != b || a.Size != committers*each {
		t.Errorf("%d entries, %+v and %+v", len(ids), a, b)
	}
	nonePending(t, s)
}
