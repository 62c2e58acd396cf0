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
	d := dumpMuch(t)
	for name, empty := range emptyEngines(t) {
		t.Run(name, func(t *testing.T) {
			const incomplete = "storage is incomplete: a load into it has not ended, or failed"
			data := emptyLike(t, d.from, empty())
			killLoad(t, data, d.text)
			refusesToStart(t, data, incomplete)
			if _, stderr, err := load(t, data, d.text); err == nil || !strings.Contains(stderr, incomplete) {
				t.Errorf("another load: %v\n%s", err, stderr)
			}

			data = emptyLike(t, d.from, empty())
			if stdout, stderr, err := load(t, data, d.text); err != nil {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			d.isServed(t, data)
		})
	}
}

// Whenever it is killed, among the records and the blocks, while it makes
// indexes or verifies: a storage is empty, refused, or whole.
func TestALoadThatIsKilledIsServedWholeOrNotAtAll(t *testing.T) {
	openSources(t)
	d := dumpMuch(t)
	for name, empty := range emptyEngines(t) {
		t.Run(name, func(t *testing.T) {
			lasts, left := readyWithin, map[string]int{}
			for round := range loadRounds() {
				data := emptyLike(t, d.from, empty())
				command := onData(data, "load")
				command.Stdin = strings.NewReader(d.text)
				began := time.Now()
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				killed := time.AfterFunc(partOf(lasts, 52, round), func() { _ = command.Process.Kill() })
				err := command.Wait()
				if killed.Stop() {
					if err != nil {
						t.Fatal(err)
					}
					lasts = time.Since(began)
				}
				left[d.isWholeOrNot(t, data)]++
			}
			t.Logf("a load lasts %v; what was left: %v", lasts, left)
			if left["what is refused"] == 0 {
				t.Error("no load was killed before its end")
			}
		})
	}
}

func loadRounds() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 100
	}
	return 8
}

// much is a dump of a thousand licenses, some of which were used.
type much struct {
	from string // the data directory
	text string
	want holdings
}

func dumpMuch(t *testing.T) much {
	t.Helper()
	d := much{from: t.TempDir()}
	server, c := serveDev(t, d.from)
	for range 10 { // as many as are loaded at once
		if err := c.issueHundred(); err != nil {
			t.Fatal(err)
		}
	}
	if err := each(newCallers(t, c, "moved", 4, 51), calling(c, 20)); err != nil {
		t.Fatal(err)
	}
	d.want = c.holdings(t)
	if err := errors.Join(server.stop(), quiet(server)); err != nil {
		t.Fatal(err)
	}
	var stderr string
	var err error
	if d.text, stderr, err = keywright(t, d.from, "dump"); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	return d
}

// isServed fails unless what a storage serves is what was dumped.
func (d much) isServed(t *testing.T, data string) {
	t.Helper()
	server, c := serveDev(t, data)
	if diff := cmp.Diff(d.want, c.holdings(t)); diff != "" {
		t.Errorf("differs (-dumped +loaded):\n%.4000s", diff)
	}
	if err := errors.Join(server.stop(), quiet(server), verified(t, data)); err != nil {
		t.Error(err)
	}
}

// isWholeOrNot says what a load that was killed has left.
func (d much) isWholeOrNot(t *testing.T, data string) string {
	t.Helper()
	there, err := records(t, data)
	if err != nil {
		t.Fatal(err)
	}
	if there == 0 {
		return "nothing"
	}
	stdout, stderr, err := keywright(t, data, "journal", "verify")
	switch {
	case err == nil:
		d.isServed(t, data)
		return "all"
	case !strings.Contains(stderr, "storage is incomplete"):
		t.Errorf("%d records are there; %v\n%s%s", there, err, stdout, stderr)
	}
	return "what is refused"
}

// emptyEngines make data directories whose storage is to be migrated.
func emptyEngines(t *testing.T) map[string]func() (data string) {
	return map[string]func() string{
		"SQLite":     t.TempDir,
		"PostgreSQL": func() string { return keptIn(t, engines.Postgres(t)) },
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
