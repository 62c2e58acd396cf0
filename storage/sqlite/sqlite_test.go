package sqlite_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// open opens the file at path and closes it when the test ends.
func open(t *testing.T, path string) storage.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrated is open, with the current schema.
func migrated(t *testing.T, path string) storage.Store {
	t.Helper()
	s := open(t, path)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	paths := map[storage.Store]string{}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		path := filepath.Join(t.TempDir(), "keywright.db")
		s := migrated(t, path)
		paths[s] = path
		return s
	}, storagetest.Options{
		Peer: func(t *testing.T, s storage.Store) storage.Store { return open(t, paths[s]) },
		Bare: func(t *testing.T) (s, peer storage.Store) {
			path := filepath.Join(t.TempDir(), "keywright.db")
			return open(t, path), open(t, path)
		},
		Newer: func(t *testing.T, s storage.Store) { execute(t, s, "PRAGMA user_version = 99") },
		Damage: func(t *testing.T, s storage.Store, first int64) {
			execute(t, s, fmt.Sprintf("UPDATE chunk SET data = x'00' WHERE block = %d", first))
		},
		File: open,
	})
}

// execute runs a statement behind the driver's back.
func execute(t *testing.T, s storage.Store, statement string) {
	t.Helper()
	if err := sqlite.Exec(t.Context(), s, statement); err != nil {
		t.Fatal(err)
	}
}
