package dump

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/storage"
)

// markID is the id of the mark.
func markID() string {
	sum := sha256.Sum256([]byte("keywright load v1"))
	return id.FromHash("cur", sum[:])
}

// markDue is when the mark is due to be swept once it is deleted: before all
// else that could be.
func markDue() time.Time { return time.UnixMilli(1).UTC() }

// Unfinished fails with Unavailable where a load into a store has not ended,
// or did not end well.
func Unfinished(ctx context.Context, s storage.Reader) error {
	found, err := s.Get(ctx, markID())
	if err != nil {
		return err
	}
	if found[0] == nil || found[0].Index.State == storage.Deleted {
		return nil
	}
	return fault.Errorf(fault.Unavailable, "storage is incomplete: a load into it has not ended, or failed; if none is under way, make it anew and load the dump again")
}

// mark makes a store one that is being loaded.
func mark(ctx context.Context, s storage.Committer, h Header, now time.Time) (storage.Change, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return storage.Change{}, err
	}
	c := storage.Change{
		Record:  storage.Record{Kind: storage.Cursor, ID: markID(), Index: storage.Index{Created: now}, Body: body},
		Attempt: "load",
	}
	err = s.Commit(ctx, c)
	if fault.Is(err, fault.Conflict) {
		return storage.Change{}, fault.Wrap(fault.Conflict, err, "another load into this storage is under way")
	}
	return c, err
}

// unmark makes it a store like any other. What is left of the mark would go with
// the first sweep of a server, too.
func unmark(ctx context.Context, s storage.Store, c storage.Change) error {
	c.Record.Version, c.Record.Index.State, c.Record.Index.Due = 1, storage.Deleted, markDue()
	if err := s.Commit(ctx, c); err != nil {
		return err
	}
	_, _ = s.Sweep(ctx, markDue().Add(time.Millisecond), 1)
	return nil
}
