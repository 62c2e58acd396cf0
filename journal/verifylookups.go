package journal

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/storage"
)

// checkLookups begins to compare what storage looks entries up by with the
// log. Wait waits for what comes of it, and stop ends it. It is about as much
// work as the walk, which leaves a core or so to it.
func checkLookups(ctx context.Context, store storage.Journal) (wait func() error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		err = lookups(ctx, store)
	}()
	wait = func() error {
		<-done
		return err
	}
	return wait, func() {
		cancel()
		<-done
	}
}

func lookups(ctx context.Context, store storage.Journal) error {
	misfit, err := store.CheckEntries(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("the log is whole, and what its entries are found by could not be read: %w", err)
	case misfit != nil:
		return found(max(misfit.Index, Nowhere), "%s", misfit.Problem)
	}
	return nil
}
