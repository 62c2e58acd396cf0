package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Nowhere is the Index of a Finding that is about no entry.
const Nowhere = int64(-1)

// Finding says what is wrong with a log or a record, in words for an operator.
//
//nolint:errname // it is a finding: the verification did not fail
type Finding struct {
	Index   int64  // the first entry that is concerned, or Nowhere
	Problem string //
}

// Error gives the finding with its index.
func (f *Finding) Error() string {
	if f.Index == Nowhere {
		return f.Problem
	}
	return fmt.Sprintf("entry %d: %s", f.Index, f.Problem)
}

func found(index int64, format string, args ...any) error {
	return &Finding{Index: index, Problem: fmt.Sprintf(format, args...)}
}

// readAhead is how many blocks are asked for at once: the log of a quiet server
// has one for each entry, and of large ones a driver gives fewer.
const readAhead = 1000

// batch is what one reading gave.
type batch struct {
	blocks []storage.Block
	err    error
}

// blocksFrom gives the blocks from the one that holds the index from on. It
// reads on while its caller works.
func blocksFrom(ctx context.Context, store storage.Journal, from int64) iter.Seq2[storage.Block, error] {
	return func(yield func(storage.Block, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		batches := make(chan batch, 1)
		go readBatches(ctx, store, from, batches)
		defer func() {
			cancel()
			for range batches { //nolint:revive // until the reader has ended
			}
		}()
		for b := range batches {
			for _, block := range b.blocks {
				if !yield(block, nil) {
					return
				}
			}
			if b.err != nil {
				yield(storage.Block{}, b.err)
				return
			}
		}
	}
}

// readBatches sends all blocks from an index on, and closes the channel. The
// last batch may have an error.
func readBatches(ctx context.Context, store storage.Journal, from int64, to chan<- batch) {
	defer close(to)
	for more := true; more; {
		blocks, err := store.Blocks(ctx, from, readAhead)
		more = err == nil && len(blocks) > 0
		if more {
			next := blocks[len(blocks)-1].Next()
			if next <= from { // else it would never end
				more, err = false, fault.Errorf(fault.Internal, "storage gave a block that ends before what was asked for")
			}
			from = next
		}
		select {
		case to <- batch{blocks, err}:
		case <-ctx.Done():
			more = false
			to <- batch{err: ctx.Err()} // its reader takes all there is
		}
	}
}

// walk follows a log block by block and makes its tree anew. The zero walk
// stands before the first block.
type walk struct {
	log          string // empty before the first block
	epoch        int64
	tree         tree
	at           time.Time     // of the last block
	mid          bool          // whether the tree ends within the next block
	restorations []Restoration // where it went on to another epoch
}

func (w *walk) checkpoint() Checkpoint {
	return Checkpoint{Log: w.log, Epoch: w.epoch, Size: w.tree.size, Root: w.tree.root()}
}

// walkAt gives the walk up to a size, from what the heads before it say. It
// fails with a Finding where the log is shorter. What it gives is proved by
// nothing but its root, which the caller must know.
func walkAt(ctx context.Context, store storage.Journal, size int64) (*walk, error) {
	w := &walk{}
	if size == 0 {
		return w, nil
	}
	at := func(index int64) (storage.Block, head, error) {
		blocks, err := store.Blocks(ctx, index, 1)
		if err != nil {
			return storage.Block{}, head{}, err
		}
		if len(blocks) == 0 || blocks[0].First > index || blocks[0].Next() <= index {
			return storage.Block{}, head{}, w.noBlock(ctx, store, index)
		}
		h, err := readHead(blocks[0])
		if err != nil {
			return storage.Block{}, head{}, badHead(blocks[0], err)
		}
		return blocks[0], h, nil
	}
	b, h, err := at(size - 1)
	if err != nil {
		return nil, err
	}
	w.log, w.epoch, w.tree = h.Log, h.Epoch, h.tree()
	if b.Next() == size {
		w.at = b.At
		return w, nil
	}
	w.tree, w.mid = tree{}, true
	if b.First > 0 {
		before, h, err := at(b.First - 1)
		if err != nil {
			return nil, err
		}
		w.tree, w.at = h.tree(), before.At
	}
	for _, e := range b.Entries[:size-b.First] {
		w.tree.add(leafHash(e.Body))
	}
	return w, nil
}

// noBlock says why there is no block with an index.
func (w *walk) noBlock(ctx context.Context, store storage.Journal, index int64) error {
	last, err := store.Blocks(ctx, storage.LastBlock, 1)
	switch {
	case err != nil:
		return err
	case len(last) == 0:
		return found(0, "the log has no entries")
	case last[0].Next() <= index:
		return found(last[0].Next(), "the log ends here")
	}
	return found(index, "it is missing: the block that held it was deleted")
}

func badHead(b storage.Block, err error) error {
	return found(b.First, "the head of the block that begins here was changed: %v", err)
}

// next goes on over a block, and fails with a Finding unless it follows. Each
// is called for every entry, once the tree has it; it is nil where nothing is
// to be done.
func (w *walk) next(b storage.Block, each func(index int64, e *storage.Entry, leaf tlog.Hash) error) error {
	if err := w.begin(b); err != nil {
		return err
	}
	sums := make([]byte, 0, sumSize*len(b.Entries))
	var bad *Finding
	for i := range b.Entries {
		leaf := leafHash(b.Entries[i].Body)
		sums = append(sums, leaf[:sumSize]...)
		index := b.First + int64(i)
		if index < w.tree.size {
			continue // the walk has it already
		}
		w.tree.add(leaf)
		if each == nil || bad != nil {
			continue
		}
		if err := each(index, &b.Entries[i], leaf); err != nil && !errors.As(err, &bad) {
			return err
		}
	}
	w.at, w.mid = b.At, false
	switch want := (head{Log: w.log, Epoch: w.epoch, Size: w.tree.size, Edge: w.tree.edge, Sums: sums}); {
	case !bytes.Equal(want.append(nil), b.Head):
		return w.diagnose(b, want, bad)
	case bad != nil:
		return bad
	}
	return nil
}

// begin checks what does not need the entries' hashes.
func (w *walk) begin(b storage.Block) error {
	switch {
	case b.First > w.tree.size:
		return found(w.tree.size, "the entries %d to %d are missing: the blocks that held them were deleted", w.tree.size, b.First-1)
	case b.First < w.tree.size && !w.mid:
		return found(b.First, "a block begins here within another")
	case b.At.Before(w.at):
		return found(b.First, "the block that begins here was made at %s, before the one in front of it", b.At.UTC().Format(timeFormat))
	}
	if w.log != "" {
		return w.rise(b)
	}
	h, err := readHead(b)
	switch {
	case err != nil:
		return misfit(b, err)
	case h.Epoch != firstEpoch:
		return found(b.First, "the log begins in epoch %d, and a log begins in epoch %d", h.Epoch, firstEpoch)
	}
	w.log, w.epoch = h.Log, h.Epoch
	return nil
}

// diagnose says what is wrong with a block whose head is not the one that its
// entries want. Bad is what was found besides.
func (w *walk) diagnose(b storage.Block, want head, bad *Finding) error {
	h, err := readHead(b)
	switch {
	case err != nil:
		return misfit(b, err)
	case h.Log != w.log || h.Epoch != w.epoch:
		return found(b.First, "the block that begins here is of the log %s, epoch %d, and those before it of %s, epoch %d", h.Log, h.Epoch, w.log, w.epoch)
	}
	same := slices.Equal(want.Edge, h.Edge)
	for i := range b.Entries {
		index := b.First + int64(i)
		switch {
		case bad != nil && bad.Index < index:
			return bad
		case bytes.Equal(want.Sums[i*sumSize:(i+1)*sumSize], h.Sums[i*sumSize:(i+1)*sumSize]):
		case same:
			return found(index, "it is as it was logged; its check sum in the head of its block was changed")
		default:
			return found(index, "it is not what was logged here: it, or the head of its block, was changed")
		}
	}
	if !same {
		return found(b.First, "the block that begins here does not continue the tree before it: its entries and its head, or blocks before it, were replaced")
	}
	return badHead(b, errors.New("it is not in the form in which heads are written"))
}

// misfit says of a block whose head is not of it which entry is the first that
// is missing or too many, if its sums tell.
func misfit(b storage.Block, err error) error {
	var h head
	n := len(b.Entries)
	if json.Unmarshal(b.Head, &h) == nil {
		n = len(h.Sums) / sumSize
	}
	if n == len(b.Entries) || h.Size-b.First != int64(n) {
		return badHead(b, err)
	}
	for i, e := range b.Entries {
		leaf := leafHash(e.Body)
		if at := i * sumSize; at >= len(h.Sums) || !bytes.HasPrefix(h.Sums[at:], leaf[:sumSize]) {
			return found(b.First+int64(i), "it is not what was logged here: an entry of the block was deleted or added")
		}
	}
	return found(b.Next(), "it is missing: it was deleted from its block")
}
