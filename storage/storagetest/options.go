package storagetest

import (
	"slices"
	"testing"

	"github.com/keywright/keywright/storage"
)

// Options say what a driver can be asked for beyond storage.Store, and what it
// cannot be asked for.
type Options struct {
	// Peer gives another handle on the database of s, which may be closed, as
	// another process would hold it. A driver without it lacks
	// SeparateProcesses.
	Peer func(t *testing.T, s storage.Store) storage.Store

	// Bare gives two handles on a database that is empty and was never migrated,
	// or one handle twice. A driver that has nothing to migrate gives nil.
	Bare func(t *testing.T) (s, peer storage.Store)

	// Lossy gives a handle on the database of s whose answers can be lost. A
	// driver without a connection that could be cut gives nil.
	Lossy func(t *testing.T, s storage.Store) (through storage.Store, lose Lose)

	// Newer has the database of s say that a newer program migrated it. A driver
	// that has nothing to migrate gives nil.
	Newer func(t *testing.T, s storage.Store)

	// Damage makes the block that begins with the entry first one that cannot be
	// read, as a fault of the disk would, and leaves the others alone, of which
	// each has 64 entries. A driver that gives nil tests that by itself.
	Damage func(t *testing.T, s storage.Store, first int64)

	// File opens a file of this name as one that has a database in it. A driver
	// that is no Copier gives nil.
	File func(t *testing.T, file string) storage.Store

	// Cannot declares what the driver's engine lacks. What is declared and is
	// there all the same fails.
	Cannot []Lack
}

// Ability is something that the contract asks of every engine, and that one may
// lack that is of use all the same.
type Ability string

// The abilities. Whoever runs a driver without SeparateProcesses runs one
// server; without ManySeats, licenses of few machines. A driver that is no
// Waker need not declare that it lacks Waking; one that is declares it where
// the engine that it is tested with cannot be listened to.
const (
	SeparateProcesses Ability = "several processes on one database"
	ManySeats         Ability = "ten thousand seats in one record"
	Waking            Ability = "word of blocks that others append"
)

// Lack declares that a driver's engine lacks an ability, and why.
type Lack struct {
	Ability Ability
	Reason  string
}

// check fails where what is declared does not fit what is offered.
func (o Options) check(t *testing.T) {
	t.Helper()
	for _, l := range o.Cannot {
		if l.Reason == "" || !slices.Contains([]Ability{SeparateProcesses, ManySeats, Waking}, l.Ability) {
			t.Fatalf("%q is no ability to be without, or the reason is missing", l.Ability)
		}
	}
	if o.lacks(SeparateProcesses) == (o.Peer != nil) {
		t.Fatalf("a driver either has a Peer or declares that it lacks %s", SeparateProcesses)
	}
}

func (o Options) lacks(a Ability) bool {
	return slices.ContainsFunc(o.Cannot, func(l Lack) bool { return l.Ability == a })
}

// run runs a clause. One that needs what the driver lacks is left out, once it
// is seen to fail.
func (o Options) run(t *testing.T, name string, needs Ability, test func(t *testing.T, as testing.TB)) {
	t.Run(name, func(t *testing.T) {
		i := slices.IndexFunc(o.Cannot, func(l Lack) bool { return l.Ability == needs })
		switch {
		case i < 0:
			test(t, t)
		case needs != SeparateProcesses && len(try(t, func(as testing.TB) { test(t, as) })) == 0:
			t.Fatalf("the driver declares that it lacks %s, and does not: the clause passes", needs)
		default:
			t.Skipf("left out, since the driver declares that it lacks %s: %s", needs, o.Cannot[i].Reason)
		}
	})
}
