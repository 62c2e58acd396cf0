package journal

import (
	"context"

	"github.com/keywright/keywright/storage"
)

// Follower reads the log from a place on, one entry after the other. It is not
// safe for concurrent use.
type Follower struct {
	log    *Log
	filter storage.EntryFilter
	after  int64
	ahead  []storage.Logged // were read from storage with the last one that was given
}

// followAhead bounds the entries that a follower holds which has fallen behind
// what is in memory: enough to spare it most reads, and few enough that many
// who are slow cost little.
const followAhead = 16

// Follow begins behind the index after (-1: at the first entry) and gives what
// the filter leaves. It holds no goroutine and, between two calls of Next, at
// most 15 entries of its own.
func (l *Log) Follow(f storage.EntryFilter, after int64) *Follower {
	return &Follower{log: l, filter: f, after: after}
}

// Next waits for the next entry. Errors: that of ctx once it ends, Unavailable
// (Next may be called again), and for an entry that cannot be decoded Internal
// (the next call goes on behind it).
//
// It gives what this server has read, so it waits for ever where nobody runs
// or syncs the Log.
func (f *Follower) Next(ctx context.Context) (*Event, error) {
	for {
		v := f.log.view.Load()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case v.broken != nil:
			return nil, v.broken
		}
		e, err := f.find(ctx, v)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, unavailable(err)
		case e != nil:
			return e.decoded()
		}
		select {
		case <-v.changed:
		case <-ctx.Done():
		}
	}
}

// find goes on to the first entry of the log, as far as v knows of it, that
// the filter leaves; to v's end where there is none.
func (f *Follower) find(ctx context.Context, v *view) (*logged, error) {
	if len(f.ahead) > 0 {
		return f.give(f.ahead), nil
	}
	next := f.after + 1
	if next >= v.state.Size {
		return nil, nil
	}
	recent, ok := v.recent.from(next)
	if !ok {
		return f.look(ctx, v.state.Size)
	}
	for _, e := range recent {
		if f.filter.Matches(e.Logged) {
			f.after = e.Index
			return e, nil
		}
	}
	f.after = v.state.Size - 1
	return nil, nil
}

// look is find in storage, among the first size entries: those behind them
// were not read by this server, and may not continue what it has read.
func (f *Follower) look(ctx context.Context, size int64) (*logged, error) {
	page, err := f.log.Store.Entries(ctx, storage.EntryQuery{Filter: f.filter, First: followAhead, After: &f.after})
	if err != nil {
		return nil, err
	}
	found := page.Entries
	for len(found) > 0 && found[len(found)-1].Index >= size {
		found = found[:len(found)-1]
	}
	if len(found) == 0 {
		f.after = size - 1
		return nil, nil
	}
	return f.give(found), nil
}

// give gives the first of these entries, and holds the others.
func (f *Follower) give(found []storage.Logged) *logged {
	e := &logged{Logged: found[0]}
	f.after, f.ahead = e.Index, found[1:]
	if len(f.ahead) == 0 {
		f.ahead = nil // and lets go of the page
	}
	return e
}
