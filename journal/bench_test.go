package journal_test

import (
	"context"
	"sync"
	"testing"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// One entry, from its commit until each of 1,000 followers has it; another
// 1,000 are woken for nothing.
func BenchmarkFanOutToAThousandFollowers(b *testing.B) {
	s := newStore()
	l := journal.NewLog(journal.Config{Store: s})
	mustSync(b, l)
	const followers = 1000
	ctx, cancel := context.WithCancel(context.Background())
	var given, following sync.WaitGroup
	for _, filter := range []storage.EntryFilter{{}, {Types: []string{"no.such"}}} {
		for range followers {
			f := l.Follow(filter, -1)
			following.Go(func() {
				for {
					if _, err := f.Next(ctx); err != nil {
						return
					}
					given.Done()
				}
			})
		}
	}
	n := 0
	for b.Loop() {
		given.Add(followers)
		commitMany(b, s, n, n+1)
		n++
		mustSync(b, l)
		given.Wait()
	}
	cancel()
	following.Wait()
}
