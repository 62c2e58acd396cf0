package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

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

	size := make([]int64, licenses) // of the log when the license was acknowledged
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := caller; n < licenses; n += callers {
				if err := s.Commit(t.Context(), whole(n)); err != nil {
					t.Error(err)
				}
				info, err := os.Stat(path + "-wal")
				if err != nil {
					t.Error(err)
					return
				}
				size[n] = info.Size()
			}
		})
	}
	all.Wait()
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
		if err := after.Commit(t.Context(), storagetest.LicenseChange(licenses)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
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
