package test_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

// A load that is killed leaves what nobody serves, and the same dump loaded into
// an empty storage is served as what was dumped.
func TestWhatAKilledLoadLeavesIsNotServed(t *testing.T) {
	openSources(t)
	from := t.TempDir()
	server, c := serveDev(t, from)
	for range 10 { // as many as are loaded at once
		if err := c.issueHundred(); err != nil {
			t.Fatal(err)
		}
	}
	if err := each(newCallers(t, c, "moved", 4, 51), calling(c, 20)); err != nil {
		t.Fatal(err)
	}
	want := c.holdings(t)
	if err := errors.Join(server.stop(), quiet(server)); err != nil {
		t.Fatal(err)
	}
	dump, stderr, err := keywright(t, from, "dump")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	for name, empty := range map[string]func() (data string){
		"SQLite":     t.TempDir,
		"PostgreSQL": func() string { return keptIn(t, engines.Postgres(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			const incomplete = "storage is incomplete: a load into it has not ended, or failed"
			data := emptyLike(t, from, empty())
			killLoad(t, data, dump)
			refusesToStart(t, data, incomplete)
			if _, stderr, err := load(t, data, dump); err == nil || !strings.Contains(stderr, incomplete) {
				t.Errorf("another load: %v\n%s", err, stderr)
			}

			data = emptyLike(t, from, empty())
			if stdout, stderr, err := load(t, data, dump); err != nil {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			server, c := serveDev(t, data)
			if diff := cmp.Diff(want, c.holdings(t)); diff != "" {
				t.Errorf("differs (-dumped +loaded):\n%.4000s", diff)
			}
			if err := errors.Join(server.stop(), quiet(server), verified(t, data)); err != nil {
				t.Error(err)
			}
		})
	}
}

// issueHundred issues licenses in one call.
func (c client) issueHundred() error {
	var done struct{ IssueLicenses struct{ Issued int } }
	licenses := slices.Repeat([]map[string]string{{"plan": "acme/professional"}}, 100)
	err := c.ask(`mutation($licenses: [IssueLicenseInput!]!) { issueLicenses(input: {licenses: $licenses}) { issued } }`,
		map[string]any{"licenses": licenses}, &done)
	if err == nil && done.IssueLicenses.Issued != len(licenses) {
		err = fmt.Errorf("%d licenses were issued", done.IssueLicenses.Issued)
	}
	return err
}

// holdings are what a server can give of its storage.
type holdings struct {
	Licenses map[string]license
	Plans    map[string]string
	Events   []told
}

func (c client) holdings(t *testing.T) (all holdings) {
	t.Helper()
	var errs [3]error
	all.Licenses, errs[0] = c.licenses()
	all.Plans, errs[1] = c.plans()
	all.Events, errs[2] = c.events()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return all
}

// emptyLike makes the storage of a data directory, with the secrets of another.
func emptyLike(t *testing.T, from, data string) string {
	t.Helper()
	for _, name := range []string{"secret", "admin-token", "checkpoint-key", "checkpoint"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(data, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if stdout, stderr, err := keywright(t, data, "migrate"); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	return data
}

func load(t *testing.T, data, dump string) (stdout, stderr string, err error) {
	t.Helper()
	return keywrightReading(t, data, strings.NewReader(dump), "load")
}

// killLoad has a load read the records of a dump, and kills it when it has
// written some of them and waits for more.
func killLoad(t *testing.T, data, dump string) {
	t.Helper()
	records, _, found := strings.Cut(dump, "\n"+`{"block":`)
	if !found {
		t.Fatalf("the dump has no block:\n%.1000s", dump)
	}
	command := onData(data, "load")
	in, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	writing.Go(func() { _, _ = in.Write([]byte(records)) }) // fails where the load ends before
	err = errors.Join(hasRecords(t, data), command.Process.Kill())
	_ = command.Wait() // it was killed
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
}

// hasRecords waits until a storage has more records than the mark of a load.
func hasRecords(t *testing.T, data string) error {
	t.Helper()
	for end := time.Now().Add(readyWithin); ; {
		count, err := records(t, data)
		if err != nil || count > 1 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("no records within %v", readyWithin)
		}
		aMoment()
	}
}

// records counts them, as who has the database can.
func records(t *testing.T, data string) (count int, err error) {
	t.Helper()
	const query = "SELECT count(*) FROM record"
	if url := engineOf(data); url != "" {
		connection, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return 0, err
		}
		defer connection.Close(t.Context())
		err = connection.QueryRow(t.Context(), query).Scan(&count)
		return count, err
	}
	db, err := sql.Open("sqlite", filepath.Join(data, "keywright.db"))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(t.Context(), query).Scan(&count)
	return count, err
}
