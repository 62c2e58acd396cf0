package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// A power cut can leave any beginning of the log that has not been through
// fsync. Whatever is left, what was acknowledged by then is there, and nothing
// is there in part. (kill -9 shows less: the kernel keeps its pages.)
func TestALogCutAnywhereHoldsWhatWasAcknowledged(t *testing.T) {
	const licenses, callers = 24, 3
	step := int64(512 * 101) // a prime, so that cuts fall everywhere in a page
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		step = 512
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "keywright.db")
	if err := migrated(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	database := slurp(t, path)
	s := open(t, path)

	walSize := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Error(err)
			return 0
		}
		return info.Size()
	}
	size := make([]int64, licenses) // of the log when the license was acknowledged
	var sequenced []acknowledgement
	done := make(chan struct{})
	var sequencer, all sync.WaitGroup
	sequencer.Go(func() { sequenced = sequenceAndNote(t, s, walSize, done) })
	for caller := range callers {
		all.Go(func() {
			for n := caller; n < licenses; n += callers {
				if err := s.Commit(t.Context(), whole(n)); err != nil {
					t.Error(err)
				}
				size[n] = walSize()
			}
		})
	}
	all.Wait()
	close(done)
	sequencer.Wait()
	if len(sequenced) == 0 {
		t.Fatal("nothing was moved into the log")
	}
	log := slurp(t, path+"-wal")

	for cut := int64(0); cut <= int64(len(log)); cut += step {
		copied := filepath.Join(dir, "cut.db")
		write(t, copied, database)
		write(t, copied+"-wal", log[:cut])
		acknowledged := map[int]bool{}
		for n, size := range size {
			acknowledged[n] = size <= cut
		}
		after := open(t, copied)
		verify(t, after, acknowledged, licenses)
		wantLogged(t, after, sequenced, cut)
		if err := after.Commit(t.Context(), storagetest.LicenseChange(licenses)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// acknowledgement says that there were so many entries in the journal's log
// when that of the database had this size.
type acknowledgement struct {
	entries int
	size    int64
}

// sequenceAndNote moves entries into the log until done is closed and all are
// there.
func sequenceAndNote(t *testing.T, s storage.Store, walSize func() int64, done <-chan struct{}) []acknowledgement {
	var all []acknowledgement
	moved := 0
	for last := false; ; {
		count, err := storagetest.Sequence(t.Context(), s, 5)
		if err != nil {
			t.Error(err)
			return all
		}
		if count > 0 {
			moved += count
			all = append(all, acknowledgement{moved, walSize()})
		} else if last {
			return all
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
}

// wantLogged fails unless the log has at least what was acknowledged when the
// database's was no longer than the cut.
func wantLogged(t *testing.T, s storage.Store, sequenced []acknowledgement, cut int64) {
	t.Helper()
	want, got := 0, 0
	for _, a := range sequenced {
		if a.size <= cut {
			want = a.entries
		}
	}
	for _, b := range logged(t, s) {
		got += len(b.Entries)
	}
	if got < want {
		t.Fatalf("cut at %d: %d entries of %d that were acknowledged are in the log", cut, got, want)
	}
}

func slurp(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
