package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// about is a filter that leaves what concerns the license n.
func about(n int) storage.EntryFilter {
	return storage.EntryFilter{Subjects: []string{fmt.Sprint("lic_", n)}}
}

// next gives the next n entries' ids.
func next(t testing.TB, f *journal.Follower, n int) (ids []string) {
	t.Helper()
	for range n {
		e, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

// ended fails where f has anything more to give.
func ended(t testing.TB, f *journal.Follower) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // in a bubble
	defer cancel()
	if e, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("there came %+v, %v", e, err)
	}
}

func TestAFollowerGivesEachEntryAsItWasCommittedWithItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s, Now: func() time.Time { return noon.Add(time.Hour) }})
		f := l.Follow(storage.EntryFilter{}, -1)
		var got []*journal.Event
		var following sync.WaitGroup
		following.Go(func() { // begins before the log does
			for range 3 {
				e, err := f.Next(t.Context())
				if err != nil {
					t.Error(err)
				}
				got = append(got, e)
			}
		})
		synctest.Wait()
		commitMany(t, s, 0, 2)
		mustSync(t, l)
		commitMany(t, s, 2, 3)
		mustSync(t, l)
		following.Wait()
		for i, e := range got {
			want, err := journal.Decode(happened(t, i))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&journal.Event{Index: int64(i), Logged: noon.Add(time.Hour), Entry: want}, e); diff != "" {
				t.Error(diff)
			}
		}
		ended(t, f)
	})
}

func TestFollowersOfOneServerShareWhatIsDecoded(t *testing.T) {
	s := newStore()
	l := journal.NewLog(journal.Config{Store: s})
	mustSync(t, l)
	commitMany(t, s, 0, 1)
	mustSync(t, l)
	s.told()
	one, err := l.Follow(storage.EntryFilter{}, -1).Next(t.Context())
	two, errTwo := l.Follow(about(0), -1).Next(t.Context())
	if one != two || err != nil || errTwo != nil {
		t.Errorf("%p, %v and %p, %v", one, err, two, errTwo)
	}
	if calls := s.told(); len(calls) > 0 {
		t.Errorf("storage was asked: %v", calls)
	}
}

// What lies before the entries that the server has in memory comes from
// storage, and then the follower goes over to those without a seam.
func TestAFollowerThatIsFarBehindReadsStorageUntilItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		ids := commitMany(t, s, 0, 30)
		mustSync(t, journal.NewLog(journal.Config{Store: s}).Within(99, 7))
		l := journal.NewLog(journal.Config{Store: s})
		mustSync(t, l) // it has read the last block, the entries 28 and 29
		ids = append(ids, commitMany(t, s, 30, 40)...)
		mustSync(t, l)
		s.told()
		f := l.Follow(storage.EntryFilter{}, 9)
		if diff := cmp.Diff(ids[10:], next(t, f, 30)); diff != "" {
			t.Error(diff)
		}
		ended(t, f)
		if calls := s.told(); len(calls) != 2 { // of 16 entries
			t.Errorf("storage was asked: %v", calls)
		}
	})
}

func TestAFilterThatLeavesNothingIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		commitMany(t, s, 0, 30)
		mustSync(t, journal.NewLog(journal.Config{Store: s}).Within(99, 7))
		l := journal.NewLog(journal.Config{Store: s})
		l.Ring(1)
		mustSync(t, l)
		s.told()
		f := l.Follow(about(99), -1)
		for n := 30; n < 33; n++ {
			ended(t, f)
			commitMany(t, s, n, n+1)
			mustSync(t, l)
		}
		asked := slices.DeleteFunc(s.told(), func(call string) bool { return call != "entries" })
		if len(asked) != 1 {
			t.Errorf("storage was asked %d times", len(asked))
		}
		commitMany(t, s, 99, 100)
		mustSync(t, l)
		next(t, f, 1)
	})
}

