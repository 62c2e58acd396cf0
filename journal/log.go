package journal

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Config is what a Log is made of. Store is needed; the rest has defaults.
type Config struct {
	Store  storage.Journal
	Now    func() time.Time // the clock; time.Now if nil
	Random io.Reader        // crypto/rand if nil
	Log    *slog.Logger     // discarded if nil
	// Poll is how long a server waits for news of other servers, unless the
	// Store is a storage.Waker and tells of some: a second if zero.
	Poll time.Duration
	// Pace is how long after a block Run appends the next at the earliest: 20
	// ms if zero.
	Pace time.Duration
}

// Log is the log of a storage as one server sees it: it moves pending entries
// into it, and follows it. It is safe for concurrent use.
type Log struct {
	Config
	bounds bounds
	wake   chan struct{} // holds one where something was committed here
	word   chan struct{} // holds one where another server may have appended a block

	turn chan struct{} // whoever has put one in sequences, and owns seq
	seq  sequencer

	nextMu sync.Mutex
	next   *flight // what callers of Sync join

	viewMu sync.Mutex // held to replace view
	view   atomic.Pointer[view]
}

// State says where the log is, as far as this server has read.
type State struct {
	Log   string // the log's own id; none as long as there is no entry
	Epoch int64  // from 1; see Restoration
	Size  int64  // entries
	Root  tlog.Hash
}

// view is what this server knows of the log at a moment. It never changes:
// another takes its place.
type view struct {
	known   bool // whether anything was read
	state   State
	seen    time.Time // when the last block came, by the monotonic clock
	recent  ring
	broken  error         // why nothing of the log counts any more
	changed chan struct{} // closed when another view has taken the place
}

// NewLog makes a Log. It knows nothing until Run or Sync has read.
func NewLog(c Config) *Log {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Pace = cmp.Or(c.Pace, 20*time.Millisecond)
	l := &Log{Config: c, bounds: usualBounds, wake: make(chan struct{}, 1), word: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
	l.view.Store(&view{changed: make(chan struct{})})
	return l
}

// State gives where the log is.
func (l *Log) State() State { return l.view.Load().state }

// Watch gives where the log is, and a channel that is closed once it is
// somewhere else, or is broken.
func (l *Log) Watch() (State, <-chan struct{}) {
	v := l.view.Load()
	return v.state, v.changed
}

// Ready fails with Unavailable where the log does not continue what this
// server has read or signed of it.
func (l *Log) Ready(context.Context) error { return l.view.Load().broken }

// Break says that the log does not continue what this server knows of it, and
// why. From then on this Log appends nothing and gives nothing: whoever changed
// the log must not be helped to go on. There is no way back but a new Log.
func (l *Log) Break(reason string) {
	broken := false
	l.publish(func(v *view) {
		if v.broken == nil {
			broken = true
			v.broken = fault.Errorf(fault.Unavailable, "the journal does not continue what this server knows of it: %s", reason)
		}
	})
	if broken {
		s := l.State()
		l.Log.Error("the journal does not continue what this server knows of it; nothing more is appended",
			"reason", reason, "log", s.Log, "epoch", s.Epoch, "size", s.Size, "root", s.Root.String())
	}
}

// publish puts a changed copy in the place of the view, and wakes all who wait
// for that.
func (l *Log) publish(change func(*view)) {
	l.viewMu.Lock()
	defer l.viewMu.Unlock()
	old := l.view.Load()
	next := *old
	next.changed = make(chan struct{})
	change(&next)
	l.view.Store(&next)
	close(old.changed)
}

// Entries reads one page; see storage.Journal.
func (l *Log) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	return l.Store.Entries(ctx, q)
}
