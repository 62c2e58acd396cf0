package storagetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Sequence moves what is pending into the log, at most limit entries, as
// whoever keeps a journal must: it settles what pending still shows of the
// last block before it appends the next. A read that was cut off by the limit
// may not show all of that, and what is left would be taken for new once there
// is another block; so then all of the last block is settled, under each id that
// an entry concerns, one of which is its record's. It gives the number of
// entries that it appended.
func Sequence(ctx context.Context, s storage.Journal, limit int) (int, error) {
	last, err := s.Blocks(ctx, storage.LastBlock, 1)
	if err != nil {
		return 0, err
	}
	next, logged := int64(0), map[string]bool{}
	if len(last) > 0 {
		next = last[0].Next()
		for _, e := range last[0].Entries {
			logged[e.ID] = true
		}
	}
	waiting, err := s.Pending(ctx, limit)
	if err != nil {
		return 0, err
	}
	b := storage.Block{First: next, At: second(0), Head: []byte("head")}
	var settled []storage.Pending
	for _, p := range waiting {
		if logged[p.ID] {
			settled = append(settled, p)
		} else {
			b.Entries = append(b.Entries, p.Entry)
		}
	}
	if len(waiting) >= limit && len(last) > 0 {
		for _, e := range last[0].Entries {
			for _, record := range e.Subjects {
				settled = append(settled, storage.Pending{Record: record, Entry: e})
			}
		}
	}
	if err := s.Settle(ctx, settled); err != nil || len(b.Entries) == 0 {
		return 0, err
	}
	if err := s.AppendBlock(ctx, b); err != nil {
		return 0, err
	}
	return len(b.Entries), nil
}

// sequencersRace has writers commit entries while sequencers move them into
// the log, half of all by each handle.
func sequencersRace(t testing.TB, s, peer storage.Store) {
	const sequencers, commits = 4, 12
	handles := []storage.Store{s, peer}
	var appended atomic.Int64
	var lost atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var moving sync.WaitGroup
	for n := range sequencers {
		moving.Go(func() {
			for ctx.Err() == nil {
				count, err := Sequence(t.Context(), handles[n%2], 50)
				appended.Add(int64(count))
				if count == 0 { // writers need their turn of an engine that has one
					select {
					case <-time.After(time.Millisecond):
					case <-ctx.Done():
					}
				}
				if fault.Is(err, fault.Conflict) {
					lost.Add(1)
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	together(func(n int) {
		for i := range commits {
			r := license(fmt.Sprint("lic_", n))
			r.Version = int64(i)
			c := change(r)
			c.Entries = []storage.Entry{entry(fmt.Sprintf("%d %03d a", n, i)), entry(fmt.Sprintf("%d %03d b", n, i))}
			for i := range c.Entries {
				c.Entries[i].Subjects = []string{r.ID}
			}
			if err := handles[n%2].Commit(t.Context(), c); err != nil {
				t.Error(err)
				return
			}
		}
	})
	stop()
	moving.Wait()
	for count := 1; count > 0 || len(pending(t, s, 1)) > 0; {
		var err error
		count, err = Sequence(t.Context(), peer, 50)
		must(t, err)
		appended.Add(int64(count))
	}
	equal(t, appended.Load(), int64(2*writers*commits))
	holdsEachOnce(t, s, 2*writers*commits)
	if lost.Load() == 0 {
		t.Log("no sequencer lost a race")
	}
}

// holdsEachOnce fails unless the log has so many entries, without a gap, each
// id once, and those of one writer in the order of its commits.
func holdsEachOnce(t testing.TB, s storage.Store, want int) {
	t.Helper()
	next, seen, last := int64(0), map[string]bool{}, map[string]string{}
	for {
		some := blocks(t, s, next, 7)
		if len(some) == 0 {
			break
		}
		for _, b := range some {
			equal(t, b.First, next)
			next = b.Next()
			for _, e := range b.Entries {
				var writer string
				_, err := fmt.Sscan(e.ID, &writer)
				must(t, err)
				if seen[e.ID] || last[writer] >= e.ID {
					t.Fatalf("%s is in the log twice, or behind %s", e.ID, last[writer])
				}
				seen[e.ID], last[writer] = true, e.ID
			}
		}
	}
	equal(t, next, int64(want))
}

// appendersRace has many appenders add blocks at one place, again and again,
// half of them by each handle: one of them wins each.
func appendersRace(t testing.TB, s, peer storage.Store) {
	next := int64(0)
	for round := range 10 {
		var won atomic.Int64
		var winner sync.Map
		together(func(n int) {
			b := block(next, 1+(n*7)%70)
			b.Head = fmt.Append(nil, n)
			for i := range b.Entries {
				b.Entries[i].Actor = fmt.Sprint("USER ", round, " ", n)
			}
			switch err := []storage.Store{s, peer}[n%2].AppendBlock(t.Context(), b); fault.CodeOf(err) {
			case "":
				won.Add(1)
				winner.Store("is", b)
			case fault.Conflict:
			default:
				t.Error(err)
			}
		})
		equal(t, won.Load(), int64(1))
		is, _ := winner.Load("is")
		verbatim(t, blocks(t, peer, next, 9), []storage.Block{is.(storage.Block)})
		for n := range writers { // of those that lost nothing is found
			page := entries(t, s, storage.EntryQuery{First: 999, Filter: storage.EntryFilter{Actor: fmt.Sprint("USER ", round, " ", n)}})
			if b := is.(storage.Block); string(b.Head) == fmt.Sprint(n) {
				equal(t, len(page.Entries), len(b.Entries))
			} else {
				equal(t, len(page.Entries), 0)
			}
		}
		next = is.(storage.Block).Next()
	}
}
