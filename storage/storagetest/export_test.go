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
	for _, r := range append(slices.Clip(rooms), room{name: "Bulk", clauses: bulkClauses}) {
		for _, c := range r.clauses {
			if r.name+"/"+c.name == name {
				return try(t, func(t testing.TB) { c.test(t, proper{s, t}) })
			}
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// ClosingFails gives what the clause of this name about closing s says that
// fails.
func ClosingFails(t testing.TB, name string, s, peer storage.Store) []string {
	t.Helper()
	for _, c := range closingClauses {
		if c.name == name {
			return try(t, func(t testing.TB) { c.test(t, proper{s, t}, proper{peer, t}) })
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// LossyFails gives what the clause about lost answers of this name says that
// fails.
func LossyFails(t testing.TB, name string, s, through storage.Store, lose Lose) []string {
	t.Helper()
	for _, c := range lossyClauses {
		if c.name == name {
			return try(t, func(t testing.TB) { c.test(t, proper{s, t}, proper{through, t}, lose) })
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// DamageFails gives what the clause about damage of this name says that fails.
func DamageFails(t testing.TB, name string, s storage.Store, damage func(first int64)) []string {
	t.Helper()
	for _, c := range damageClauses {
		if c.name == name {
			return try(t, func(t testing.TB) { c.test(t, proper{s, t}, damage) })
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// CopierFails gives what the clause about copies of this name says that fails.
func CopierFails(t testing.TB, name string, s storage.Store, copied func(file string) storage.Store) []string {
	t.Helper()
	for _, c := range copierClauses {
		if c.name == name {
			return try(t, func(t testing.TB) {
				c.test(t, proper{s, t}, func(file string) storage.Store { return proper{copied(file), t} })
			})
		}
	}
	t.Fatalf("there is no clause %s", name)
	return nil
}

// NewerFails gives what the clause about a newer schema says that fails.
func NewerFails(t testing.TB, s storage.Store) []string {
	return try(t, func(t testing.TB) { leavesANewerSchemaAlone(t, proper{s, t}) })
}
