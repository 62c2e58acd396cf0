package storagetest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

const answerSize = 100 // bytes

// lossy is a handle on the model over a connection whose answers can be lost.
type lossy struct {
	*storagetest.Model
	again      bool       // whether what may have been sent is sent once more
	code       fault.Code // of a use whose answer was lost
	connecting int        // bytes that a connection begins with
	preparing  int        // bytes that a connection's first use begins with

	cutMu       sync.Mutex // guards what follows
	limit       int        // bytes until a connection is cut; below zero none is
	left        int        // of the limit, for this one
	isConnected bool
	isPrepared  bool
}

func newLossy() *lossy { return &lossy{Model: storagetest.NewModel(), code: fault.Internal, limit: -1} }

func (l *lossy) lose(after int) func() {
	l.setLimit(after)
	return func() { l.setLimit(-1) }
}

func (l *lossy) setLimit(limit int) {
	l.cutMu.Lock()
	defer l.cutMu.Unlock()
	l.limit, l.left = limit, limit
}

// cut reports whether the connection ends within so many bytes.
func (l *lossy) cut(size int) bool {
	l.cutMu.Lock()
	defer l.cutMu.Unlock()
	if l.limit < 0 {
		return false
	}
	l.left -= size
	if l.left >= 0 {
		return false
	}
	l.left, l.isConnected, l.isPrepared = l.limit, false, false
	return true
}

// is reads or sets what a connection is.
func (l *lossy) is(what *bool, now bool) bool {
	l.cutMu.Lock()
	defer l.cutMu.Unlock()
	*what = *what || now
	return *what
}

func (l *lossy) connect() error {
	if !l.is(&l.isConnected, false) && l.cut(l.connecting) {
		return fault.Errorf(fault.Unavailable, "there is no connection")
	}
	l.is(&l.isConnected, true)
	return nil
}

// prepare is done again on another connection: nothing is stored by it.
func (l *lossy) prepare(ctx context.Context) error {
	for !l.is(&l.isPrepared, false) {
		if err := l.connect(); err != nil {
			return err
		}
		if !l.cut(l.preparing) {
			l.is(&l.isPrepared, true)
		} else if err := aMoment(ctx); err != nil {
			return err
		}
	}
	return nil
}

func aMoment(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the connection is gone")
	case <-time.After(time.Millisecond):
		return nil
	}
}

// answered loses the answer to a call that was served, and waits for another
// connection if it is to be made again.
func (l *lossy) answered(ctx context.Context, code fault.Code, call func() error) error {
	if err := l.connect(); err != nil {
		return err
	}
	err := call()
	for l.cut(answerSize) {
		if !l.again {
			return fault.Errorf(code, "the connection is gone")
		}
		if err := aMoment(ctx); err != nil {
			return err
		}
		if !l.cut(answerSize) {
			return call()
		}
	}
	return err
}

func (l *lossy) Commit(ctx context.Context, c storage.Change) error {
	return l.answered(ctx, fault.Unavailable, func() error { return l.Model.Commit(ctx, c) })
}

func (l *lossy) AppendBlock(ctx context.Context, b storage.Block) error {
	return l.answered(ctx, fault.Unavailable, func() error { return l.Model.AppendBlock(ctx, b) })
}

func (l *lossy) Settle(ctx context.Context, entries []storage.Pending) error {
	return l.answered(ctx, fault.Unavailable, func() error { return l.Model.Settle(ctx, entries) })
}

func (l *lossy) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	return l.answered(ctx, l.code, func() error { return l.Model.AddUsage(ctx, deltas) })
}

func (l *lossy) Touch(ctx context.Context, leases []storage.Lease) (ends []time.Time, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		ends, err = l.Model.Touch(ctx, leases)
		return err
	})
	return ends, err
}

func (l *lossy) Get(ctx context.Context, ids ...string) (found []*storage.Stored, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		found, err = l.Model.Get(ctx, ids...)
		return err
	})
	return found, err
}

func (l *lossy) List(ctx context.Context, q storage.Query) (page storage.Page, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		page, err = l.Model.List(ctx, q)
		return err
	})
	return page, err
}

func (l *lossy) Pending(ctx context.Context, limit int) (waiting []storage.Pending, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		waiting, err = l.Model.Pending(ctx, limit)
		return err
	})
	return waiting, err
}

func (l *lossy) Blocks(ctx context.Context, from int64, limit int) (blocks []storage.Block, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		blocks, err = l.Model.Blocks(ctx, from, limit)
		return err
	})
	return blocks, err
}

func TestADriverThatLosesAnAnswerItselfIsTold(t *testing.T) {
	const (
		commits = "ACommitThatMayHaveBeenAppliedIsNoConflictAndToldByItsAttempt"
		blocks  = "ABlockIsInTheLogOnceAndAgainAConflict"
		uses    = "AUseIsCountedOnceOrNotAtAllIfItIsUnavailable"
	)
	uncounted := func(l *lossy) { l.code = fault.Unavailable }
	for name, test := range map[string]struct {
		clause string
		spoil  func(l *lossy)
	}{
		"a commit that is sent twice is a conflict": {commits, func(l *lossy) { l.again = true }},
		"a block that is sent twice is a conflict":  {blocks, func(l *lossy) { l.again = true }},
		"a use that was counted is Unavailable":     {uses, uncounted},
		"but on a connection's first use it is not": {uses, func(l *lossy) {
			uncounted(l)
			l.connecting, l.preparing = 4*answerSize, 5*answerSize
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for connections
			through := newLossy()
			test.spoil(through)
			if said := storagetest.LossyFails(t, test.clause, through.Model, through, through.lose); len(said) == 0 {
				t.Error("the suite does not find it")
			}
		})
	}
}