// Entries that another server appended are there for whoever asks storage,
// before this server has read that they continue the log.
func TestAFollowerGivesNothingThatTheServerHasNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		ids := commitMany(t, s, 0, 2)
		other := journal.NewLog(journal.Config{Store: s}).Within(9, 1)
		mustSync(t, other)
		l := journal.NewLog(journal.Config{Store: s})
		mustSync(t, l)
		ids = append(ids, commitMany(t, s, 2, 3)...)
		mustSync(t, other)
		all, third := l.Follow(storage.EntryFilter{}, -1), l.Follow(about(2), -1)
		next(t, all, 2)
		ended(t, all)
		ended(t, third)
		mustSync(t, l)
		for _, f := range []*journal.Follower{all, third} {
			if diff := cmp.Diff(ids[2:], next(t, f, 1)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestAnEntryThatCannotBeDecodedIsToldOnceAndPassed(t *testing.T) {
	for _, inMemory := range []bool{true, false} {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		if inMemory {
			mustSync(t, l)
		}
		bad := happened(t, 0)
		bad.Body = []byte("{")
		commit(t, s, "lic_0", bad)
		ids := commitMany(t, s, 1, 2)
		mustSync(t, journal.NewLog(journal.Config{Store: s}))
		mustSync(t, l)
		f := l.Follow(storage.EntryFilter{}, -1)
		if e, err := f.Next(t.Context()); e != nil || !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "at 0 ") {
			t.Errorf("%+v, %v", e, err)
		}
		if diff := cmp.Diff(ids, next(t, f, 1)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAFollowerGoesOnAfterStorageWasDown(t *testing.T) {
	s := newStore()
	ids := commitMany(t, s, 0, 2)
	l := journal.NewLog(journal.Config{Store: s})
	mustSync(t, journal.NewLog(journal.Config{Store: s}).Within(9, 1))
	mustSync(t, l)
	f := l.Follow(storage.EntryFilter{}, -1)
	s.hook(func(string) error { return errors.New("no answer") }, nil)
	for range 2 {
		if e, err := f.Next(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%+v, %v", e, err)
		}
	}
	s.hook(nil, nil)
	if diff := cmp.Diff(ids, next(t, f, 2)); diff != "" {
		t.Error(diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Follow(storage.EntryFilter{}, -1).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAThousandFollowersAreWokenByOneEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		defer ran(t, l)()
		const followers = 1000
		var following sync.WaitGroup
		for n := range followers {
			f := l.Follow(about(n%10), -1)
			following.Go(func() {
				for _, want := range []int{n % 10, n % 10} {
					e, err := f.Next(t.Context())
					if err != nil || e.License != fmt.Sprint("lic_", want) {
						t.Errorf("%+v, %v", e, err)
					}
				}
			})
		}
		synctest.Wait()
		for n := range 20 {
			e := happened(t, n)
			e.Subjects = []string{fmt.Sprint("lic_", n%10)}
			again := suspended()
			again.ID, again.License = e.ID, fmt.Sprint("lic_", n%10)
			e.Body = encoded(t, again).Body
			commit(t, s, fmt.Sprint("lic_ ", n), e)
			l.Committed()
			passes(100 * time.Millisecond)
		}
		following.Wait()
		if asked := slices.Contains(s.told(), "entries"); asked {
			t.Error("storage was asked for entries that are in memory")
		}
	})
}

// Whatever is committed when, by whichever server it is logged, and wherever
// followers begin: each gives what its filter leaves behind its place, in
// order, once.
func TestFollowersMissNothingAndRepeatNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		l.Ring(rapid.SampledFrom([]int{1, 2, 5, 100}).Draw(t, "ring"))
		other := journal.NewLog(journal.Config{Store: s}).Within(9, rapid.IntRange(1, 3).Draw(t, "block"))
		type following struct {
			*journal.Follower
			filter storage.EntryFilter
			after  int64
			given  []int64
		}
		var all []*following
		drain := func(f *following, n int) {
			for range n {
				e, err := f.Next(&noWait{Context: context.Background()})
				if err != nil {
					return
				}
				f.given = append(f.given, e.Index)
			}
		}
		committed := 0
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				e := happened(t, committed)
				e.Type = rapid.SampledFrom([]string{"a.b", "a.c", "b.c"}).Draw(t, "type")
				commit(t, s, fmt.Sprint("lic_", committed), e)
				committed++
			},
			"sync":       func(t *rapid.T) { mustSync(t, l) },
			"sync other": func(t *rapid.T) { mustSync(t, other) },
			"follow": func(t *rapid.T) {
				f := &following{after: int64(rapid.IntRange(-1, committed).Draw(t, "after"))}
				f.filter.Types = rapid.SampledFrom([][]string{nil, {"a.*"}, {"b.c"}, {"c.d"}}).Draw(t, "types")
				f.Follower = l.Follow(f.filter, f.after)
				all = append(all, f)
			},
			"next": func(t *rapid.T) {
				if len(all) > 0 {
					drain(rapid.SampledFrom(all).Draw(t, "follower"), rapid.IntRange(1, 4).Draw(t, "n"))
				}
			},
		})
		mustSync(t, l)
		for _, f := range all {
			drain(f, committed+1)
			page, err := s.Entries(context.Background(), storage.EntryQuery{Filter: f.filter, First: committed + 1, After: &f.after})
			if err != nil {
				t.Fatal(err)
			}
			var want []int64
			for _, e := range page.Entries {
				want = append(want, e.Index)
			}
			if diff := cmp.Diff(want, f.given); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// noWait is a context that ends when somebody waits for it.
type noWait struct {
	context.Context
	waited bool
}

func (c *noWait) Done() <-chan struct{} {
	c.waited = true
	done := make(chan struct{})
	close(done)
	return done
}

func (c *noWait) Err() error {
	if c.waited {
		return context.Canceled
	}
	return nil
}

func TestARingKeepsTheLastEntriesWithinItsBounds(t *testing.T) {
	s := newStore()
	l := journal.NewLog(journal.Config{Store: s})
	mustSync(t, l)
	for round := range 4 { // 160 entries of 64 KiB
		for n := round * 40; n < (round+1)*40; n++ {
			e := happened(t, n)
			e.Body = bytes.Repeat([]byte{'x'}, storage.MaxEntry)
			commit(t, s, fmt.Sprint("lic_", n), e)
		}
		mustSync(t, l)
	}
	if first, entries, size := l.Kept(); entries < 28 || first != int64(160-entries) || size > 4<<20 {
		t.Errorf("%d entries from %d on, %d bytes", entries, first, size)
	}
	commitMany(t, s, 160, 5_000)
	mustSync(t, l)
	if first, entries, size := l.Kept(); first+int64(entries) != 5_000 || entries < 1000 || size > 4<<20 {
		t.Errorf("%d entries from %d on, %d bytes", entries, first, size)
	}
	l.Ring(100)
	for n := 5_000; n < 5_003; n++ {
		commitMany(t, s, n, n+1)
		mustSync(t, l)
		if first, entries, _ := l.Kept(); first != int64(n-99) || entries != 100 {
			t.Errorf("%d entries from %d on, of at most 100", entries, first)
		}
	}
}
