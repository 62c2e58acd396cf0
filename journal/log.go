package journal

import (
	"context"
	"io"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/storage"
)

// Config is what a Log is made of. Store is needed; the rest has defaults.
type Config struct {
	Store  storage.Journal
	Now    func() time.Time // the clock; time.Now if nil
	Random io.Reader        // crypto/rand if nil
	Log    *slog.Logger     // discarded if nil
	// Poll is how long a server waits for news of other servers: a second if
	// zero.
	Poll time.Duration
	// Pace is how long after a block the next is appended at the earliest: 20
	// ms if zero.
	Pace time.Duration
}

// Log is the log of a storage as one server sees it: it moves pending entries
// into it, and follows it. It is safe for concurrent use.
type Log struct{ Config }

// State says where the log is, as far as this server has read.
type State struct {
	Log   string // the log's own id
	Epoch int64  // from 1
	Size  int64  // entries
	Root  tlog.Hash
}

// NewLog makes a Log. It knows nothing until Run or Sync has read.
func NewLog(c Config) *Log { return &Log{c} }

// Run sequences and follows until ctx ends.
func (l *Log) Run(ctx context.Context) { <-ctx.Done() }

// Committed says that a change was committed on this server, so that nobody
// waits for a poll.
func (l *Log) Committed() {}

// Sync moves everything that is pending into the log and reads to its end:
// after it, this server has seen all that was committed by any server before
// it was called. Errors: Unavailable.
func (l *Log) Sync(ctx context.Context) (State, error) { panic("to be built") }

// State gives where the log is.
func (l *Log) State() State { return State{} }

// Ready fails with Unavailable where the log does not continue what this
// server has read or signed of it.
func (l *Log) Ready(ctx context.Context) error { panic("to be built") }

// Entry reads one page; see storage.Journal.
func (l *Log) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	return l.Store.Entries(ctx, q)
}

// Event is an entry in the log, decoded.
type Event struct {
	Index  int64
	Logged time.Time // when its block was made
	Entry
}

// Follower reads the log from a place on, one entry after the other.
type Follower struct{}

// Follow begins behind the index after (-1: at the first entry) and gives what
// the filter leaves. It holds no goroutine and, between two calls of Next, no
// entries of its own.
func (l *Log) Follow(f storage.EntryFilter, after int64) *Follower { panic("to be built") }

// Next waits for the next entry. Errors: that of ctx once it ends, Unavailable
// (Next may be called again), and for an entry that cannot be decoded Internal
// (the next call goes on behind it).
func (f *Follower) Next(ctx context.Context) (*Event, error) { panic("to be built") }

// Cursor is a place in the log: behind the entry of an index.
type Cursor struct {
	Log   string
	Epoch int64
	Index int64
}

// String gives the cursor as callers see it: opaque, and at most 100 bytes.
func (c Cursor) String() string { panic("to be built") }

// ParseCursor reads a cursor that a caller sent. Errors: InvalidInput on the
// field after, for what String never gave.
func ParseCursor(text string) (Cursor, error) { panic("to be built") }

// Place gives the index that a cursor stands for. Errors: InvalidInput on the
// field after, for a cursor of another log or epoch, or from beyond the log's
// end; Unavailable.
func (l *Log) Place(ctx context.Context, cursor string) (int64, error) { panic("to be built") }

// CursorAt gives the cursor of an index.
func (l *Log) CursorAt(index int64) string { panic("to be built") }
