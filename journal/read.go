package journal

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/keywright/keywright/storage"
)

// last is the last block that a server has read or made, and the walk that
// stands behind it. Of an empty log it is zero.
type last struct {
	block storage.Block
	after walk
}

// split gives of these entries those that the block holds, and the rest.
func (k last) split(entries []storage.Pending) (held, rest []storage.Pending) {
	ids := make(map[string]bool, len(k.block.Entries))
	for _, e := range k.block.Entries {
		ids[e.ID] = true
	}
	for _, e := range entries {
		if ids[e.ID] {
			held = append(held, e)
		} else {
			rest = append(rest, e)
		}
	}
	return held, rest
}

// start finds out where the log ends, if that is not known. What came before
// is taken as it is, in whatever epoch: what another process read of the log,
// or signed, is not known here.
func (l *Log) start(ctx context.Context) error {
	if v := l.view.Load(); v.broken != nil || v.known {
		return v.broken
	}
	blocks, err := l.Store.Blocks(ctx, storage.LastBlock, 1)
	if err != nil {
		return err
	}
	if len(blocks) == 0 {
		l.publish(func(v *view) { v.known, v.state.Root = true, l.seq.last.after.tree.root() })
		l.seq.there = true
		return nil
	}
	was, err := l.startAt(ctx, blocks[0])
	if err != nil {
		return err
	}
	next, err := last{after: was}.follow(blocks[0])
	if err != nil {
		return err
	}
	l.take(next)
	l.seq.there = true
	return nil
}

// startAt gives the walk that stands before a block.
func (l *Log) startAt(ctx context.Context, b storage.Block) (walk, error) {
	w, err := walkAt(ctx, l.Store, b.First)
	if err != nil {
		return walk{}, err
	}
	if w.mid {
		return walk{}, found(b.First, "a block begins here within another")
	}
	return *w, nil
}

// readOn reads the log to its end, and reports whether anything was new. It
// begins with the last block that was read, which must be there still.
func (l *Log) readOn(ctx context.Context) (news bool, err error) {
	for {
		size := l.seq.last.after.tree.size
		blocks, err := l.Store.Blocks(ctx, max(size-1, 0), l.bounds.blocks)
		if err != nil {
			return news, err
		}
		if size > 0 {
			if len(blocks) == 0 || !l.seq.last.is(blocks[0]) {
				return news, found(size-1, "the block that it was read with is not there as it was")
			}
			blocks = blocks[1:]
		}
		if len(blocks) == 0 {
			l.seq.there = true
			return news, nil
		}
		news = true
		for _, b := range blocks {
			next, err := l.seq.last.follow(b)
			if err != nil {
				return news, err
			}
			if was := l.seq.last.after; was.log != "" && was.epoch != next.after.epoch {
				return news, found(b.First, "epoch %d begins here: the storage was restored while this server ran, which must be started anew", next.after.epoch)
			}
			l.take(next)
		}
	}
}

// is reports whether b is this block, to the byte of each entry.
func (k last) is(b storage.Block) bool {
	return b.First == k.block.First && b.At.Equal(k.block.At) && bytes.Equal(b.Head, k.block.Head) &&
		slices.EqualFunc(b.Entries, k.block.Entries, sameEntry)
}

func sameEntry(a, b storage.Entry) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Actor == b.Actor && a.Product == b.Product &&
		slices.Equal(a.Subjects, b.Subjects) && bytes.Equal(a.Body, b.Body)
}

// follow goes on over a block, and fails with a Finding where it does not
// continue the log.
func (k last) follow(b storage.Block) (last, error) {
	next := last{block: b, after: k.after}
	next.after.tree = k.after.tree.clone()
	err := next.after.next(b, nil)
	return next, err
}

// take makes next the last block. Its caller has the turn.
func (l *Log) take(next last) {
	l.seq.last, l.seq.settled = next, false
	l.arrived(next.block)
	l.publish(func(v *view) {
		if v.broken != nil {
			return
		}
		v.known, v.seen = true, time.Now()
		v.state = State(next.after.checkpoint())
		v.recent = v.recent.with(next.block, l.bounds.recent)
	})
}
