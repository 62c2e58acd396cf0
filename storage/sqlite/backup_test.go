package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

func copyTo(ctx context.Context, s storage.Store, file string) error {
	return s.(storage.Copier).CopyTo(ctx, file)
}

// A copy under load is sound, has all that was acknowledged before it began,
// and of what came later each change whole or not at all.
func TestACopyUnderLoadHasAllThatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	s := migrated(t, filepath.Join(dir, "keywright.db"))
	if err := storagetest.Fill(t.Context(), s, 100_000, 103_000, false); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var next, acknowledged atomic.Int64 // by one caller: each before it, too
	begun := make(chan struct{})
	callers.Go(func() {
		for ctx.Err() == nil {
			n := next.Load()
			if err := s.Commit(ctx, whole(int(n))); err == nil {
				acknowledged.Store(n + 1)
			}
			if next.Add(1) == 50 {
				close(begun)
			}
		}
	})
	<-begun
	before := acknowledged.Load()
	file := filepath.Join(dir, "copy.db")
	err := copyTo(t.Context(), s, file)
	after := acknowledged.Load()
	stop()
	callers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if after == before {
		t.Error("nothing was committed meanwhile")
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	c := open(t, file)
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	copied := map[int]bool{}
	for n := range int(before) {
		copied[n] = true
	}
	wholeIn(t, c, copied, int(next.Load()), 3_000)
}

// wholeIn is verify beside so many other licenses.
func wholeIn(t *testing.T, s storage.Store, acknowledged map[int]bool, upTo, others int) {
	t.Helper()
	if verdict, err := sqlite.Integrity(t.Context(), s); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	there := others
	for n := range upTo {
		found, err := s.Get(t.Context(), storagetest.LicenseID(n))
		switch {
		case err != nil:
			t.Fatal(err)
		case found[0] == nil && acknowledged[n]:
			t.Fatalf("license %d was acknowledged and is not there", n)
		case found[0] != nil && len(found[0].Seats) != 2:
			t.Fatalf("license %d is there in part", n)
		case found[0] != nil:
			there++
		}
	}
	waiting, err := s.Pending(t.Context(), 1<<20)
	if err != nil || len(waiting) != 2*(there-others) {
		t.Errorf("%d entries of %d licenses, %v", len(waiting), there-others, err)
	}
	all, err := s.Dump(t.Context(), "", 1<<20)
	for err == nil && len(all) > 0 {
		there -= len(all)
		all, err = s.Dump(t.Context(), all[len(all)-1].ID, 1<<20)
	}
	if err != nil || there != 0 {
		t.Errorf("%d records are not given by their ids, %v", there, err)
	}
}

func TestACopyThatIsGivenUpInTheMiddleLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := migrated(t, filepath.Join(dir, "keywright.db"))
	if err := storagetest.Fill(t.Context(), s, 0, 3_000, false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
	defer cancel()
	if err := copyTo(ctx, s, filepath.Join(dir, "copy")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	onlyThese(t, dir, "keywright.db", "keywright.db-shm", "keywright.db-turn", "keywright.db-wal")
}

// onlyThese fails unless a directory has these files, and no other.
func onlyThese(t *testing.T, dir string, names ...string) {
	t.Helper()
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range there {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Error(diff)
	}
}
