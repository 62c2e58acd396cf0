package sqlite

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/keywright/keywright/fault"
)

const (
	maxWaiting = 4096 // changes in the queue
	maxGroup   = 256  // changes in one transaction
)

// job is a change that waits for the writer.
type job struct {
	apply func(*writer) error // inside a transaction and a savepoint of its own
	taken atomic.Bool         // by the writer, or by its caller, who has left
	done  chan error
}

// writer is the one goroutine of this process that changes the database. It
// takes whatever waits into one transaction, so that one fsync serves all of
// it.
type writer struct {
	conn   *conn
	turn   *turn
	names  adder
	states adder
	queue  chan *job
	ended  chan struct{}
	group  []*job
	errs   []error
	held   []string // the statements that EndLoad is to run; nil outside of a bulk load

	checkpoints  *checkpointer
	copyAfter    int64
	restartAfter int64
	restartAt    int64 // pages in the log
}

func newWriter(c *conn, t *turn, n, states *names, checkpoints *checkpointer) *writer {
	return &writer{
		conn:   c,
		turn:   t,
		names:  adder{names: n, added: map[string]int64{}},
		states: adder{names: states, added: map[string]int64{}},
		queue:  make(chan *job, maxWaiting),
		ended:  make(chan struct{}),

		checkpoints:  checkpoints,
		copyAfter:    copyAfter,
		restartAfter: restartAfter,
	}
}

// write hands a change to the writer and waits for its end. A caller whose
// ctx ends before the change was begun leaves, and it is not applied.
func (s *Store) write(ctx context.Context, apply func(*writer) error) error {
	j := &job{apply: apply, done: make(chan error, 1)}
	if err := s.enqueue(ctx, j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return translate(ctx.Err())
		}
		return <-j.done
	}
}

func (s *Store) enqueue(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil { // else select might take the queue, and the writer the job
		return translate(err)
	}
	s.closedMu.RLock()
	defer s.closedMu.RUnlock()
	if s.closed {
		return errClosed()
	}
	select {
	case s.writer.queue <- j:
		return nil
	case <-ctx.Done():
		return translate(ctx.Err())
	}
}

// run serves the queue until it is closed and empty.
func (w *writer) run() {
	defer close(w.ended)
	for first := range w.queue {
		w.gather(first)
		if len(w.group) == 0 {
			continue
		}
		err := w.transact()
		for i, j := range w.group {
			if err != nil {
				w.errs[i] = translate(err)
			}
			j.done <- w.errs[i]
		}
		w.keepLogShort()
	}
}

// gather makes the next group of first and what waits behind it.
func (w *writer) gather(first *job) {
	clear(w.group)
	w.group, w.errs = w.group[:0], w.errs[:0]
	next := first
	for next != nil {
		if next.taken.CompareAndSwap(false, true) {
			w.group, w.errs = append(w.group, next), append(w.errs, nil)
		}
		next = nil
		if len(w.group) < maxGroup {
			select {
			case next = <-w.queue: // nil once the queue is closed
			default:
			}
		}
	}
}

// transact applies the group in one transaction. After an error nothing of it
// is applied, and what its changes were told is void: a Conflict may have
// been with another change of the same group.
func (w *writer) transact() error {
	if err := w.turn.take(w.begin); err != nil {
		return err
	}
	err := w.applyGroup()
	if err == nil {
		_, _, err = w.conn.exec("COMMIT")
	}
	if err != nil {
		_, _, _ = w.conn.exec("ROLLBACK") // fails where SQLite has rolled back itself
		w.names.undone()
		w.states.undone()
		return err
	}
	w.names.committed()
	w.states.committed()
	return nil
}

func (w *writer) begin() error {
	_, _, err := w.conn.exec("BEGIN IMMEDIATE")
	return err
}

// applyGroup applies each change in a savepoint. An error of its own fails the
// change alone; the group goes on unless SQLite has given up the transaction.
func (w *writer) applyGroup() error {
	for i, j := range w.group {
		if _, _, err := w.conn.exec("SAVEPOINT change"); err != nil {
			return err
		}
		if err := j.apply(w); err != nil {
			if _, _, lost := w.conn.exec("ROLLBACK TO change"); lost != nil {
				return errors.Join(err, lost)
			}
			w.names.undone()
			w.states.undone()
			w.errs[i] = translate(err)
		}
		if _, _, err := w.conn.exec("RELEASE change"); err != nil {
			return err
		}
	}
	return nil
}

func errClosed() error { return fault.Errorf(fault.Unavailable, "storage is closed") }
