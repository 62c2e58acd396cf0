package postgres_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// What each statement of the journal must seek, and all that it may sort.
var journalSeeks = map[string][]string{
	"pending":           {`Index Scan using pending_pkey on pending`, `Index Cond: \("?row"? = p\."?row"?\)`},
	"settle":            {`pending_id`, `Index Cond: \(id = ANY`, `pending_pkey`},
	"the last chunk":    {`Index Scan Backward using chunk_pkey on chunk\s+Index Cond: \(first <= `},
	"append":            {`Index Scan Backward using chunk_pkey on chunk\s+Index Cond: \(first <= `},
	"grow":              {`Index Scan Backward using chunk_pkey on chunk\s+Index Cond: \(first <= `, `Index Scan using chunk_pkey on chunk chunk_1\s+Index Cond: \(first = `},
	"blocks":            {`Index Scan using chunk_pkey on chunk\s+Index Cond: \(first >= `},
	"the last block":    {`Index Scan using chunk_pkey on chunk\s+Index Cond: \(first >= `},
	"chunks":            {`Index Scan using chunk_pkey on chunk\s+Index Cond: \(\(first >= .*AND \(first <= `},
	"range":             {`Backward using chunk_at on chunk.*\s+Index Cond: \(at < `, `Backward using chunk_pkey on chunk.*\s+Index Cond: \(first <= `},
	"untagged":          {`Index Scan using chunk_pkey on chunk\s+Index Cond: \(\(first >= .*AND \(first <= `},
	"untagged, newest":  {`Index Scan Backward using chunk_pkey on chunk\s+Index Cond: \(\(first >= .*AND \(first <= `},
	"tagged":            {`Only Scan using tag_pkey on tag t(_\d)?\s+Index Cond: \(\(hash = .*\(chunk >= .*\(chunk <= `, `using chunk_pkey on chunk c\s+Index Cond: \(first = `},
	"tagged, newest":    {`Only Scan Backward using tag_pkey on tag t(_\d)?\s+Index Cond: \(\(hash = .*\(chunk >= .*\(chunk <= `, `using chunk_pkey on chunk c\s+Index Cond: \(first = `},
	"tagged with one":   {`Only Scan Backward using tag_pkey on tag t(_\d)?\s+Index Cond: \(\(hash = .*\(chunk >= .*\(chunk <= `, `using chunk_pkey on chunk c\s+Index Cond: \(first = `},
	"tagged, a big log": {`Only Scan Backward using tag_pkey on tag t(_\d)?\s+Index Cond: \(\(hash = .*\(chunk >= .*\(chunk <= `, `using chunk_pkey on chunk c\s+Index Cond: \(first = `},
}

// Of each statement the plan for its values and that for any are asserted.
func TestTheJournalsStatementsSeekTheirIndex(t *testing.T) {
	u := database(t)
	s := migrated(t, u)
	if err := storagetest.Fill(t.Context(), s, 0, 3_000, true); err != nil {
		t.Fatal(err)
	}
	if err := storagetest.FillLog(t.Context(), s, 0, 10_000, 50); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for name, statement := range postgres.JournalStatements() {
			plan := planOf(t, conn, statement)
			// What tags lead to together, and what is locked, is sorted.
			sorts := strings.Contains(plan, "Sort") && !strings.HasPrefix(name, "tagged") && name != "settle"
			if strings.Contains(plan, "Seq Scan") || sorts || !seeks(plan, journalSeeks[name]) {
				t.Errorf("%s: %s\n%s", mode, name, plan)
			}
		}
	}
}

func planOf(t *testing.T, conn *pgx.Conn, statement postgres.Statement) string {
	t.Helper()
	if _, err := conn.Exec(t.Context(), "PREPARE statement AS "+statement.Query, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS off) EXECUTE statement ("+statement.Parameters+")", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "DEALLOCATE statement"); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func seeks(plan string, all []string) bool {
	for _, seek := range all {
		if !regexp.MustCompile(seek).MatchString(plan) {
			return false
		}
	}
	return len(all) > 0
}
