package storagetest

import (
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
