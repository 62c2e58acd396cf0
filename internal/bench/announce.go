package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage/storagetest"
)

// turn is how many licenses a call of Announce looks at, as the scheduler has
// it.
const turn = 2_000

// announce measures how a server makes up for a time in which none ran: that
// many licenses, all due at once, each announced as a change of its own. Then
// nothing is due, and to look for it costs next to nothing.
func (b bench) announce(ctx context.Context) error {
	now := time.Now().UTC()
	w, err := wireAt(ctx, filepath.Join(b.dir, "announce.db"), func() time.Time { return now })
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	heading("what is due, SQLite with synchronous=FULL")
	fsync, err := storagetest.MeasureFsync(ctx, b.dir, b.count/10)
	if err != nil {
		return err
	}
	row(fsync, "")
	if err := w.endAt(ctx, b.count, now.AddDate(1, 0, 0)); err != nil {
		return err
	}
	end := now.AddDate(1, 0, 1)
	f, err := storagetest.Measure(ctx, fmt.Sprintf("announced, of %d due at once", b.count), 1, max(1, b.count/turn), func(ctx context.Context, _ int) error {
		_, err := w.licensing.Announce(ctx, end, turn)
		return err
	})
	if err != nil {
		return err
	}
	f.Rate *= min(turn, float64(b.count))
	row(f, times(f, fsync))
	idle, err := storagetest.Measure(ctx, fmt.Sprintf("looks among %d of which none is due", b.count), 1, b.count/10, func(ctx context.Context, _ int) error {
		_, err := w.licensing.Announce(ctx, end, turn)
		return err
	})
	if err != nil {
		return err
	}
	row(idle, "")
	return nil
}

// endAt issues licenses that end at a time.
func (w *wired) endAt(ctx context.Context, count int, end time.Time) error {
	one := order()
	one.ExpiresAt = &end
	for count > 0 {
		batch := make([]licensing.IssueLicenseInput, min(count, licensing.MaxBatch))
		for i := range batch {
			batch[i] = one
		}
		payload, err := w.licensing.IssueLicenses(actor.With(ctx, authz.DevAdmin), licensing.IssueLicensesInput{Licenses: batch})
		if err == nil && payload.Failed > 0 {
			err = fmt.Errorf("%d licenses were not issued", payload.Failed)
		}
		if err != nil {
			return err
		}
		count -= len(batch)
	}
	return nil
}
