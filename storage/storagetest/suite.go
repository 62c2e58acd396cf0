// Package storagetest says what a driver of storage must do: a test for each
// clause of the contract, a model in maps that obeys it, a machine that drives
// both side by side, and histories of concurrent calls that must be such as one
// after the other could have been.
package storagetest

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/keywright/keywright/storage"
)

// clauseOf is one clause of the contract with its test, a function of what it is
// about.
type clauseOf[T any] struct {
	name string
	test T
}

// clause is a clause about one handle.
type clause = clauseOf[func(t testing.TB, s storage.Store)]

// pairClause is a clause about two handles on one database.
type pairClause = clauseOf[func(t testing.TB, s, peer storage.Store)]

// room is what the suite has about one method or subject.
type room struct {
	name    string
	clauses []clause
	needs   Ability // which an engine may lack; most ask for nothing that one may
}

var rooms = []room{
	{"Commit", commitClauses, ""}, {"Seats", seatClauses, ""}, {"ManySeats", manySeatsClauses, ManySeats}, {"Touch", touchClauses, ""}, {"Get", getClauses, ""},
	{"List", listClauses, ""}, {"Due", dueClauses, ""}, {"Search", searchClauses, ""}, {"Usage", usageClauses, ""},
	{"Texts", trapClauses, ""}, {"Bodies", bodyClauses, ""}, {"Times", timeClauses, ""},
	{"Pending", pendingClauses, ""}, {"Settle", settleClauses, ""}, {"AppendBlock", appendClauses, ""},
	{"Blocks", blocksClauses, ""}, {"Entries", entriesClauses, ""}, {"CheckEntries", checkEntriesClauses, ""},
	{"Keeper", keeperClauses, ""}, {"Mover", moveClauses, ""}, {"Concurrency", concurrencyClauses, ""}, {"Sequencers", alone(logRaces), ""}, {"Meanwhile", alone(meanwhileClauses), ""},
}

// alone has both handles of each clause be one.
func alone(pairs []pairClause) []clause {
	var all []clause
	for _, c := range pairs {
		all = append(all, clause{c.name, func(t testing.TB, s storage.Store) { c.test(t, s, s) }})
	}
	return all
}

// Run tests a driver. open gives an empty store, migrated, which open closes
// when the test ends.
func Run(t *testing.T, open func(t *testing.T) storage.Store, o Options) {
	o.check(t)
	for _, r := range rooms {
		t.Run(r.name, func(t *testing.T) {
			for _, c := range r.clauses {
				o.run(t, c.name, r.needs, func(t *testing.T, as testing.TB) { c.test(as, proper{open(t), as}) })
			}
		})
	}
	t.Run("Peer", func(t *testing.T) {
		for _, c := range slices.Concat(peerClauses, closingClauses, logRaces, meanwhileClauses) {
			o.run(t, c.name, SeparateProcesses, func(t *testing.T, as testing.TB) {
				s := open(t)
				c.test(as, proper{s, as}, proper{o.Peer(t, s), as})
			})
		}
		for _, c := range reopenedClauses {
			o.run(t, c.name, SeparateProcesses, func(t *testing.T, as testing.TB) {
				s := open(t)
				c.test(as, proper{s, as}, func() storage.Store { return proper{o.Peer(t, s), as} })
			})
		}
	})
	t.Run("Waking", func(t *testing.T) {
		if o.Peer == nil {
			t.Skip("there is nobody else whom the driver could wake")
		}
		for _, c := range wakingClauses {
			o.run(t, c.name, Waking, func(t *testing.T, as testing.TB) {
				s := open(t)
				c.test(as, proper{s, as}, proper{o.Peer(t, s), as})
			})
		}
	})
	o.runOffered(t, open)
	handles := func(t *testing.T, peers int) []storage.Store {
		s := open(t)
		all := []storage.Store{proper{s, t}}
		for range peers {
			if o.Peer != nil {
				all = append(all, proper{o.Peer(t, s), t})
			}
		}
		return all
	}
	length, runs := historyTime, 1
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		length, runs = historyLong, machineRunsLong
	}
	t.Run("Histories", func(t *testing.T) { makeHistories(t, handles(t, 2), length) })
	t.Run("Machine", func(t *testing.T) {
		for n := range runs { // each ends what it opened
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				runMachine(t, func() []storage.Store { return handles(t, 1) })
			})
		}
	})
}

// runOffered runs what is asked of a driver that offers what the tests need.
func (o Options) runOffered(t *testing.T, open func(t *testing.T) storage.Store) {
	t.Run("Lossy", func(t *testing.T) {
		if o.Lossy == nil {
			t.Skip("the driver has no connection that could be cut")
		}
		each(t, lossyClauses, func(t *testing.T, c lossyClause) {
			s := open(t)
			through, lose := o.Lossy(t, s)
			t.Parallel() // most of the time goes by in waiting for the engine to be found again
			c.test(t, proper{s, t}, proper{through, t}, lose)
		})
	})
	t.Run("Bare", func(t *testing.T) {
		if o.Bare == nil {
			t.Skip("the driver has nothing to migrate")
		}
		each(t, bareClauses, func(t *testing.T, c pairClause) {
			s, peer := o.Bare(t)
			c.test(t, proper{s, t}, proper{peer, t})
		})
	})
	t.Run("Bulk", func(t *testing.T) {
		if _, ok := open(t).(storage.Bulk); !ok {
			t.Skip("the driver is no Bulk, which is no fault")
		}
		each(t, bulkClauses, func(t *testing.T, c clause) { c.test(t, proper{open(t), t}) })
	})
	t.Run("Newer", func(t *testing.T) {
		if o.Newer == nil {
			t.Skip("the driver has nothing to migrate")
		}
		s := open(t)
		o.Newer(t, s)
		leavesANewerSchemaAlone(t, proper{s, t})
	})
	t.Run("Damage", func(t *testing.T) {
		if o.Damage == nil {
			t.Skip("the driver does not say how its blocks are damaged")
		}
		each(t, damageClauses, func(t *testing.T, c damageClause) {
			s := open(t)
			c.test(t, proper{s, t}, func(first int64) { o.Damage(t, s, first) })
		})
	})
	t.Run("Copier", func(t *testing.T) {
		if o.File == nil {
			if _, ok := open(t).(storage.Copier); ok {
				t.Fatal("the driver is a Copier, and has no File")
			}
			t.Skip("the driver is no Copier, which is no fault")
		}
		each(t, copierClauses, func(t *testing.T, c copierClause) {
			c.test(t, proper{open(t), t}, func(file string) storage.Store { return proper{o.File(t, file), t} })
		})
	})
}

// each runs clauses, each in a test of its own.
func each[T any](t *testing.T, clauses []clauseOf[T], run func(t *testing.T, c clauseOf[T])) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) { run(t, c) })
	}
}
