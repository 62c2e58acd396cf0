package postgres_test

import (
	"net/url"
	"testing"

	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
)

func TestMain(m *testing.M) { engines.Main(m) }

// database gives the URL of an empty database.
func database(t *testing.T) *url.URL {
	t.Helper()
	return parse(t, engines.Postgres(t))
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens a database and closes it when the test ends.
func open(t *testing.T, u *url.URL) storage.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*postgres.Store)
}

// migrated is open, with the current schema.
func migrated(t *testing.T, u *url.URL) storage.Store {
	t.Helper()
	s := open(t, u)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
