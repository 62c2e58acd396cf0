package journal

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Within bounds what l reads of pending at once, and the entries of a block.
func (l *Log) Within(pending, entries int) *Log {
	l.bounds.pending, l.bounds.entries = pending, entries
	return l
}

// Memory tells all that l remembers between two rounds of a Sync, given the
// log's blocks.
func (l *Log) Memory() string {
	v := l.view.Load()
	return fmt.Sprint(v.known, v.broken != nil, v.state.Root, l.seq.there, l.seq.settled, l.seq.checked, l.seq.goal)
}

// Knows reports whether l has read anything.
func (l *Log) Knows() bool { return l.view.Load().known }

// Ring bounds the entries that l keeps in memory.
func (l *Log) Ring(entries int) { l.bounds.recent = entries }

// Kept tells what l has in memory: the first index, how many, and their size.
func (l *Log) Kept() (first int64, entries, bytes int) {
	r := l.view.Load().recent
	return r.first, len(r.entries), r.bytes
}

// What tests call of a tree.
func (t *tree) Add(entry []byte) { t.add(leafHash(entry)) }
func (t *tree) Root() tlog.Hash  { return t.root() }
func (t *tree) WellFormed() bool { return t.wellFormed() }
func (t *tree) Clone() tree      { return t.clone() }
