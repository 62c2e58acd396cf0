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
	"time"

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
	c.Entries = append(c.Entries, storage.Entry{
		ID: c.Entries[0].ID + " second", Type: "license.updated", Subjects: []string{c.Record.ID}, Body: []byte("{}"),
	})
	return c
}

// verify fails unless every acknowledged license is there, whole, and no other
// is there in part.
func verify(t *testing.T, s storage.Store, acknowledged map[int]bool, upTo int) {
	t.Helper()
	if verdict, err := sqlite.Integrity(t.Context(), s); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	accounted := accountedFor(t, s)
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
		if len(found[0].Seats) != 2 || !accounted[want.Entries[0].ID] || !accounted[want.Entries[1].ID] {
			t.Fatalf("license %d is there in part", n)
		}
	}
	page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.EndsSoonest, First: upTo + 1})
	if err != nil || len(page.Records) != there || len(accounted) != 2*there {
		t.Fatalf("%d licenses by key, %d by list, %d entries, %v", there, len(page.Records), len(accounted), err)
	}
}

// fillUp commits whole licenses by several callers from first on until each
// has failed with Unavailable, while their entries are moved into the log. It
// marks what was acknowledged and gives the next number.
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
	done := make(chan struct{})
	var sequencer sync.WaitGroup
	sequencer.Go(func() { sequenceUntil(t, s, done) })
	callers.Wait()
	close(done)
	sequencer.Wait()
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

func TestAFullDiskIsUnavailableUntilThereIsRoom(t *testing.T) {
	if inAChild(t) {
		underAFileLimit(t)
	}
}

// inAChild reports whether the test runs in a process of its own, and where it
// does not runs it in one: a limit on files is the whole process's.
func inAChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv(limitedChild) != "" {
		signal.Ignore(syscall.SIGXFSZ)
		return true
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), limitedChild+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

func underAFileLimit(t *testing.T) {
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
	if err := sqlite.SetPatience(t.Context(), s, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	release := sqlite.Hold(other) // inside a transaction
	err := s.Commit(t.Context(), whole(0))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "busy") {
		t.Errorf("got %v", err)
	}
	release()
	if err := sqlite.SetPatience(t.Context(), s, 5*time.Second); err != nil {
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
	// Of a log that never began anew there would be over 4,400 pages; on a slow
	// machine some readers are not waited for.
	if pages := logPages(t, path); pages > 2000 {
		t.Errorf("the log has grown to %d pages, bound %d", pages, bound)
	}
}

// logPages is how many pages the write-ahead log has grown to.
func logPages(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size() / 4096
}
