package storagetest

import (
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// damageClause is a clause about a log of which a block, the one that begins
// with the entry first, can no longer be read.
type damageClause = clauseOf[func(t testing.TB, s storage.Store, damage func(first int64))]

var damageClauses = []damageClause{
	{"EndsTheBlocksBeforeIt", func(t testing.TB, s storage.Store, damage func(first int64)) {
		all := lastingLog(t, s)
		damage(all[2].First)
		for from := range 3 {
			some, err := s.Blocks(t.Context(), all[from].First, 9)
			refused(t, err, fault.Unavailable)
			verbatim(t, some, all[from:2])
		}
		verbatim(t, blocks(t, s, 0, 2), all[:2])
		verbatim(t, blocks(t, s, all[3].First, 9), all[3:])
		verbatim(t, blocks(t, s, storage.LastBlock, 9), all[len(all)-1:])
	}},
	{"OfTheLastBlockIsNoEndOfTheLog", func(t testing.TB, s storage.Store, damage func(first int64)) {
		all := lastingLog(t, s)
		last := len(all) - 1
		damage(all[last].First)
		for _, from := range []int64{all[last-1].First, all[last].First - 1, all[last].First, all[last].Next() - 1, storage.LastBlock} {
			_, err := s.Blocks(t.Context(), from, 9)
			refused(t, err, fault.Unavailable)
		}
	}},
	{"IsNotPassedOver", func(t testing.TB, s storage.Store, damage func(first int64)) {
		all := lastingLog(t, s)
		damage(all[2].First)
		for _, newest := range []bool{true, false} {
			_, err := s.Entries(t.Context(), storage.EntryQuery{First: int(all[len(all)-1].Next()), Newest: newest})
			refused(t, err, fault.Unavailable)
		}
		_, err := s.CheckEntries(t.Context())
		refused(t, err, fault.Unavailable)
	}},
}

// lastingLog appends blocks that are large enough for a driver to keep each by
// itself.
func lastingLog(t testing.TB, s storage.Store) (all []storage.Block) {
	t.Helper()
	const size = 64
	for n := range int64(6) {
		all = append(all, block(size*n, size))
		appended(t, s, all[n])
	}
	return all
}

// leavesANewerSchemaAlone holds of a database that a newer program migrated.
func leavesANewerSchemaAlone(t testing.TB, s storage.Store) {
	unready := func() string {
		t.Helper()
		err := s.Ready(t.Context())
		refused(t, err, fault.Unavailable)
		return fault.All(err)[0].Message
	}
	said := unready()
	if !strings.Contains(said, "newer keywright") {
		t.Errorf("%q does not say what to run", said)
	}
	refused(t, s.Migrate(t.Context()), fault.Unavailable)
	equal(t, unready(), said)
}
