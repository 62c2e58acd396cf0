package journal_test

import (
	"context"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// misfiled is a storage that finds this wrong with what it looks entries up by.
type misfiled struct {
	storage.Journal
	check func(ctx context.Context) (*storage.Misfit, error)
}

func (m misfiled) CheckEntries(ctx context.Context) (*storage.Misfit, error) { return m.check(ctx) }

func TestALookupThatDoesNotFitTheLogIsFound(t *testing.T) {
	log := newLog(t, 2, 3)
	for index, want := range map[int64]int64{3: 3, 99: 99, -1: journal.Nowhere, -32: journal.Nowhere} {
		store := misfiled{log.store, func(context.Context) (*storage.Misfit, error) {
			return &storage.Misfit{Index: index, Problem: "its tag 100%d is gone"}, nil
		}}
		wantFinding(t, "a misfit", store, want, "its tag 100%d is gone")
		if report, _ := verify(t, store); report.Size != 5 {
			t.Errorf("%d entries were verified", report.Size)
		}
	}
	store := misfiled{log.store, func(context.Context) (*storage.Misfit, error) {
		return nil, fault.Errorf(fault.Unavailable, "storage is away")
	}}
	if _, err := verify(t, store); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

// What is wrong with the log itself is told at once, since what entries are
// found by is of no account then.
func TestALogThatIsNotWholeEndsTheCheckOfLookups(t *testing.T) {
	log := newLog(t, 2, 3)
	ended := false
	store := misfiled{log.replace(func(b []storage.Block) []storage.Block { return b[1:] }), func(ctx context.Context) (*storage.Misfit, error) {
		<-ctx.Done()
		ended = true
		return nil, ctx.Err()
	}}
	wantFinding(t, "the first", store, 0, "the entries 0 to 1 are missing")
	if !ended {
		t.Error("the check goes on")
	}
}

func TestLookupsAreCheckedBesideTheLog(t *testing.T) {
	log := newLog(t, 2, 3)
	begun := make(chan struct{})
	_, err := journal.Verify(t.Context(), journal.Verification{
		Store:    misfiled{log.store, func(context.Context) (*storage.Misfit, error) { close(begun); return nil, nil }},
		Progress: func(int64) { <-begun },
	})
	if err != nil {
		t.Error(err)
	}
}
