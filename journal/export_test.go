package journal

import (
	"slices"

	"github.com/keywright/keywright/storage"
)

// What makes the canonical form of JSON.
var (
	Canonical = canonical
	SortPlain = sortPlain
)

// Tree is the Merkle tree of a log.
type Tree = tree

// NextBlock makes the block that follows the entries of a tree, and adds to it.
func NextBlock(log string, epoch int64, t *Tree, entries []storage.Entry) storage.Block {
	b := storage.Block{First: t.size, Entries: entries}
	var err error
	if b.Head, err = headOf(log, epoch, t, entries).encode(); err != nil {
		panic(err)
	}
	return b
}

// CheckpointOf gives the checkpoint of a tree.
func CheckpointOf(log string, epoch int64, t *Tree) Checkpoint {
	return Checkpoint{Log: log, Epoch: epoch, Size: t.size, Root: t.root()}
}

// SplitNotes parts notes.
var SplitNotes = splitNotes

// Facts is what verification reads of a body.
type Facts struct {
	Type, Actor, Product, License, Record string
	Subjects                              []string
	Digest                                []byte
}

// Scan reads a body without Decode, if it can.
func Scan(e storage.Entry) (Facts, bool) {
	var f facts
	if !(&scanner{}).scan(&f, &e) {
		return Facts{}, false
	}
	return f.text(), true
}

// Read reads a body.
func Read(e storage.Entry) (Facts, error) {
	var f facts
	err := f.read(&scanner{}, &e)
	return f.text(), err
}

func (f *facts) text() Facts {
	g := Facts{
		Type: string(f.kind), Actor: string(f.actorKind) + " " + string(f.actorID), Product: string(f.product),
		License: string(f.license), Record: string(f.record()), Digest: slices.Clone(f.digest[:]),
	}
	for _, id := range f.subjects {
		g.Subjects = append(g.Subjects, string(id))
	}
	return g
}

// Differs names what an entry is found by and its body does not say.
func Differs(e storage.Entry) string {
	var f facts
	if err := f.read(&scanner{}, &e); err != nil {
		return err.Error()
	}
	return f.differs(&e)
}

// ParseCheckpoint reads what is signed.
var ParseCheckpoint = parseCheckpoint

// Text is what is signed.
func (c Checkpoint) Text() string { return c.text() }
