package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// whole is license n with what a change can carry.
func whole(n int) storage.Change {
	c := storagetest.LicenseChange(n)
	for _, seat := range []string{"act_a", "act_b"} {
		c.Put = append(c.Put, storage.Seat{ID: seat, Body: []byte(`{"platform":"linux"}`)})
	}
	c.Entries = append(c.Entries, storage.Entry{ID: c.Entries[0].ID + " second", Type: "license.updated", Body: []byte("{}")})
	return c
}

// verify fails unless every acknowledged license is there, whole, and no other
// is there in part.
func verify(t *testing.T, s storage.Store, acknowledged map[int]bool, upTo int) {
	t.Helper()
	if verdict, err := sqlite.Integrity(t.Context(), s); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	entries, err := s.Pending(t.Context(), 4*upTo)
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]bool{}
	for _, e := range entries {
		pending[e.ID] = true
	}
	there := 0
	for n := range upTo {
		found, err := s.Get(t.Context(), storagetest.LicenseID(n))
		if err != nil {
			t.Fatal(err)
		}
		if found[0] == nil {
			if acknowledged[n] {
				t.Fatalf("license %d was acknowledged and is not there", n)
			}
			continue
		}
		there++
		want := whole(n)
		if len(found[0].Seats) != 2 || !pending[want.Entries[0].ID] || !pending[want.Entries[1].ID] {
			t.Fatalf("license %d is there in part", n)
		}
	}
	page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.EndsSoonest, First: upTo + 1})
	if err != nil || len(page.Records) != there || len(entries) != 2*there {
		t.Fatalf("%d licenses by key, %d by list, %d entries, %v", there, len(page.Records), len(entries), err)
	}
}

// fillUp commits whole licenses by several callers from first on until each
// has failed with Unavailable, marks what was acknowledged and gives the next
// number.
func fillUp(t *testing.T, s storage.Store, acknowledged map[int]bool, first int) int {
	t.Helper()
	var mapMu sync.Mutex
	var callers sync.WaitGroup
	next := first
	for range 8 {
		callers.Go(func() {
			for {
				mapMu.Lock()
				n := next
				next++
				mapMu.Unlock()
				err := s.Commit(t.Context(), whole(n))
				if err != nil {
					if !fault.Is(err, fault.Unavailable) {
						t.Errorf("commit %d: %v", n, err)
					}
					return
				}
				mapMu.Lock()
				acknowledged[n] = true
				mapMu.Unlock()
			}
		})
	}
	callers.Wait()
	return next
}

func TestAFullDatabaseIsUnavailableUntilThereIsRoom(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	acknowledged := map[int]bool{}
	next := 0
	for _, pages := range []int{60, 90} {
		if err := sqlite.Exec(t.Context(), s, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
		before := len(acknowledged)
		next = fillUp(t, s, acknowledged, next)
		if len(acknowledged) == before {
			t.Fatal("nothing was committed")
		}
		verify(t, s, acknowledged, next)
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("not ready for reading: %v", err)
		}
	}
	err := s.Commit(t.Context(), whole(next))
	for err == nil { // where several had no room one may have
		acknowledged[next] = true
		next++
		err = s.Commit(t.Context(), whole(next))
	}
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "full") {
		t.Errorf("got %v", err)
	}
	if err := sqlite.Exec(t.Context(), s, "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	for n := range next { // what failed can be tried again
		if !acknowledged[n] {
			if err := s.Commit(t.Context(), whole(n)); err != nil {
				t.Fatal(err)
			}
			acknowledged[n] = true
		}
	}
	verify(t, s, acknowledged, next)
}

const limitedChild = "KEYWRIGHT_TEST_LIMITED_CHILD"

// The limit is the whole process's, so a child lives under it.
func TestAFullDiskIsUnavailableUntilThereIsRoom(t *testing.T) {
	if os.Getenv(limitedChild) != "" {
		underAFileLimit(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), limitedChild+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func underAFileLimit(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	acknowledged := map[int]bool{}
	next := 0
	for _, limit := range []uint64{500_000, 1_234_567, 3_000_000} {
		limitFiles(t, limit)
		before := len(acknowledged)
		next = fillUp(t, s, acknowledged, next)
		if len(acknowledged) == before {
			t.Fatalf("nothing was committed under %d bytes", limit)
		}
		verify(t, s, acknowledged, next)
	}
	limitFiles(t, syscall.RLIM_INFINITY&(1<<63-1))
	for n := range next {
		if !acknowledged[n] {
			if err := s.Commit(t.Context(), whole(n)); err != nil {
				t.Fatal(err)
			}
			acknowledged[n] = true
		}
	}
	verify(t, s, acknowledged, next)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, open(t, path), acknowledged, next)
}

// limitFiles bounds the size of every file that this process writes.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = min(bytes, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

func TestABusyDatabaseIsUnavailableUntilItIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	s, other := migrated(t, path), open(t, path)
	if err := sqlite.Exec(t.Context(), s, "PRAGMA busy_timeout = 20"); err != nil {
		t.Fatal(err)
	}
	release := sqlite.Hold(other) // inside a transaction
	err := s.Commit(t.Context(), whole(0))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "busy") {
		t.Errorf("got %v", err)
	}
	release()
	if err := sqlite.Exec(t.Context(), s, "PRAGMA busy_timeout = 5000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), whole(1)); err != nil {
		t.Fatal(err)
	}
	verify(t, s, map[int]bool{1: true}, 2)
}

// Readers that never pause would keep the log from ever beginning anew.
func TestTheLogStaysBoundedUnderConstantReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	const bound = 300 // pages
	if err := sqlite.KeepLogTo(t.Context(), s, 50, bound); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				_, err := s.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 5})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 300 { // of 15 pages or more each
		if err := s.Commit(t.Context(), whole(n)); err != nil {
			t.Error(err)
		}
	}
	stop()
	readers.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// Of a log that never began anew there would be over 4,400 pages; on a slow
	// machine some readers are not waited for.
	if pages := info.Size() / 4096; pages > 2000 {
		t.Errorf("the log has grown to %d pages, bound %d", pages, bound)
	}
}
