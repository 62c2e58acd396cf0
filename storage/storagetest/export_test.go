package storagetest

import (
	"slices"
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
)

// HistoriesFail gives what histories over these handles say that fails.
func HistoriesFail(t testing.TB, handles []storage.Store, length time.Duration) []string {
	return try(t, func(t testing.TB) { makeHistories(t, handles, length) })
}

// ClauseFails gives what the clause of this name, room/clause, says that fails.
func ClauseFails(t testing.TB, name string, s storage.Store) []string {
	t.Helper()
	for _, r := range rooms {
		for _, c := range r.clauses {
			if r.name+"/"+c.name == name {
				return try(t, func(t testing.TB) { c.test(t, proper{s, t}) })
			}
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// named gives the test of a clause.
func named[T any](t testing.TB, clauses []clauseOf[T], name string) T {
	t.Helper()
	i := slices.IndexFunc(clauses, func(c clauseOf[T]) bool { return c.name == name })
	if i < 0 {
		t.Fatalf("there is no clause %s", name)
	}
	return clauses[i].test
}

// ClosingFails gives what the clause of this name about closing s says that
// fails.
func ClosingFails(t testing.TB, name string, s, peer storage.Store) []string {
	t.Helper()
	test := named(t, closingClauses, name)
	return try(t, func(t testing.TB) { test(t, proper{s, t}, proper{peer, t}) })
}

// LossyFails gives what the clause about lost answers of this name says that
// fails.
func LossyFails(t testing.TB, name string, s, through storage.Store, lose Lose) []string {
	t.Helper()
	test := named(t, lossyClauses, name)
	return try(t, func(t testing.TB) { test(t, proper{s, t}, proper{through, t}, lose) })
}

// BulkFails gives what the clause about loading in bulk of this name says that
// fails.
func BulkFails(t testing.TB, name string, s storage.Store) []string {
	t.Helper()
	test := named(t, bulkClauses, name)
	return try(t, func(t testing.TB) { test(t, proper{s, t}) })
}

// DamageFails gives what the clause about damage of this name says that fails.
func DamageFails(t testing.TB, name string, s storage.Store, damage func(first int64)) []string {
	t.Helper()
	test := named(t, damageClauses, name)
	return try(t, func(t testing.TB) { test(t, proper{s, t}, damage) })
}

// CopierFails gives what the clause about copies of this name says that fails.
func CopierFails(t testing.TB, name string, s storage.Store, copied func(file string) storage.Store) []string {
	t.Helper()
	test := named(t, copierClauses, name)
	return try(t, func(t testing.TB) {
		test(t, proper{s, t}, func(file string) storage.Store { return proper{copied(file), t} })
	})
}

// NewerFails gives what the clause about a newer schema says that fails.
func NewerFails(t testing.TB, s storage.Store) []string {
	return try(t, func(t testing.TB) { leavesANewerSchemaAlone(t, proper{s, t}) })
}
