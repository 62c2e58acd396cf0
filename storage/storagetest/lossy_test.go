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
	forgets    bool       // the second lease of a touch
	ends       bool       // a dump whose answer was lost

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
		kept := leases
		if l.forgets {
			kept = leases[:1]
		}
		ends, err = l.Model.Touch(ctx, kept)
		for _, one := range leases[len(kept):] {
			ends = append(ends, one.Until)
		}
		return err
	})
	return ends, err
}

func read[T any](ctx context.Context, l *lossy, from func() (T, error)) (found T, err error) {
	err = l.answered(ctx, fault.Unavailable, func() error {
		found, err = from()
		return err
	})
	return found, err
}

func (l *lossy) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	return read(ctx, l, func() ([]*storage.Stored, error) { return l.Model.Get(ctx, ids...) })
}

func (l *lossy) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	return read(ctx, l, func() (storage.Page, error) { return l.Model.List(ctx, q) })
}

func (l *lossy) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	return read(ctx, l, func() ([]*storage.Stored, error) { return l.Model.Search(ctx, q) })
}

func (l *lossy) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	return read(ctx, l, func() ([]storage.UsageDay, error) { return l.Model.Usage(ctx, id, first, last) })
}

func (l *lossy) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	return read(ctx, l, func() ([]storage.Pending, error) { return l.Model.Pending(ctx, limit) })
}

func (l *lossy) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	return read(ctx, l, func() ([]storage.Block, error) { return l.Model.Blocks(ctx, from, limit) })
}

func (l *lossy) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	return read(ctx, l, func() (storage.EntryPage, error) { return l.Model.Entries(ctx, q) })
}

func (l *lossy) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	some, err := read(ctx, l, func() ([]storage.Whole, error) { return l.Model.Dump(ctx, after, limit) })
	if err != nil && l.ends {
		return nil, nil
	}
	return some, err
}

func TestADriverThatLosesAnAnswerItselfIsTold(t *testing.T) {
	const (
		commits = "ACommitThatMayHaveBeenAppliedIsNoConflictAndToldByItsAttempt"
		blocks  = "ABlockIsInTheLogOnceAndAgainAConflict"
		uses    = "AUseIsCountedOnceOrNotAtAllIfItIsUnavailable"
		touches = "ATouchIsMadeAgainForTheSame"
		dumps   = "ADumpIsReadRightOrNotAtAll"
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
		"a lease that was moved is not":        {touches, func(l *lossy) { l.forgets = true }},
		"a dump that is cut off is at its end": {dumps, func(l *lossy) { l.ends = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for connections
			through := newLossy()
			if said := storagetest.LossyFails(t, test.clause, through.Model, through, through.lose); len(said) > 0 {
				t.Fatalf("the store fails before it is broken: %q", said)
			}
			through = newLossy()
			test.spoil(through)
			if said := storagetest.LossyFails(t, test.clause, through.Model, through, through.lose); len(said) == 0 {
				t.Error("the suite does not find it")
			}
		})
	}
}
