package test_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

// backups are copies of the storage of a data directory, as an operator makes
// them and restores them.
type backups interface {
	// data gives a new data directory.
	data(t *testing.T) string
	// take copies the storage into a file that is not there yet.
	take(t *testing.T, data, file string)
	// restore puts the copy in the place of a storage that no server has open.
	restore(t *testing.T, data, file string)
	// setBack does so while servers have it open, in one transaction.
	setBack(t *testing.T, data, file string)
}

// eachBackups gives those of each engine, by its name.
func eachBackups() map[string]backups {
	return map[string]backups{"SQLite": ofFile{}, "PostgreSQL": ofDatabase{}}
}

// ofFile are copies that the program makes itself.
type ofFile struct{}

func (ofFile) data(t *testing.T) string { return t.TempDir() }

func (ofFile) take(t *testing.T, data, file string) {
	t.Helper()
	if _, stderr, err := keywright(t, data, "backup", file); err != nil {
		t.Fatalf("backup: %v\n%s", err, stderr)
	}
}

func (ofFile) restore(t *testing.T, data, file string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "keywright.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "keywright.db"), old, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (ofFile) setBack(t *testing.T, data, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "keywright.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	do := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	do("ATTACH ? AS old", file)
	do("BEGIN IMMEDIATE")
	for _, table := range oldTables(t, db) {
		do(`DELETE FROM main."` + table + `"`)
		do(`INSERT INTO main."` + table + `" SELECT * FROM old."` + table + `"`)
	}
	do("COMMIT")
}

func oldTables(t *testing.T, db *sql.DB) (names []string) {
	t.Helper()
	rows, err := db.Query("SELECT name FROM old.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	return names
}

// ofDatabase are copies that PostgreSQL's own tools make, which restore one in
// one transaction in any case.
type ofDatabase struct{}

func (ofDatabase) data(t *testing.T) string {
	t.Helper()
	return keptIn(t, engines.Postgres(t))
}

func (ofDatabase) take(t *testing.T, data, file string) {
	t.Helper()
	engines.DumpPostgres(t, engineOf(data), file)
}

func (ofDatabase) restore(t *testing.T, data, file string) {
	t.Helper()
	engines.RestorePostgres(t, engineOf(data), file)
}

func (o ofDatabase) setBack(t *testing.T, data, file string) {
	t.Helper()
	o.restore(t, data, file)
}
