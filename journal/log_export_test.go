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
	return fmt.Sprint(l.view.Load().known, l.seq.last.after.tree.size, l.seq.settled, l.seq.goal)
}

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
