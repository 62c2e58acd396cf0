package engines_test

import (
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

func TestARestoredDatabaseHoldsWhatItsDumpSays(t *testing.T) {
	url := engines.Postgres(t)
	connection := connect(t, url)
	exec(t, connection, "CREATE TABLE kept AS SELECT 1 AS id")
	file := filepath.Join(t.TempDir(), "dump")
	engines.DumpPostgres(t, url, file)
	exec(t, connection, "INSERT INTO kept VALUES (2)")
	engines.RestorePostgres(t, url, file)
	if got := ask(t, connection, "SELECT string_agg(id::text, ' ') FROM kept"); got != "1" {
		t.Errorf("it holds %s", got)
	}
}
