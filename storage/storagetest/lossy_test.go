package storagetest_test

import (
	"context"
	"slices"
	"strings"
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
	again bool       // whether what may have been sent is sent once more
	code  fault.Code // of a use whose answer was lost

	leftMu sync.Mutex
	left   int // bytes until the connection is cut; below zero it is whole
}

func newLossy() *lossy { return &lossy{Model: storagetest.NewModel(), code: fault.Internal, left: -1} }

func (l *lossy) lose(after int) func() {
	l.setLeft(after)
	return func() { l.setLeft(-1) }
}

func (l *lossy) setLeft(left int) {
	l.leftMu.Lock()
	defer l.leftMu.Unlock()
	l.left = left
}

func (l *lossy) cut() bool {
	l.leftMu.Lock()
	defer l.leftMu.Unlock()
	if l.left >= answerSize {
		l.left -= answerSize
		return false
	}
	return l.left >= 0
}

// answered loses the answer to a call that was served, and waits for another
// connection if it is to be made again.
func (l *lossy) answered(ctx context.Context, code fault.Code, call func() error) error {
	err := call()
	for l.cut() {
		if !l.again {
			return fault.Errorf(code, "the connection is gone")
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(code, ctx.Err(), "the connection is gone")
		case <-time.After(time.Millisecond):
		}
		if !l.cut() {
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
	for name, test := range map[string]struct {
		spoil func(l *lossy)
		says  []string
	}{
		"what was sent twice is a conflict":     {func(l *lossy) { l.again = true }, []string{"ACommit", "ABlock"}},
		"a use that was counted is Unavailable": {func(l *lossy) { l.code = fault.Unavailable }, []string{"AUse"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for connections
			through := newLossy()
			test.spoil(through)
			said := storagetest.LossyFails(t, through.Model, through, through.lose)
			for _, clause := range test.says {
				if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, clause) }) {
					t.Errorf("%s is not refused: %q", clause, said)
				}
			}
		})
	}
}
