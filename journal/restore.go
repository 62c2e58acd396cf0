package journal

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Restored says what Restore did.
type Restored struct {
	Restoration
	Log     string // none where the log has no entries, so no epoch began
	Pending int    // entries that are not in the log
	Settled int    // entries that were in it, and pending all the same
}

// Restore makes good what a restored copy of a storage breaks, and begins
// another epoch of its log. It is run once after each restoring, before any
// server starts.
//
// The copy's records may be older than its log, so that entries are pending
// which any block of it holds, where servers look at the last one alone: those
// are settled. To begin it again after it failed does no harm, and of several
// that run at once one begins the epoch. Errors: a Finding where the log is not
// whole, Conflict where a server is at work, Unavailable.
func Restore(ctx context.Context, c Config) (Restored, error) {
	run := &restoring{Config: NewLog(c).Config}
	err := run.all(ctx)
	if f := (*Finding)(nil); err != nil && !errors.As(err, &f) && !fault.Is(err, fault.Conflict) {
		err = unavailable(err)
	}
	return run.done, err
}

// restoring is a Restore under way.
type restoring struct {
	Config
	walk    walk
	pending map[string]storage.Pending // when it began, by their ids
	held    []storage.Pending          // those that the log holds
	done    Restored
}

// all relies on what a sequencer does: when the epoch's block is appended, all
// that is pending was read before the log, which has not grown since, and what
// it holds is settled.
func (r *restoring) all(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.readOn(ctx); err != nil {
		return err
	}
	for some := range slices.Chunk(r.held, storage.MaxBlock) {
		if err := r.Store.Settle(ctx, some); err != nil {
			return err
		}
	}
	r.done.Settled, r.done.Pending = len(r.held), len(r.pending)-len(r.held)
	if r.walk.tree.size == 0 {
		return nil
	}
	if err := r.nothingNew(ctx); err != nil {
		return err
	}
	return r.append(ctx)
}

// begin reads what is pending.
func (r *restoring) begin(ctx context.Context) error {
	all, err := allPending(ctx, r.Store)
	r.pending = make(map[string]storage.Pending, len(all))
	for _, e := range all {
		r.pending[e.ID] = e
	}
	return err
}

// allPending reads all that is pending, in one call.
func allPending(ctx context.Context, store storage.Journal) ([]storage.Pending, error) {
	for limit := storage.MaxBlock; ; limit *= 4 {
		all, err := store.Pending(ctx, limit)
		if err != nil || len(all) < limit {
			return all, err
		}
	}
}

// readOn reads the log to its end.
func (r *restoring) readOn(ctx context.Context) error {
	for {
		blocks, err := r.Store.Blocks(ctx, r.walk.tree.size, readAhead)
		if err != nil || len(blocks) == 0 {
			return err
		}
		for _, b := range blocks {
			if err := r.walk.next(b, nil); err != nil {
				return err
			}
			for _, e := range b.Entries {
				if p, ok := r.pending[e.ID]; ok {
					r.held = append(r.held, p)
				}
			}
		}
	}
}

// nothingNew fails where a server is at work.
func (r *restoring) nothingNew(ctx context.Context) error {
	all, err := allPending(ctx, r.Store)
	if err != nil {
		return err
	}
	for _, e := range all {
		if _, was := r.pending[e.ID]; !was {
			return errAtWork()
		}
	}
	return nil
}

func errAtWork() error {
	return fault.Errorf(fault.Conflict, "a server is at work on this storage: stop all of them, and run keywright migrate --restored again")
}

// append begins the epoch. A taken index is another's who does the same, or a
// server's.
func (r *restoring) append(ctx context.Context) error {
	size := r.walk.tree.size
	b, err := r.block()
	if err != nil {
		return err
	}
	if err = r.Store.AppendBlock(ctx, b); fault.Is(err, fault.Conflict) {
		err = r.readOn(ctx)
		if err == nil && !r.walk.begins(size) {
			return errAtWork()
		}
	} else if err == nil {
		err = r.walk.next(b, nil)
	}
	if err != nil {
		return err
	}
	r.done.Log, r.done.Restoration = r.walk.log, r.walk.restorations[len(r.walk.restorations)-1]
	return nil
}

// block makes the first block of the next epoch.
func (r *restoring) block() (storage.Block, error) {
	now := r.Now().UTC().Truncate(time.Millisecond)
	w := r.walk
	begins := Restoration{Epoch: epochAt(now, w.epoch), Size: w.tree.size, Root: w.tree.root(), At: now}
	e, err := r.entry(begins)
	if err != nil {
		return storage.Block{}, err
	}
	b := storage.Block{First: w.tree.size, At: now, Entries: []storage.Entry{e}}
	if b.At.Before(w.at) {
		b.At = w.at
	}
	after := w.tree.clone()
	b.Head, err = headOf(w.log, begins.Epoch, &after, b.Entries).encode()
	return b, err
}

// entry makes the entry that says so. It is never pending, and of no record.
func (r *restoring) entry(begins Restoration) (storage.Entry, error) {
	id, err := NewID(begins.At, r.Random)
	if err != nil {
		return storage.Entry{}, err
	}
	data, err := json.Marshal(begins.data())
	if err != nil {
		return storage.Entry{}, err
	}
	return Entry{
		ID: id, Type: JournalRestored, Version: JournalRestored.Version(), At: begins.At,
		Actor: actor.Actor{Kind: actor.System, ID: "migrate"}, Subject: r.walk.log, Digest: make([]byte, digestSize), Data: data,
	}.Encode()
}
