package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// rounds is how often each operation is measured, in turns with the other
// stores.
const rounds = 5

// storage measures the driver with more and more licenses: the size of the
// file, p50 and p99 of each operation, and the p99 with the most licenses as a
// ratio to that with the fewest.
func (b bench) storage(ctx context.Context, sizes []int) error {
	entries := "without"
	if b.entries {
		entries = "with"
	}
	fmt.Printf("\nstorage, SQLite; aims with 1,000,000 licenses: 1,200 MB and 200 MB of words, p99 1.5 times that with 1,000, a search 5 ms\n")
	operations := make([][]storagetest.Operation, len(sizes))
	for i, size := range sizes {
		store, err := b.fill(ctx, size, entries)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		if operations[i], err = storagetest.Operations(ctx, store, size); err != nil {
			return err
		}
		w, err := wire(ctx, store, time.Now)
		if err != nil {
			return err
		}
		byUseCase, err := w.operations(ctx)
		if err != nil {
			return err
		}
		operations[i] = append(byUseCase, operations[i]...)
	}
	return b.compareAll(ctx, sizes, operations)
}

// compareAll measures each operation on the stores of all sizes, in turns.
func (b bench) compareAll(ctx context.Context, sizes []int, operations [][]storagetest.Operation) error {
	fmt.Printf("\n%-50s", fmt.Sprintf("p50 and p99, medians of %d rounds", rounds))
	for _, size := range sizes {
		fmt.Printf(" %26d", size)
	}
	fmt.Printf("  p99, last to first\n")
	for n, first := range operations[0] {
		if !strings.Contains(first.Name, b.match) {
			continue
		}
		var same []storagetest.Operation
		for i := range sizes {
			same = append(same, operations[i][n])
		}
		if err := b.compare(ctx, same); err != nil {
			return err
		}
	}
	return nil
}

func (b bench) compare(ctx context.Context, same []storagetest.Operation) error {
	count := b.count / 40 // of a page, which is 50 records
	if same[0].Records == 0 {
		count = b.count / 10
	}
	figures, err := storagetest.Compare(ctx, rounds, count, same)
	if err != nil {
		return err
	}
	fmt.Printf("%-50s", same[0].Name)
	for _, f := range figures {
		fmt.Printf(" %26s", fmt.Sprintf("%.0f/s %s %s", f.Rate, short(f.P50), short(f.P99)))
	}
	first, last := 0, len(same)-1
	if same[first].Records < 0.9*same[last].Records {
		fmt.Printf("  none: pages of %.0f and %.0f records\n", same[first].Records, same[last].Records)
		return nil
	}
	fmt.Printf("  %.2f\n", float64(figures[last].P99)/float64(figures[first].P99))
	return nil
}

// fill makes a store of so many licenses and tells the size of its file.
func (b bench) fill(ctx context.Context, size int, entries string) (storage.Store, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("storage-%d.db", size))
	address := &url.URL{Scheme: "sqlite", Path: path}
	store, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	start := time.Now()
	if err := storagetest.Fill(ctx, store, 0, size, b.entries); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	took := time.Since(start)
	// Closing moves the write-ahead log into the file.
	if err := store.Close(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%9d licenses %s their pending entries: %7.1f MB, %d bytes each, filled at %.0f/s\n",
		size, entries, float64(info.Size())/1e6, info.Size()/int64(size), float64(size)/took.Seconds())
	return sqlite.Open(ctx, address)
}
