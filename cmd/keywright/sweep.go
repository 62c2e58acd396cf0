package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/keywright/keywright/storage"
)

const (
	sweepEvery = time.Hour
	sweepMost  = 1_000 // at once: other changes wait for it
)

// sweep removes what is deleted and old, each hour until ctx ends.
func sweep(ctx context.Context, store storage.Keeper, log *slog.Logger) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := sweepOnce(ctx, store); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "old records are not swept", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func sweepOnce(ctx context.Context, store storage.Keeper) error {
	for {
		swept, err := store.Sweep(ctx, time.Now(), sweepMost)
		if err != nil || swept < sweepMost {
			return err
		}
	}
}
