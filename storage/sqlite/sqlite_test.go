package sqlite_test

import (
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
	})
}
