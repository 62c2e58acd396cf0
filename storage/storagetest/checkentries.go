package storagetest

import (
	"sync"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// That it finds what was changed is for each driver to test, which knows how.
var checkEntriesClauses = []clause{
	{"OfAnEmptyLogFindsNothing", func(t testing.TB, s storage.Store) { allFits(t, s) }},
	{"OfWhateverWasAppendedFindsNothing", func(t testing.TB, s storage.Store) {
		first := block(0, 1)
		first.Entries = odd()
		appended(t, s, first)
		allFits(t, s)
		next := first.Next()
		for _, size := range []int{1, 1, 30, 31, 32, 33, 64, storage.MaxBlock} {
			b := block(next, size)
			appended(t, s, b)
			allFits(t, s)
			next = b.Next()
		}
		for range 40 {
			appended(t, s, block(next, 1))
			allFits(t, s)
			next++
		}
	}},
	{"OfAVariedLogFindsNothing", func(t testing.TB, s storage.Store) {
		for _, b := range variedLog(0, 60) {
			appended(t, s, b)
		}
		allFits(t, s)
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.CheckEntries(ended(t))
		refused(t, err, fault.Unavailable)
	}},
}

// allFits fails unless entries are found by what they say.
func allFits(t testing.TB, s storage.Store) {
	t.Helper()
	misfit, err := s.CheckEntries(t.Context())
	must(t, err)
	if misfit != nil {
		t.Fatalf("at entry %d: %s", misfit.Index, misfit.Problem)
	}
}

// checkedMeanwhile has one handle append blocks while the other checks.
func checkedMeanwhile(t testing.TB, s, peer storage.Store) {
	done := make(chan struct{})
	var appender sync.WaitGroup
	appender.Go(func() {
		defer close(done)
		for _, b := range variedLog(0, 150) {
			if err := s.AppendBlock(t.Context(), b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer appender.Wait()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		allFits(t, peer)
	}
}
