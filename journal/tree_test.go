package journal

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
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
	var ours tree
	var all hashes
	for n := range int64(1100) {
		want, err := tlog.TreeHash(n, all)
		if err != nil {
			t.Fatal(err)
		}
		if got := ours.root(); got != want || !ours.wellFormed() {
			t.Fatalf("of %d entries: root %v, want %v; well-formed: %t", n, got, want, ours.wellFormed())
		}
		leaf := leafHash(fmt.Append(nil, "entry ", n))
		more, err := tlog.StoredHashesForRecordHash(n, leaf, all)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
		kept := ours.clone()
		ours.add(leaf)
		if again, err := tlog.TreeHash(n, all); err != nil || kept.root() != again {
			t.Fatalf("of %d entries: a copy was changed by an entry that was added to the other", n)
		}
	}
}
