package journal_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// pages is a storage that gives a block in one piece of memory with much else,
// as one that keeps entries packed together does.
type pages struct {
	*store
	given []weak.Pointer[[1 << 16]byte]
}

func (s *pages) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	found, err := s.store.Blocks(ctx, from, limit)
	for _, b := range found {
		page := new([1 << 16]byte)
		s.given = append(s.given, weak.Make(page))
		free := page[:0]
		for i, e := range b.Entries {
			start := len(free)
			free = append(free, e.Body...)
			b.Entries[i].Body = free[start:len(free):len(free)]
		}
	}
	return found, err
}

func TestWhatIsKeptOfABlockHoldsNothingElse(t *testing.T) {
	s := &pages{store: newStore()}
	other, l := journal.NewLog(journal.Config{Store: s.store}), journal.NewLog(journal.Config{Store: s})
	mustSync(t, l)
	var want []string
	for n := range 20 {
		want = append(want, commitMany(t, s, n, n+1)...)
		mustSync(t, other)
		mustSync(t, l)
	}
	runtime.GC()
	held := slices.DeleteFunc(s.given, func(p weak.Pointer[[1 << 16]byte]) bool { return p.Value() == nil })
	if len(held) > 2 { // that of the last block
		t.Errorf("%d pieces of storage's memory are held", len(held))
	}
	if got := next(t, l.Follow(storage.EntryFilter{}, -1), 20); !slices.Equal(got, want) {
		t.Errorf("kept are %v, want %v", got, want)
	}
}
