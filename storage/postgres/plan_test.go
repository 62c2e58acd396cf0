package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// node is a step of a plan, as EXPLAIN tells of it.
type node struct {
	Type     string `json:"Node Type"`
	Table    string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Children []node `json:"Plans"`
}

// all gives the steps of a plan.
func (n node) all() []node {
	steps := []node{n}
	for _, child := range n.Children {
		steps = append(steps, child.all()...)
	}
	return steps
}

func planned(t *testing.T, text []byte, err error) node {
	t.Helper()
	var plans []struct{ Plan node }
	if err == nil {
		err = json.Unmarshal(text, &plans)
	}
	if err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// filled is a store with so many licenses, of which each has seats and was
// used, and with a hundred plans more; PostgreSQL has statistics of them.
func filled(t *testing.T, licenses int) (storage.Store, *pgx.Conn) {
	t.Helper()
	s, conn := connected(t)
	for first := 0; first < licenses; first += 500 {
		var some []storage.Whole
		for n := first; n < first+500; n++ {
			c := storagetest.LicenseChange(n)
			w := storage.Whole{Pending: c.Entries}
			w.Record = c.Record
			w.Version, w.Attempt, w.Total.Count = 1, c.Attempt, 2
			for i := range 3 {
				w.Seats = append(w.Seats, storage.Seat{ID: fmt.Sprint("act_", i), Body: []byte("{}")})
				w.Days = append(w.Days, storage.UsageDay{Day: storage.Day(fmt.Sprintf("2026-11-%02d", 10+i)), Valid: 1})
			}
			some = append(some, w)
		}
		if err := s.Load(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	plans := "INSERT INTO name (text) SELECT 'pln_more_' || n FROM generate_series(1, 100) AS n"
	for _, statement := range []string{plans, "VACUUM ANALYZE"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return s, conn
}

// connected is an empty store.
func connected(t *testing.T) (storage.Store, *pgx.Conn) {
	t.Helper()
	u := database(t)
	s := migrated(t, u)
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return s, conn
}

// Every list that the contract promises an index for is read from one, in its
// order: each scan seeks the place where the page begins, and nothing else is
// read but by key.
func TestListsSeekTheirIndex(t *testing.T) {
	s, _ := filled(t, 5_000)
	eachList(t, func(t *testing.T, q storage.Query) {
		for range 2 {
			text, err := postgres.ListPlan(t.Context(), s, q)
			seeksOnly(t, planned(t, text, err), timeOf(q.Order))
			page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: q.Order, First: 20})
			if err != nil {
				t.Fatal(err)
			}
			q.After = page.End
		}
	})
}

// See TestStatementsByKeySeekFromTheBeginning.
func TestListsSeekTheirIndexFromTheBeginning(t *testing.T) {
	s, _ := connected(t)
	eachList(t, func(t *testing.T, q storage.Query) {
		text, err := postgres.ListPlan(t.Context(), s, q)
		seeksOnly(t, planned(t, text, err), timeOf(q.Order))
	})
}

func eachList(t *testing.T, check func(*testing.T, storage.Query)) {
	t.Helper()
	x := storagetest.LicenseIndex(1_234)
	queries := map[string]storage.Query{}
	for _, l := range storagetest.ListQueries() {
		queries[l.Name] = l.Query(x)
	}
	for _, order := range []storage.Order{storage.CreatedNewest, storage.CreatedOldest, storage.DueSoonest} {
		q := storage.Query{Kind: storage.Plan, Order: order, First: 50}
		queries[fmt.Sprintf("plans, %s", order)] = q
		if order != storage.DueSoonest {
			q.Filter.Products = []string{x.Product}
			queries[fmt.Sprintf("plans of a product, %s", order)] = q
		}
	}
	for name, q := range queries {
		t.Run(name, func(t *testing.T) { check(t, q) })
	}
}

func timeOf(o storage.Order) string {
	switch o {
	case storage.EndsSoonest:
		return "ends"
	case storage.DueSoonest:
		return "due"
	}
	return "created"
}

// seeksOnly fails unless the records of a plan come from an index in its order,
// from a place on, and everything else by key.
func seeksOnly(t *testing.T, plan node, time string) {
	t.Helper()
	place := fmt.Sprintf("(ROW(%s, \"row\")", time)
	found := false
	for _, step := range plan.all() {
		switch {
		case step.Table == "":
		case step.Type == "Seq Scan" || step.Type == "Bitmap Heap Scan" || step.Index == "":
			t.Fatalf("%s is read by a %s in\n%+v", step.Table, step.Type, plan)
		case step.Table == "record" && step.Index != "record_pkey":
			found = true
			if !strings.Contains(step.Cond, place) {
				t.Errorf("%s seeks %s, want %s", step.Index, step.Cond, place)
			}
		}
	}
	if !found {
		t.Errorf("no index is in\n%+v", plan)
	}
}

func TestSearchesSeekTheirWords(t *testing.T) {
	s, _ := filled(t, 5_000)
	seekWords(t, s)
}

// See TestStatementsByKeySeekFromTheBeginning.
func TestSearchesSeekTheirWordsFromTheBeginning(t *testing.T) {
	s, _ := connected(t)
	seekWords(t, s)
}

func seekWords(t *testing.T, s storage.Store) {
	t.Helper()
	x := storagetest.LicenseIndex(1_234)
	for _, products := range [][]string{nil, {x.Product}, {x.Product, "prd_other", "prd_more"}} {
		for _, prefix := range []string{"o", x.ExternalID, "zzz"} {
			text, err := postgres.SearchPlan(t.Context(), s, storage.SearchQuery{Kind: storage.License, Prefix: prefix, Products: products, First: 50})
			plan := planned(t, text, err)
			seeks := 0
			for _, step := range plan.all() {
				if step.Table != "" && step.Index == "" {
					t.Fatalf("%s is read by a %s", step.Table, step.Type)
				}
				if step.Index == "word_text" && strings.Contains(step.Cond, "product = ") && strings.Contains(step.Cond, "text >= ") && strings.Contains(step.Cond, "text < ") {
					seeks++
				}
			}
			if seeks != 2 {
				t.Errorf("%q in %v seeks words %d times, want for the products and for the words\n%+v", prefix, products, seeks, plan)
			}
		}
	}
}

// Of each statement the plan for its values and that for any are asserted.
func TestStatementsByKeySeek(t *testing.T) {
	_, conn := filled(t, 5_000)
	seekByKey(t, conn, "force_custom_plan", "force_generic_plan")
}

// The plan for any values may be kept while a database grows that was empty
// when it was made.
func TestStatementsByKeySeekFromTheBeginning(t *testing.T) {
	_, conn := connected(t)
	seekByKey(t, conn, "force_generic_plan")
}

func seekByKey(t *testing.T, conn *pgx.Conn, modes ...string) {
	t.Helper()
	byIndex, sweep := postgres.SweepStatements()
	for _, mode := range modes {
		if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for name, statement := range postgres.RecordStatements() {
			keyed(t, name+", "+mode, planOf(t, conn, statement))
		}
		if _, err := conn.Exec(t.Context(), "BEGIN; "+byIndex); err != nil {
			t.Fatal(err)
		}
		for name, statement := range sweep {
			keyed(t, name+", "+mode, planOf(t, conn, statement))
		}
		if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
	}
}

// keyed fails unless all tables of a plan are read by an index, from a key on.
// Of states there is less than a page, which may be read instead.
func keyed(t *testing.T, name, plan string) {
	t.Helper()
	plan = strings.ReplaceAll(plan, "Seq Scan on state", "Scan on state")
	found := strings.Contains(plan, "Conflict Arbiter Indexes")
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		if strings.Contains(line, "Scan using") {
			found = true
			if i+1 == len(lines) || !strings.Contains(lines[i+1], "Index Cond") {
				t.Errorf("%s reads a whole index:\n%s", name, plan)
			}
		}
	}
	if !found || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Hash Join") {
		t.Errorf("%s:\n%s", name, plan)
	}
}
