package journal_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/journal"
)

// hashes is a tree with all of its hashes, as tlog keeps it.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = h[index]
	}
	return found, nil
}

func TestATreeOfItsEdgeHasTheRootOfTheWholeTree(t *testing.T) {
	var ours journal.Tree
	var all hashes
	for n := range int64(1100) {
		want, err := tlog.TreeHash(n, all)
		if err != nil {
			t.Fatal(err)
		}
		if got := ours.Root(); got != want || !ours.WellFormed() {
			t.Fatalf("of %d entries: root %v, want %v; well-formed: %t", n, got, want, ours.WellFormed())
		}
		entry := fmt.Append(nil, "entry ", n)
		more, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(entry), all)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
		kept := ours.Clone()
		ours.Add(entry)
		if again, err := tlog.TreeHash(n, all); err != nil || kept.Root() != again {
			t.Fatalf("of %d entries: a copy was changed by an entry that was added to the other", n)
		}
	}
}
