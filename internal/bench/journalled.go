package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// journalled measures changes of licenses, the sequencer standing still and
// running in turns.
func (b bench) journalled(ctx context.Context) error {
	w, err := wireNew(ctx, filepath.Join(b.dir, "journalled.db"))
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	heading("changes of licenses by use-case, SQLite with synchronous=FULL, 32 callers; aims: 2500/s, and at most 35 % slower with the sequencer")
	ids := make([]string, licenses)
	for i := range ids {
		issued, err := w.issue(ctx)
		if err != nil {
			return err
		}
		ids[i] = issued.License.ID()
	}
	change := func(ctx context.Context, n int) error {
		name := fmt.Sprint("order-", n)
		_, err := w.licensing.UpdateLicense(actor.With(ctx, authz.DevAdmin), licensing.UpdateLicenseInput{License: ids[n%licenses], ExternalID: &name})
		return err
	}
	issue := func(ctx context.Context, _ int) error {
		_, err := w.issue(ctx)
		return err
	}
	first := 0
	for _, kind := range []struct {
		name string
		run  func(context.Context, int) error
	}{{"updateLicense", change}, {"issueLicense", issue}} {
		for range rounds {
			still, err := w.measureChanges(ctx, kind.name+", entries stay pending", first, b.count, kind.run)
			if err != nil {
				return err
			}
			if _, err := w.journal.Sync(ctx); err != nil {
				return err
			}
			row(still, "")
			running, err := w.sequencing(ctx, func() (storagetest.Figure, error) {
				return w.measureChanges(ctx, kind.name+", entries go into the log", first+b.count, b.count, kind.run)
			})
			if err != nil {
				return err
			}
			row(running, times(running, still)+"; aim 2500/s and 0.65")
			first += 2 * b.count
		}
	}
	return nil
}

func (w *wired) measureChanges(ctx context.Context, name string, first, count int, run func(context.Context, int) error) (storagetest.Figure, error) {
	return storagetest.Measure(ctx, name, 32, count, func(ctx context.Context, n int) error { return run(ctx, first+n) })
}

// sequencing measures while the log runs, and fails if the log did not keep
// up: what is left when the changes have ended is not to be more than a block.
func (w *wired) sequencing(ctx context.Context, measure func() (storagetest.Figure, error)) (storagetest.Figure, error) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { w.journal.Run(ctx) })
	f, err := measure()
	left, errPending := w.store.Pending(ctx, storage.MaxBlock+1)
	stop()
	running.Wait()
	if len(left) > storage.MaxBlock {
		err = errors.Join(err, errors.New("the log did not keep up"))
	}
	_, errSync := w.journal.Sync(context.WithoutCancel(ctx))
	return f, errors.Join(err, errPending, errSync)
}
