// Package storage is the contract between the use-cases and a database:
// records, seats, counters, and the journal's entries, pending and in the log,
// as data. It knows no rule about licenses; who calls it has decided already.
// A driver is good when the suite in storagetest says so.
//
// Times are UTC, whole milliseconds and of the years 1 to 9999; the zero time
// is «none». Text is UTF-8 without NUL and compared byte for byte. A driver
// answers with fault codes: InvalidInput, NotFound, Conflict, RateLimited and
// Unavailable, with a cause for the log and no SQL, address or password in the
// message.
//
// All methods are safe for concurrent use, by any number of processes on one
// database. A read sees every commit that returned before it began.
package storage

import (
	"context"
	"time"
)

// Store is a whole driver.
type Store interface {
	Reader
	Committer
	Counter
	Journal
	Keeper
	Mover
}

// Reader reads records.
type Reader interface {
	// Get gives the records of these ids in their order, each as one commit
	// left it, with its seats and counters; nil stands where there is none.
	// Two records need not be of one moment.
	Get(ctx context.Context, ids ...string) ([]*Stored, error)

	// List gives one page of the records that match q, in q's order. Records
	// of one millisecond come in an order of the driver's own, which never
	// changes. A record that matches throughout is on exactly one of the
	// pages, whatever is committed meanwhile. No match is an empty page, not
	// NotFound. A place of another order or of another driver's making is
	// InvalidInput on the field after.
	List(ctx context.Context, q Query) (Page, error)

	// Search gives at most q.First records of q.Kind that have a word which
	// begins with q.Prefix, each once. They come in the byte order of the
	// first such word of each, so the prefix itself comes before what goes on;
	// of one word the newest first, by Created or by the order in which they
	// were inserted, whichever a driver keeps. No match is none, not NotFound.
	// A prefix that is no text finds none; one that is empty, or longer than
	// MaxWord, is InvalidInput on the field text.
	Search(ctx context.Context, q SearchQuery) ([]*Stored, error)
}

// Committer changes records.
type Committer interface {
	// Commit applies all of c or none of it. It fails with Conflict, changing
	// nothing, if the record is new and its id is taken (by a record of any
	// kind), if it is stored under another version than the one that was read
	// or under another kind, or if a Removal's lease has moved. It fails with
	// InvalidInput, changing nothing, if c is not well-formed (see
	// Change.Check). Once it returns nil, the change survives a crash. Any
	// other error leaves open whether c was applied: the record, read again,
	// tells by its Attempt. A driver that may have sent c twice finds that out
	// itself before it says Conflict.
	//
	// A commit sets the record's own fields and the seats that it names. It
	// never touches other seats, leases that it does not put, counters, or
	// entries that are pending already. Callers commit concurrently; a driver
	// may group what waits, and one failed Change leaves the others of its
	// group alone.
	Commit(ctx context.Context, c Change) error

	// Touch moves leases: each whose stored end is after its At is moved to
	// Until, if that is later, and its seat is seen At, if that is later. A
	// seat without a lease gets one. The answer has the stored end of each, in
	// order, and the zero time where it had run out or the seat is gone. No
	// version changes. Once it returns nil, the moves survive a crash; after
	// an error some may have been made. A lease that moved behind a Removal's
	// back makes that commit a Conflict.
	Touch(ctx context.Context, leases []Lease) ([]time.Time, error)
}

// Counter counts uses beside the records: it never changes a version.
type Counter interface {
	// AddUsage adds deltas: each to the day and the total of its record, and to
	// the day of its product. A record or product that is gone loses its part
	// of the delta, silently. Unavailable says that none was added; after any
	// other error, which is Internal where nothing else is wrong, some may have
	// been, or parts of some.
	AddUsage(ctx context.Context, deltas []UsageDelta) error

	// Usage gives the days from first to last, both included, on which the
	// record or product of this id was used, oldest first; none is no error.
	Usage(ctx context.Context, id string, first, last Day) ([]UsageDay, error)
}

// Keeper keeps the database itself in order.
type Keeper interface {
	// Sweep removes, with their seats and counters, at most limit records in
	// state Deleted whose Due is before the time given, and says how many. A
	// record without a Due stays, and so does one with pending entries.
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)

	// Ready fails with Unavailable if the store cannot answer, or holds an
	// older or a newer schema than this program's; the message says which
	// command to run.
	Ready(ctx context.Context) error

	// Clock gives the time by storage's own clock, in whole milliseconds: the
	// one that every process on this database is told, whatever its own says.
	Clock(ctx context.Context) (time.Time, error)

	// Migrate brings the schema of an empty or older store up to this
	// program's. On a current one it does nothing; a newer one is Unavailable
	// and left alone. Two processes may migrate at once.
	Migrate(ctx context.Context) error

	// Close waits for the commits under way and frees everything. Later calls
	// are Unavailable; to close again is nothing.
	Close() error
}
