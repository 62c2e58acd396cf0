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

// broken is the model with a fault in it.
type broken struct {
	*storagetest.Model
	commit func(ctx context.Context, c storage.Change) error
	touch  func(ctx context.Context, leases []storage.Lease) ([]time.Time, error)
	get    func(ctx context.Context, ids ...string) ([]*storage.Stored, error)
	add    func(ctx context.Context, deltas []storage.UsageDelta) error
}

func (b *broken) Commit(ctx context.Context, c storage.Change) error {
	if b.commit != nil {
		return b.commit(ctx, c)
	}
	return b.Model.Commit(ctx, c)
}

func (b *broken) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	if b.touch != nil {
		return b.touch(ctx, leases)
	}
	return b.Model.Touch(ctx, leases)
}

func (b *broken) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	if b.get != nil {
		return b.get(ctx, ids...)
	}
	return b.Model.Get(ctx, ids...)
}

func (b *broken) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	if b.add != nil {
		return b.add(ctx, deltas)
	}
	return b.Model.AddUsage(ctx, deltas)
}

// Each of these is a driver that most clauses would let pass.
func TestHistoriesTellADriverThatIsBroken(t *testing.T) {
	for name, spoil := range map[string]func(b *broken){
		"a removal's lease is not looked at": func(b *broken) {
			b.commit = func(ctx context.Context, c storage.Change) error {
				c.Remove = slices.Clone(c.Remove)
				for i := range c.Remove {
					c.Remove[i].IfLease = nil
				}
				return b.Model.Commit(ctx, c)
			}
		},
		"a read is of a moment ago": func(b *broken) {
			var old sync.Map
			b.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
				found, err := b.Model.Get(ctx, ids...)
				for i, r := range found {
					if was, known := old.Swap(ids[i], r); known && len(ids) > 1 {
						found[i] = was.(*storage.Stored)
					}
				}
				return found, err
			}
		},
		"a commit that was sent twice is a conflict": func(b *broken) {
			calls := sync.Map{}
			b.commit = func(ctx context.Context, c storage.Change) error {
				err := b.Model.Commit(ctx, c)
				if _, again := calls.LoadOrStore(c.Record.ID+c.Attempt[:1], true); err == nil && !again && c.Record.Version > 0 {
					return b.Model.Commit(ctx, c)
				}
				return err
			}
		},
		"a change of an old version is taken": func(b *broken) {
			b.commit = func(ctx context.Context, c storage.Change) error {
				if found, err := b.Model.Get(ctx, c.Record.ID); err == nil && found[0] != nil && len(c.Put) > 0 {
					c.Record.Version = found[0].Version
				}
				return b.Model.Commit(ctx, c)
			}
		},
		"a lease that is touched is not stored": func(b *broken) {
			b.touch = func(_ context.Context, leases []storage.Lease) ([]time.Time, error) {
				ends := make([]time.Time, len(leases))
				for i := range ends {
					ends[i] = leases[i].Until
				}
				return ends, nil
			}
		},
		"a use that was counted is Unavailable": func(b *broken) {
			b.add = func(ctx context.Context, deltas []storage.UsageDelta) error {
				if err := b.Model.AddUsage(ctx, deltas); err != nil {
					return err
				}
				if _, hurried := ctx.Deadline(); hurried {
					<-ctx.Done()
					return fault.Wrap(fault.Unavailable, ctx.Err(), "storage is unavailable")
				}
				return nil
			}
		},
		"a use is counted twice": func(b *broken) {
			b.add = func(ctx context.Context, deltas []storage.UsageDelta) error {
				return b.Model.AddUsage(ctx, append(deltas, deltas...))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &broken{Model: storagetest.NewModel()}
			spoil(b)
			said := storagetest.HistoriesFail(t, []storage.Store{b, b.Model}, 10*time.Second)
			if len(said) == 0 || !strings.Contains(said[0], "no order of these calls") {
				t.Fatalf("was told %q", said)
			}
		})
	}
}
