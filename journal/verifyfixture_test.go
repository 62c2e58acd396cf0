package journal_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

const logID = "log_0123456789abcdefghjkmnpqrs"

// written is a log that a test writes itself, with the checkpoint of each size
// that a block ends at.
type written struct {
	t           *testing.T
	store       *storagetest.Model
	log         string
	epoch       int64
	tree        journal.Tree
	entries     int
	at          time.Time
	variant     string // of what its entries say
	checkpoints []journal.Checkpoint
	size        atomic.Int64 // of what is appended
}

func newLog(t *testing.T, blocks ...int) *written {
	w := &written{t: t, store: storagetest.NewModel(), log: logID, epoch: 1, at: noon}
	w.grow(blocks...)
	return w
}

// grow appends blocks of so many entries.
func (w *written) grow(blocks ...int) {
	w.t.Helper()
	for _, size := range blocks {
		var entries []storage.Entry
		for range size {
			entries = append(entries, w.entry(w.entries))
			w.entries++
		}
		w.block(entries)
	}
}

func (w *written) entry(n int) storage.Entry {
	e := plainEntry()
	e.ID = fmt.Sprintf("evt_%026d", n)
	e.License = fmt.Sprintf("lic_%d", n%7)
	e.Request = fmt.Sprintf("R%d%s", n, w.variant)
	return encoded(w.t, e)
}

func (w *written) block(entries []storage.Entry) {
	w.t.Helper()
	b := journal.NextBlock(w.log, w.epoch, &w.tree, entries)
	w.at = w.at.Add(time.Second)
	b.At = w.at
	if err := w.store.AppendBlock(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
	w.checkpoints = append(w.checkpoints, w.checkpoint())
	w.size.Store(w.checkpoint().Size)
}

// restored begins another epoch.
func (w *written) restored() journal.Restoration {
	w.t.Helper()
	at := w.at.Add(time.Second)
	done, err := journal.Restore(w.t.Context(), journal.Config{Store: w.store, Now: func() time.Time { return at }})
	if err != nil {
		w.t.Fatal(err)
	}
	all := w.blocks()
	w.tree.Add(all[len(all)-1].Entries[0].Body)
	w.epoch, w.at = done.Epoch, at
	w.checkpoints = append(w.checkpoints, w.checkpoint())
	w.size.Store(w.checkpoint().Size)
	return done.Restoration
}

func (w *written) checkpoint() journal.Checkpoint {
	return journal.CheckpointOf(w.log, w.epoch, &w.tree)
}

// blocks gives a copy of all blocks.
func (w *written) blocks() []storage.Block {
	w.t.Helper()
	all, err := w.store.Blocks(w.t.Context(), 0, 1_000_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// replaced is a storage whose blocks are these, whatever was appended.
type replaced struct {
	storage.Journal
	blocks []storage.Block
}

func (w *written) replace(change func(blocks []storage.Block) []storage.Block) *replaced {
	return &replaced{w.store, change(w.blocks())}
}

func (r *replaced) Blocks(_ context.Context, from int64, limit int) ([]storage.Block, error) {
	if n := len(r.blocks); from == storage.LastBlock && n > 0 {
		from = r.blocks[n-1].First
	}
	var some []storage.Block
	for _, b := range r.blocks {
		if b.Next() > from && len(some) < limit {
			some = append(some, b)
		}
	}
	return slices.Clone(some), nil
}
