package sqlite

import (
	"context"
	"os"
	"time"

	"github.com/gofrs/flock"
	sqlite3 "modernc.org/sqlite/lib"
)

// How long a connection waits for another process's, and how often it asks.
const (
	patience = 5 * time.Second
	asking   = 250 * time.Microsecond
)

// turn lets the processes that share a database write by turns. SQLite's own
// lock goes to whoever asks while it is free; a process that writes all the
// time leaves it free for some microseconds only, and another may ask in vain
// until its patience ends. So whoever wants to write locks a file first, keeps
// it locked while it waits for SQLite's lock, and lets it go when it has that.
// Whoever has just written finds the file locked then, and comes after who
// waits.
//
// The file makes for order alone, and an error with it is no reason not to
// write: that one writes at a time is SQLite's to see to.
type turn struct {
	file     *flock.Flock
	patience time.Duration
}

func newTurn(database string) *turn {
	return &turn{file: flock.New(database + "-turn"), patience: patience}
}

// take runs f, which takes SQLite's lock, in this process's turn.
func (t *turn) take(f func() error) error {
	ctx, done := context.WithTimeout(context.Background(), t.patience)
	defer done()
	_, _ = t.file.TryLockContext(ctx, asking)
	defer func() { _ = t.file.Unlock() }()
	return whileBusy(ctx, f)
}

// close removes the file, which another process makes again when it needs it.
func (t *turn) close() { _ = os.Remove(t.file.Path()) }

// whileBusy runs f until SQLite is not busy or ctx ends.
func whileBusy(ctx context.Context, f func() error) error {
	for {
		err := f()
		if !failedWith(err, sqlite3.SQLITE_BUSY) {
			return err
		}
		select {
		case <-time.After(asking):
		case <-ctx.Done():
			return err
		}
	}
}
