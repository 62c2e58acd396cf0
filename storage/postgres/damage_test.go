package postgres_test

import (
	"testing"

	"github.com/keywright/keywright/internal/sqlstore/sqlstoretest"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestALogWhoseRowsWereChanged(t *testing.T) {
	sqlstoretest.Run(t, sqlstoretest.Driver{Block: storagetest.LogBlock, Stores: restored, Exec: postgres.Exec, CheckEntries: postgres.CheckEntries})
}

// restored gives a store whose log is as fill leaves it.
func restored(t *testing.T, fill func(storage.Store) error) func(t *testing.T) storage.Store {
	t.Helper()
	s := migrated(t, database(t))
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	exec := func(t *testing.T, statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if err := postgres.Exec(t.Context(), s, statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	exec(t, "CREATE TABLE chunk_was AS TABLE chunk", "CREATE TABLE tag_was AS TABLE tag")
	return func(t *testing.T) storage.Store {
		t.Helper()
		exec(t, "TRUNCATE chunk, tag", "INSERT INTO chunk TABLE chunk_was", "INSERT INTO tag TABLE tag_was")
		return s
	}
}
