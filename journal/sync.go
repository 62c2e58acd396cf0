package journal

import (
	"context"
	"errors"

	"github.com/keywright/keywright/fault"
)

// flight is a Sync and those who wait for it.
type flight struct {
	done  chan struct{} // closed when state and err are there
	state State
	err   error
}

// Sync moves everything that is pending into the log and reads to its end:
// after it, this server has seen all that was committed by any server before
// it was called. Errors: Unavailable.
//
// Who calls while one is under way waits for the next, which all who do so
// share: the one under way may have read too early. None waits for Pace.
func (l *Log) Sync(ctx context.Context) (State, error) {
	f := l.join()
	select {
	case <-f.done:
		return f.state, f.err
	case <-ctx.Done():
		return l.State(), gaveUp(ctx)
	case l.turn <- struct{}{}:
	}
	defer func() { <-l.turn }()
	select {
	case <-f.done: // by another of its callers
		return f.state, f.err
	default:
	}
	l.begin(f)
	err := l.sequence(ctx)
	var broken *Finding
	switch {
	case errors.As(err, &broken):
		l.Break(broken.Error())
		err = l.Ready(ctx)
	case err != nil && ctx.Err() != nil:
		return l.State(), gaveUp(ctx) // another of the flight's callers begins it anew
	}
	f.state, f.err = l.State(), unavailable(err)
	close(f.done)
	return f.state, f.err
}

// join gives the next Sync that begins.
func (l *Log) join() *flight {
	l.nextMu.Lock()
	defer l.nextMu.Unlock()
	if l.next == nil {
		l.next = &flight{done: make(chan struct{})}
	}
	return l.next
}

// begin sees to it that nobody joins f any more.
func (l *Log) begin(f *flight) {
	l.nextMu.Lock()
	defer l.nextMu.Unlock()
	if l.next == f {
		l.next = nil
	}
}

func gaveUp(ctx context.Context) error {
	return fault.Wrap(fault.Unavailable, ctx.Err(), "this took too long")
}

func unavailable(err error) error {
	if err == nil || fault.Is(err, fault.Unavailable) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the journal is unavailable")
}
