package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/internal/sqlstore/sqlstoretest"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestALogWhoseRowsWereChanged(t *testing.T) {
	sqlstoretest.Run(t, sqlstoretest.Driver{Block: storagetest.LogBlock, Stores: copies, Exec: sqlite.Exec, CheckEntries: sqlite.CheckEntries})
}

// copies gives stores that are all as fill leaves one.
func copies(t *testing.T, fill func(storage.Store) error) func(t *testing.T) storage.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // which moves the write-ahead log into the file
		t.Fatal(err)
	}
	file := slurp(t, path)
	return func(t *testing.T) storage.Store {
		t.Helper()
		copied := filepath.Join(t.TempDir(), "keywright.db")
		write(t, copied, file)
		return open(t, copied)
	}
}
