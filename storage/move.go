package storage

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
)

// Whole is all that a store holds of a record, but for entries that are in the
// log.
type Whole struct {
	Stored
	Days    []UsageDay // oldest first
	Pending []Entry    // in the order of Journal.Pending
}

// Check refuses a Whole that is not well-formed: a record, its seats or entries
// that Change.Check refuses, one that was never committed, or days that are
// none, or out of order, or count what is no text.
func (w Whole) Check() error {
	if w.Version < 1 {
		return fault.Errorf(fault.InvalidInput, "a stored record has a version of at least 1")
	}
	for i, u := range w.Days {
		if _, err := time.Parse(time.DateOnly, string(u.Day)); err != nil || i > 0 && w.Days[i-1].Day >= u.Day {
			return fault.Errorf(fault.InvalidInput, "the days of a record are dates, in order, each once")
		}
		for _, counts := range u.Values {
			if err := checkText(slices.Collect(maps.Keys(counts))...); err != nil {
				return err
			}
		}
	}
	return Change{Record: w.Record, Attempt: w.Attempt, Put: w.Seats, Entries: w.Pending}.Check()
}

// Mover takes whole stores out of one engine and into another. Whoever calls
// it sees to it that nobody else writes meanwhile. The log moves by
// Journal.Blocks and AppendBlock.
type Mover interface {
	// Dump gives the records of all kinds in the byte order of their ids: those
	// behind the id after, at most limit, and fewer where they are large, but
	// one at least. None is the end.
	Dump(ctx context.Context, after string, limit int) ([]Whole, error)

	// Load inserts records as they were dumped: under the version and attempt
	// that they have, with their seats, counters and pending entries. It fails
	// with Conflict if the id of one is taken, and with InvalidInput if one is
	// not well-formed (see Whole.Check). After an error some of them may have
	// been inserted. Records of one millisecond may come in another order than
	// they had.
	Load(ctx context.Context, records []Whole) error
}

// Bulk is what a driver may offer beside Store, if it loads faster where it
// knows that much more comes.
type Bulk interface {
	// BeginLoad says that a store without licenses is filled by calls of Load,
	// and that nothing else is called, but for Get, until EndLoad has returned
	// nil. Left before, or after an error, the store is of no use.
	BeginLoad(ctx context.Context) error
	EndLoad(ctx context.Context) error
}

// Copier is what a driver may offer beside Store, if a store of it is a file.
type Copier interface {
	// CopyTo writes what the store holds at one moment of the call into a new
	// file, which is readable by its owner alone, and which the driver opens
	// like the store's own. Whatever returned before the call is in it. Others
	// go on meanwhile. It fails with Conflict if the file is there already;
	// after any error it is not there, in part or whole.
	CopyTo(ctx context.Context, file string) error
}

// Waker is what a driver may offer beside Store: word from its engine that
// another process may have appended a block. It is a hint, which spares a
// follower the wait for its next look, and may be late, missing or false.
type Waker interface {
	// Wake calls f at each such word until ctx ends or the engine cannot be
	// listened to any more, which it says by an error. It may begin with a call,
	// of what was appended while nobody listened.
	Wake(ctx context.Context, f func()) error
}
