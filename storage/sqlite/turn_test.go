package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// A process that writes without a pause would else take SQLite's lock again
// before another asks for it.
func TestWhoHasWrittenComesAfterWhoWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	first, second := migrated(t, path), open(t, path)
	release := sqlite.Hold(first)
	commit := func(s storage.Store, n int) <-chan error {
		done := make(chan error, 1)
		go func() { done <- s.Commit(t.Context(), storagetest.LicenseChange(n)) }()
		return done
	}
	waits := commit(second, 2)
	for turnIsFree(t, path) && len(waits) == 0 {
		runtime.Gosched()
	}
	hasWritten := commit(first, 1)
	for sqlite.Waiting(first) == 0 {
		runtime.Gosched()
	}
	release()
	if err := errors.Join(<-waits, <-hasWritten); err != nil {
		t.Fatal(err)
	}
	pending, err := first.Pending(t.Context(), 10)
	if err != nil || len(pending) != 2 {
		t.Fatalf("%d are pending, %v", len(pending), err)
	}
	if got := pending[0].Subjects[0]; got != storagetest.LicenseID(2) {
		t.Errorf("%s was written first, by who had just written", got)
	}
}

func turnIsFree(t *testing.T, path string) bool {
	t.Helper()
	free, release, err := sqlite.Turn(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	return free
}

// A process may stand still while it has the turn.
func TestATurnThatNeverComesDelaysAWriteAndNoMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	if err := sqlite.SetPatience(t.Context(), s, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	taken, release, err := sqlite.Turn(path)
	if err != nil || !taken {
		t.Fatalf("taken %v, %v", taken, err)
	}
	for n := range 3 {
		if err := s.Commit(t.Context(), whole(n)); err != nil {
			t.Error(err)
		}
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestWritingGoesOnWhereNoTurnCanBeTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	if err := os.Mkdir(path+"-turn", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := migrated(t, path).Commit(t.Context(), whole(0)); err != nil {
		t.Error(err)
	}
}

func TestClosingLeavesTheDatabaseAlone(t *testing.T) {
	dir := t.TempDir()
	s := migrated(t, filepath.Join(dir, "keywright.db"))
	onlyThese(t, dir, "keywright.db", "keywright.db-shm", "keywright.db-turn", "keywright.db-wal")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	onlyThese(t, dir, "keywright.db")
}

// A process that writes all the time would keep another's log from ever
// beginning anew.
func TestTheLogStaysBoundedUnderConstantWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	stores := []storage.Store{migrated(t, path), open(t, path)}
	const bound = 300 // pages
	var writers sync.WaitGroup
	for number, s := range stores {
		if err := sqlite.KeepLogTo(t.Context(), s, 50, bound); err != nil {
			t.Fatal(err)
		}
		for part := range 4 {
			writers.Go(func() {
				for n := part; n < 200; n += 4 {
					if err := s.Commit(t.Context(), whole(1000*number+n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	writers.Wait()
	// Where no restart waits for its turn there are over 2,400.
	if pages := logPages(t, path); pages > 1800 {
		t.Errorf("the log has grown to %d pages, bound %d", pages, bound)
	}
}
