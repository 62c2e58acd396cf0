package journal

import (
	"context"
	"fmt"
	"slices"

	"github.com/keywright/keywright/storage"
)

// Loss says what a restoration took away: entries that a checkpoint has seen,
// or a change of a record. That is what an older copy leaves behind which was
// restored on purpose, and also what somebody would forge who hides what came
// after it. Who runs the storage knows which; the log cannot tell.
//
//nolint:errname // see Finding
type Loss struct {
	At      Restoration
	Problem string
}

// Error says what was lost.
func (l *Loss) Error() string { return l.Problem }

// after gives the restoration that ended an epoch or came after it, nil where
// none did.
func after(all []Restoration, epoch int64) *Restoration {
	at := slices.IndexFunc(all, func(r Restoration) bool { return r.Epoch > epoch })
	if at < 0 {
		return nil
	}
	return &all[at]
}

// knows reports whether the log was in an epoch.
func knows(all []Restoration, epoch int64) bool {
	return epoch == firstEpoch || slices.ContainsFunc(all, func(r Restoration) bool { return r.Epoch == epoch })
}

// missing says what of a checkpoint's log a restoration left out: it must have
// come after the checkpoint's epoch, at fewer entries.
func (r Restoration) missing(c Checkpoint, known bool) string {
	atLeast := ""
	if !known { // the two logs may have parted before
		atLeast = "at least "
	}
	return fmt.Sprintf("the log was restored at size %d (epoch %d) on %s; %s%s of the checkpoint's log are gone: it had %d in epoch %d",
		r.Size, r.Epoch, r.At.UTC().Format(timeFormat), atLeast, count(c.Size-r.Size, "entry", "entries"), c.Size, c.Epoch)
}

// lossOf gives a Finding where a log, which does not go on from a checkpoint,
// says that it was restored in between, and nil where it does not. It goes by
// what storage finds, which proves nothing.
func lossOf(ctx context.Context, store storage.Journal, c Checkpoint) error {
	page, err := store.Entries(ctx, storage.EntryQuery{
		Filter: storage.EntryFilter{Types: []string{string(JournalRestored)}}, First: storage.MaxBlock,
	})
	if err != nil {
		return err
	}
	var all []Restoration
	for _, e := range page.Entries {
		if r, err := restorationOf(e.Entry); err == nil && r.Size == e.Index {
			all = append(all, r)
		}
	}
	if r := after(all, c.Epoch); r != nil && c.Size > r.Size {
		return found(r.Size, "%s", r.missing(c, knows(all, c.Epoch)))
	}
	return nil
}
