package sqlite_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// sequenceUntil moves entries into the log until done is closed, and then once
// more. There may be no room for it.
func sequenceUntil(t *testing.T, s storage.Store, done <-chan struct{}) {
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		if _, err := storagetest.Sequence(t.Context(), s, 40); err != nil && !fault.Is(err, fault.Unavailable) {
			t.Errorf("sequence: %v", err)
			return
		}
	}
}

// accountedFor gives the entries that are pending or in the log, and fails
// unless that is whole: without a gap, each entry once, and found by what it
// concerns.
func accountedFor(t *testing.T, s storage.Store) map[string]bool {
	t.Helper()
	accounted := map[string]bool{}
	concerning := map[string][]string{}
	for _, b := range logged(t, s) {
		for _, e := range b.Entries {
			if accounted[e.ID] {
				t.Fatalf("%s is in the log twice", e.ID)
			}
			accounted[e.ID] = true
			concerning[e.Subjects[0]] = append(concerning[e.Subjects[0]], e.ID)
		}
	}
	for subject, want := range concerning {
		page, err := s.Entries(t.Context(), storage.EntryQuery{Filter: storage.EntryFilter{Subjects: []string{subject}}, First: 99})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Entries {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("of %s there is and is found (-there +found):\n%s", subject, diff)
		}
	}
	waiting, err := s.Pending(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range waiting {
		accounted[p.ID] = true
	}
	return accounted
}

// logged gives the whole log and fails if it has a gap.
func logged(t *testing.T, s storage.Store) []storage.Block {
	t.Helper()
	var all []storage.Block
	for next := int64(0); ; {
		some, err := s.Blocks(t.Context(), next, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		for _, b := range some {
			if b.First != next {
				t.Fatalf("a block begins at %d, want %d", b.First, next)
			}
			next = b.Next()
		}
		all = append(all, some...)
	}
}

func TestAFullDatabaseTakesABlockWholeOrNotAtAll(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	var want []storage.Block
	next := 0
	for _, pages := range []int{80, 81, 83, 110} {
		if err := sqlite.Exec(t.Context(), s, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{70, 9, 1} { // what is smaller may have room
			b := storagetest.LogBlock(next, size)
			err := s.AppendBlock(t.Context(), b)
			for ; err == nil; err = s.AppendBlock(t.Context(), b) {
				want, next = append(want, b), next+size
				b = storagetest.LogBlock(next, size)
			}
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "full") {
				t.Fatalf("got %v", err)
			}
		}
		if diff := cmp.Diff(want, logged(t, s), cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatalf("with %d pages (-appended +log):\n%s", pages, diff)
		}
		accountedFor(t, s)
	}
	if verdict, err := sqlite.Integrity(t.Context(), s); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
}

func TestAFullDiskSettlesAllOrNothing(t *testing.T) {
	if !inAChild(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	const licenses = 40
	for n := range licenses {
		if err := s.Commit(t.Context(), whole(n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := storagetest.Sequence(t.Context(), s, 2*licenses); err != nil {
		t.Fatal(err)
	}
	waiting, err := s.Pending(t.Context(), 3*licenses)
	if err != nil || len(waiting) != 2*licenses {
		t.Fatalf("%d are pending, %v", len(waiting), err)
	}
	refused := 0
	for room := int64(0); len(waiting) > 0; room += 4096 {
		log, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		limitFiles(t, uint64(log.Size()+room))
		err = s.Settle(t.Context(), waiting)
		left, errPending := s.Pending(t.Context(), 3*licenses)
		if errPending != nil || len(left) != 0 && len(left) != 2*licenses || err == nil && len(left) > 0 {
			t.Fatalf("%v, and %d are still pending, %v", err, len(left), errPending)
		}
		if err != nil {
			refused++
		}
		waiting = left
	}
	if refused == 0 {
		t.Error("there was room at once")
	}
	verify(t, s, nil, licenses)
}

// (Of the last page a part may be gone unseen; the journal sees it.)
func TestAFileThatWasCutIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keywright.db")
	s := migrated(t, path)
	for n := 0; n < 1000; n += 100 {
		if err := s.AppendBlock(t.Context(), storagetest.LogBlock(n, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := slurp(t, path)
	for cut := 4096; cut <= len(file)-4096; cut += 10_007 {
		copied := filepath.Join(dir, "cut.db")
		write(t, copied, file[:cut])
		s, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: copied})
		if err == nil {
			_ = s.Close()
			t.Fatalf("cut to %d bytes of %d it was opened", cut, len(file))
		}
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
	}
}
