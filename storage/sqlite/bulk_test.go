package sqlite_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestWhatIsLoadedInBulkIsFoundLikeTheRest(t *testing.T) {
	var records []storage.Whole
	for n := range 2_000 {
		c := storagetest.LicenseChange(n)
		c.Record.Version, c.Record.Attempt = 1, c.Attempt
		records = append(records, storage.Whole{Stored: storage.Stored{Record: c.Record}, Pending: c.Entries})
	}
	slices.SortFunc(records, func(a, b storage.Whole) int { return strings.Compare(a.ID, b.ID) })
	one, bulk := migrated(t, filepath.Join(t.TempDir(), "one.db")), migrated(t, filepath.Join(t.TempDir(), "bulk.db"))
	want := fileSchema(t, bulk)
	must(t, one.Load(t.Context(), records))
	must(t, bulk.(storage.Bulk).BeginLoad(t.Context()))
	must(t, bulk.Load(t.Context(), records[:700]))
	must(t, bulk.Load(t.Context(), records[700:]))
	must(t, bulk.(storage.Bulk).EndLoad(t.Context()))

	if diff := cmp.Diff(want, fileSchema(t, bulk)); diff != "" {
		t.Errorf("the schema is another than before:\n%s", diff)
	}
	if verdict, err := sqlite.Integrity(t.Context(), bulk); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	for _, s := range []storage.Store{one, bulk} {
		must(t, s.Commit(t.Context(), storagetest.LicenseChange(2_000)))
	}
	for _, l := range storagetest.ListQueries() {
		q := l.Query(storagetest.LicenseIndex(7))
		got, err := bulk.List(t.Context(), q)
		must(t, err)
		want, err := one.List(t.Context(), q)
		must(t, err)
		if diff := cmp.Diff(want.Records, got.Records, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", l.Name, diff)
		}
	}
	for _, prefix := range []string{"order-1000", "a", "lic_"} {
		q := storage.SearchQuery{Kind: storage.License, Prefix: prefix, First: 200}
		got, err := bulk.Search(t.Context(), q)
		must(t, err)
		want, err := one.Search(t.Context(), q)
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || len(got) == 0 {
			t.Errorf("%q finds %d: %s", prefix, len(got), diff)
		}
	}
}

func fileSchema(t *testing.T, s storage.Store) []string {
	t.Helper()
	all, err := sqlite.Schema(t.Context(), s)
	must(t, err)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
