package engines

import (
	"os/exec"
	"testing"
)

// DumpPostgres writes what a database holds at one moment into a file, by pg_dump.
func DumpPostgres(t testing.TB, databaseURL, file string) {
	t.Helper()
	postgresTool(t, "pg_dump", "--format=custom", "--file="+file, databaseURL)
}

// RestorePostgres has the tables of such a file be as it says, by pg_restore. Who
// uses them meanwhile sees them as they were before or after.
func RestorePostgres(t testing.TB, databaseURL, file string) {
	t.Helper()
	postgresTool(t, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--dbname="+databaseURL, file)
}

// postgresTool runs a program of PostgreSQL's as this process's user.
func postgresTool(t testing.TB, name string, args ...string) {
	t.Helper()
	path, err := postgresProgram(name)
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, output)
	}
}
