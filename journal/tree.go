package journal

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is a Merkle tree (RFC 6962, section 2.1) as far as it takes to go on
// with it: the roots of the full subtrees that its leaves make up, the largest
// first, one for each bit that is set in its size. The zero tree is empty.
type tree struct {
	size int64
	edge []tlog.Hash
}

// leafHash is the hash of an entry.
func leafHash(body []byte) tlog.Hash { return tlog.RecordHash(body) }

// add appends a leaf. It changes edge in place: a copy is made by clone.
func (t *tree) add(leaf tlog.Hash) {
	for size := t.size; size&1 == 1; size >>= 1 {
		last := len(t.edge) - 1
		leaf = tlog.NodeHash(t.edge[last], leaf)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, leaf)
	t.size++
}

// root gives the tree's hash. That of the empty tree is the hash of nothing.
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		hash, _ := tlog.TreeHash(0, nil) // reads nothing
		return hash
	}
	last := len(t.edge) - 1
	hash := t.edge[last]
	for i := last - 1; i >= 0; i-- {
		hash = tlog.NodeHash(t.edge[i], hash)
	}
	return hash
}

func (t *tree) clone() tree {
	return tree{size: t.size, edge: append(make([]tlog.Hash, 0, len(t.edge)+1), t.edge...)}
}

// wellFormed reports whether the edge has a hash for each bit of the size.
func (t *tree) wellFormed() bool {
	return t.size >= 0 && bits.OnesCount64(uint64(t.size)) == len(t.edge)
}
