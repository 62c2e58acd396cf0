package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// A license may cost 1,200 bytes of disk, all indexes included, and 200 more
// for the words that it is found by.
func TestALicenseFitsItsShareOfTheDisk(t *testing.T) {
	const share = 1_200 + 200
	licenses := 10_000
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		licenses = 100_000
	}
	each := (sizeWith(t, licenses) - sizeWith(t, 0)) / int64(licenses)
	t.Logf("%d licenses cost %d bytes each", licenses, each)
	if each > share {
		t.Errorf("that is more than %d", share)
	}
}

// An entry of the log may cost 500 bytes of disk, with all that it is found by,
// however few there are in a block.
func TestAnEntryOfTheLogFitsItsShareOfTheDisk(t *testing.T) {
	const share = 500
	entries := 2_000
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		entries = 100_000
	}
	for _, size := range []int{1, 7, 50, 1000} {
		each := (sizeOf(t, func(s storage.Store) error { return storagetest.FillLog(t.Context(), s, 0, entries, size) }) - sizeWith(t, 0)) / int64(entries)
		t.Logf("%d entries, %d a block, cost %d bytes each", entries, size, each)
		if each > share {
			t.Errorf("that is more than %d", share)
		}
	}
}

// sizeWith gives the size of a database with so many licenses.
func sizeWith(t *testing.T, licenses int) int64 {
	t.Helper()
	return sizeOf(t, func(s storage.Store) error { return storagetest.Fill(t.Context(), s, 0, licenses, false) })
}

// sizeOf gives the size of a database once it is filled.
func sizeOf(t *testing.T, fill func(storage.Store) error) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // which moves the log into the file
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
