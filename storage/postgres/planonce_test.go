package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// Planning takes as long as running. Of what a server asks for again and again
// PostgreSQL comes to keep the plan, however many or few values it is for.

func TestReadsArePlannedOnce(t *testing.T) {
	ctx, s := t.Context(), overOneConnection(t)
	plannedOnce(t, s, "get", func(n int) error {
		_, err := s.Get(ctx, storagetest.LicenseID(n), storagetest.LicenseID(n+1))
		return err
	})
	for _, l := range storagetest.ListQueries() {
		plannedOnce(t, s, l.Name, func(n int) error {
			_, err := s.List(ctx, l.Query(storagetest.LicenseIndex(n)))
			return err
		})
	}
	for name, products := range map[string][]string{"search": nil, "search of a product": {storagetest.LicenseIndex(1).Product}} {
		plannedOnce(t, s, name, func(n int) error {
			_, err := s.Search(ctx, storage.SearchQuery{Kind: storage.License, Prefix: storagetest.LicenseIndex(n).CustomerEmail, Products: products, First: 50})
			return err
		})
	}
	for name, filter := range map[string]storage.EntryFilter{
		"entries": {}, "entries of a type": {Types: []string{"license.revoked"}},
		"entries of a license": {Subjects: []string{storagetest.LicenseID(7)}},
	} {
		plannedOnce(t, s, name, func(int) error {
			_, err := s.Entries(ctx, storage.EntryQuery{Filter: filter, Newest: true, First: 50})
			return err
		})
	}
	plannedOnce(t, s, "blocks", func(n int) error {
		_, err := s.Blocks(ctx, int64(n), 3)
		return err
	})
}

func TestWritesArePlannedOnce(t *testing.T) {
	ctx, s := t.Context(), overOneConnection(t)
	added := func(n int) storage.Change { return storagetest.LicenseChange(20_000 + n) }
	plannedOnce(t, s, "insert", func(n int) error { return s.Commit(ctx, added(n)) })

	version := int64(0) // of all
	again := func(name string, change func(n int, c *storage.Change)) {
		t.Helper()
		version++
		plannedOnce(t, s, name, func(n int) error {
			c := added(n)
			c.Record.Version, c.Attempt, c.Entries[0].ID = version, name+c.Attempt, name+c.Entries[0].ID
			change(n, &c)
			return s.Commit(ctx, c)
		})
	}
	until := time.UnixMilli(1_800_000_000_000)
	later := until.Add(time.Minute)
	again("put", func(_ int, c *storage.Change) {
		c.Put = []storage.Seat{{ID: "act_a", Body: []byte("{}"), Lease: until}, {ID: "act_b", Body: []byte("{}")}}
	})
	plannedOnce(t, s, "touch", func(n int) error {
		_, err := s.Touch(ctx, []storage.Lease{{Record: added(n).Record.ID, Seat: "act_a", At: until.Add(-time.Minute), Until: later}})
		return err
	})
	again("remove", func(_ int, c *storage.Change) { c.Remove = []storage.Removal{{ID: "act_b"}} })
	again("remove what has ended", func(_ int, c *storage.Change) { c.Remove = []storage.Removal{{ID: "act_a", IfLease: &later}} })
	again("other words", func(n int, c *storage.Change) { c.Record.Index.Words = []string{fmt.Sprint("word ", n)} })
	plannedOnce(t, s, "usage", func(n int) error {
		return s.AddUsage(ctx, []storage.UsageDelta{{Record: added(n).Record.ID, Day: "2026-11-27", Valid: 1}})
	})
	plannedOnce(t, s, "sequence", func(int) error {
		_, err := storagetest.Sequence(ctx, s, 4)
		return err
	})
}

// overOneConnection is a store with records and a log, of which PostgreSQL has
// statistics.
func overOneConnection(t *testing.T) storage.Store {
	t.Helper()
	u := database(t)
	u.RawQuery += "&pool_max_conns=1"
	s := migrated(t, u)
	for _, fill := range []func(context.Context) error{
		func(ctx context.Context) error { return storagetest.Fill(ctx, s, 0, 10_000, false) },
		func(ctx context.Context) error { return storagetest.FillLog(ctx, s, 0, 2_000, 50) },
		func(ctx context.Context) error { return postgres.Analyze(ctx, s) },
	} {
		if err := fill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// plannedOnce does something twelve times, and fails if PostgreSQL then still
// plans a statement that it kept no plan of before.
func plannedOnce(t *testing.T, s storage.Store, name string, run func(n int) error) {
	t.Helper()
	before, err := postgres.PlannedAnew(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 12 {
		if err := run(n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	after, err := postgres.PlannedAnew(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for statement, times := range after {
		if times > before[statement] {
			t.Errorf("%s: in all %d plans for\n%s", name, times, statement)
		}
	}
}
