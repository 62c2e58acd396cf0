package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

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

// sizeWith gives the size of a database with so many licenses.
func sizeWith(t *testing.T, licenses int) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	if err := storagetest.Fill(t.Context(), s, 0, licenses, false); err != nil {
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
