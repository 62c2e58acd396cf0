package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keywright/keywright/storage"
)

// LogOperations gives what is measured on a store of the log that FillLog
// made, of so many entries: the newest 50 of each filter that an index serves,
// and reading on from anywhere.
func LogOperations(ctx context.Context, s storage.Store, size int) ([]Operation, error) {
	month := 30 * 24 * time.Hour
	var all []Operation
	for _, page := range []struct {
		name   string
		filter func(n int) storage.EntryFilter
	}{
		{"all", func(int) storage.EntryFilter { return storage.EntryFilter{} }},
		{"a license", func(n int) storage.EntryFilter { return storage.EntryFilter{Subjects: []string{LicenseID(n)}} }},
		{"a type", func(int) storage.EntryFilter { return storage.EntryFilter{Types: []string{"license.revoked"}} }},
		{"a family of types", func(int) storage.EntryFilter { return storage.EntryFilter{Types: []string{"license.*"}} }},
		{"a product", func(n int) storage.EntryFilter {
			return storage.EntryFilter{Products: []string{LicenseIndex(n).Product}}
		}},
		{"a product and a type", func(n int) storage.EntryFilter {
			return storage.EntryFilter{Products: []string{LicenseIndex(n).Product}, Types: []string{"license.revoked"}}
		}},
		{"somebody", func(n int) storage.EntryFilter { return storage.EntryFilter{Actor: "USER " + loadActor(n)} }},
		{"a type within a month", func(n int) storage.EntryFilter {
			at := LicenseIndex(n).Created
			return storage.EntryFilter{Types: []string{"license.revoked"}, From: at.Add(-month), To: at}
		}},
	} {
		o, err := pageOperation(ctx, s, "newest entries of "+page.name, func(run int) storage.EntryQuery {
			return storage.EntryQuery{Filter: page.filter(spread(run, size)), Newest: true, First: 50}
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", page.name, err)
		}
		all = append(all, o)
	}
	return append(all, Operation{Name: "the block of an entry", Callers: 1, Run: func(ctx context.Context, run int) error {
		_, err := s.Blocks(ctx, int64(spread(run, size)), 1)
		return err
	}}), nil
}

func pageOperation(ctx context.Context, s storage.Store, name string, query func(run int) storage.EntryQuery) (Operation, error) {
	records := 0
	for run := range variants {
		page, err := s.Entries(ctx, query(run))
		if err != nil {
			return Operation{}, err
		}
		records += len(page.Entries)
	}
	return Operation{
		Name: name, Callers: 1, Records: float64(records) / variants,
		Run: func(ctx context.Context, run int) error {
			_, err := s.Entries(ctx, query(run))
			return err
		},
	}, nil
}

// MeasureBlocks reads the whole log in its order, and says how many entries it
// read in a second.
func MeasureBlocks(ctx context.Context, s storage.Store) (perSecond float64, err error) {
	const atOnce = 100
	start, next := time.Now(), int64(0)
	for {
		some, err := s.Blocks(ctx, next, atOnce)
		if err != nil {
			return 0, err
		}
		if len(some) == 0 {
			return float64(next) / time.Since(start).Seconds(), nil
		}
		next = some[len(some)-1].Next()
	}
}

// MeasureCommits commits count licenses from number first on by 32 callers,
// each with an entry. Where pace is not zero, what is pending is moved into
// the log meanwhile, once in so long.
func MeasureCommits(ctx context.Context, s storage.Store, name string, first, count int, pace time.Duration) (Figure, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan struct{})
	var sequencer sync.WaitGroup
	if pace != 0 {
		sequencer.Go(func() {
			if err := sequenceAt(ctx, s, pace, done); err != nil {
				stop(err)
			}
		})
	}
	f, err := Measure(ctx, name, 32, count, func(ctx context.Context, n int) error {
		return s.Commit(ctx, LicenseChange(first+n))
	})
	close(done)
	sequencer.Wait()
	return f, errors.Join(err, context.Cause(ctx))
}

// sequenceAt moves what is pending into the log at a pace until done is closed.
func sequenceAt(ctx context.Context, s storage.Store, pace time.Duration, done <-chan struct{}) error {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ticker.C:
		}
		if _, err := Sequence(ctx, s, storage.MaxBlock); err != nil {
			return err
		}
	}
}
