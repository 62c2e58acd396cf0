package mongodb

import (
	"context"
	"sync"
)

// How many calls to the server one call to a Store makes at once.
const atOnce = 8

// sideBySide calls f for each of the items, at most atOnce of them at a time,
// and gives the first error, after which it begins no more.
func sideBySide[T any](ctx context.Context, items []T, f func(context.Context, T) error) error {
	if len(items) == 1 {
		return f(ctx, items[0])
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	waiting := make(chan T)
	var workers sync.WaitGroup
	for range min(atOnce, len(items)) {
		workers.Go(func() {
			for item := range waiting {
				if err := f(ctx, item); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, item := range items {
		select {
		case waiting <- item:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(waiting)
	workers.Wait()
	return context.Cause(ctx)
}
