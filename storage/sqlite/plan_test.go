package sqlite_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// Every list that the contract promises an index for is read from that index
// in its order, seeking the place where the page begins.
func TestListsSeekTheirIndexAndSortNothing(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	for n := range 3 {
		if err := s.Commit(t.Context(), storagetest.LicenseChange(n)); err != nil {
			t.Fatal(err)
		}
	}
	queries := map[string]storage.Query{}
	for _, l := range storagetest.ListQueries() {
		queries[l.Name] = l.Query(storagetest.LicenseIndex(0))
	}
	for _, kind := range []storage.Kind{storage.Product, storage.Plan} {
		due := storage.Query{Kind: kind, Order: storage.DueSoonest, First: 50}
		queries[fmt.Sprintf("%s, %s", kind, due.Order)] = due
		due.Filter.DueBefore = storagetest.LicenseIndex(0).Created
		queries[fmt.Sprintf("%s due before, %s", kind, due.Order)] = due
	}
	for _, order := range []storage.Order{storage.CreatedNewest, storage.CreatedOldest} {
		for _, kind := range []storage.Kind{storage.Product, storage.Plan} {
			q := storage.Query{Kind: kind, Order: order, First: 50}
			queries[fmt.Sprintf("%s, %s", kind, order)] = q
			q.Filter.Products = []string{storagetest.LicenseIndex(0).Product}
			queries[fmt.Sprintf("%s of a product, %s", kind, order)] = q
		}
	}
	for name, q := range queries {
		t.Run(name, func(t *testing.T) {
			first := seeks(t, s, q)
			q.After = anyPlace(t, s, q.Order)
			if later := seeks(t, s, q); later != 2*first {
				t.Errorf("%d scans for the first page and %d for a later one, want twice as many", first, later)
			}
		})
	}
}

// seeks fails unless each statement of the list goes by an index to the time
// where the page begins, or within it to the row, and says how many there are.
func seeks(t *testing.T, s storage.Store, q storage.Query) int {
	t.Helper()
	plans, err := sqlite.Plans(t.Context(), s, q)
	if err != nil || len(plans) == 0 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	column := "created"
	switch q.Order {
	case storage.EndsSoonest:
		column = "ends"
	case storage.DueSoonest:
		column = "due"
	}
	seek := regexp.MustCompile(`^SEARCH r USING INDEX \w+ \((.*=\? AND )?` + column + `([<>]\?|=\? AND row(id)?[<>]\?)`)
	for _, plan := range plans {
		if strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN") || !seek.MatchString(plan) {
			t.Fatalf("%+v is read by\n%s", q, plan)
		}
	}
	return len(plans)
}

// anyPlace gives a place of this order.
func anyPlace(t *testing.T, s storage.Store, order storage.Order) storage.Place {
	t.Helper()
	page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: order, First: 1})
	if err != nil || page.End == "" {
		t.Fatalf("no place: %v", err)
	}
	return page.End
}

func TestStatementsByKeySeek(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	plans, err := sqlite.KeyedPlans(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	// A search goes through products, in a list or a recursion, and in each to
	// where the words begin.
	words := "USING PRIMARY KEY (product=? AND text>? AND text<?)"
	for _, query := range []string{sqlite.FirstWords, sqlite.AllFirst, sqlite.SearchWords} {
		if !strings.Contains(plans[query], words) {
			t.Errorf("%s\nis read by\n%s", query, plans[query])
		}
	}
	// A page of the log begins where its time and place do.
	for query, seek := range map[string]string{
		sqlite.ChunkBefore: "USING COVERING INDEX chunk_at (at<?)",
		sqlite.Tagged:      "USING PRIMARY KEY (hash=? AND chunk>? AND chunk<?)", sqlite.TaggedNewest: "USING PRIMARY KEY (hash=? AND chunk>? AND chunk<?)",
		sqlite.Untagged: "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", sqlite.UntaggedNewest: "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
	} {
		if !strings.Contains(plans[query], seek) {
			t.Errorf("%s\nis read by\n%s", query, plans[query])
		}
	}
	throughProducts := regexp.MustCompile(`(?m)^SCAN p( VIRTUAL TABLE.*)?$`)
	for query, plan := range plans {
		plan = throughProducts.ReplaceAllString(plan, "")
		if strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nis read by\n%s", query, plan)
		}
	}
}
