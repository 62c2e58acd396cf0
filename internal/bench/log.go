package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

const (
	blockSize = 50 // entries of a block: what 2,500 changes a second make at one block in 20 ms
	blockPace = 20 * time.Millisecond
)

// log measures the driver's log, short and long: the size of the file, reading
// all of it, and the newest entries of each filter; and what it costs commits
// that their entries are moved there.
func (b bench) log(ctx context.Context) error {
	fmt.Printf("\nthe log, SQLite; aims with 1,000,000 entries: 500 MB; read at 500,000/s\n")
	sizes := []int{10_000, 1_000_000}
	operations := make([][]storagetest.Operation, len(sizes))
	for i, size := range sizes {
		store, err := b.fillLog(ctx, size)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		rate, err := storagetest.MeasureBlocks(ctx, store)
		if err != nil {
			return err
		}
		fmt.Printf("%9d entries read in their order at %.0f/s\n", size, rate)
		if operations[i], err = storagetest.LogOperations(ctx, store, size); err != nil {
			return err
		}
	}
	fmt.Printf("\n%-50s", "p50 and p99, medians of 5 rounds")
	for _, size := range sizes {
		fmt.Printf(" %17d", size)
	}
	fmt.Printf("  p99, last to first\n")
	for n := range operations[0] {
		if err := b.compare(ctx, []storagetest.Operation{operations[0][n], operations[1][n]}); err != nil {
			return err
		}
	}
	return b.sequenced(ctx)
}

// fillLog makes a store whose log has so many entries and tells the size of
// its file.
func (b bench) fillLog(ctx context.Context, size int) (storage.Store, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("log-%d.db", size))
	address := &url.URL{Scheme: "sqlite", Path: path}
	store, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	start := time.Now()
	if err := storagetest.FillLog(ctx, store, 0, size, blockSize); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	took := time.Since(start)
	if err := store.Close(); err != nil { // which moves the write-ahead log into the file
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%9d entries in blocks of %d: %7.1f MB, %d bytes each, appended at %.0f/s\n",
		size, blockSize, float64(info.Size())/1e6, info.Size()/int64(size), float64(size)/took.Seconds())
	return sqlite.Open(ctx, address)
}

// sequenced measures commits with and without a sequencer, in turns.
func (b bench) sequenced(ctx context.Context) error {
	heading("changes with a journal entry, SQLite with synchronous=FULL, 32 callers; aim: at most 35 % slower where entries are moved into the log")
	path := filepath.Join(b.dir, "sequenced.db")
	store, err := sqlite.Open(ctx, &url.URL{Scheme: "sqlite", Path: path})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	for round := range rounds {
		first := 2 * round * b.count
		pending, err := storagetest.MeasureCommits(ctx, store, "entries stay pending", first, b.count, 0)
		if err != nil {
			return err
		}
		if err := drain(ctx, store); err != nil {
			return err
		}
		row(pending, "")
		moved, err := storagetest.MeasureCommits(ctx, store, "entries are moved into the log", first+b.count, b.count, blockPace)
		if err != nil {
			return err
		}
		if err := drain(ctx, store); err != nil {
			return err
		}
		row(moved, times(moved, pending))
	}
	return nil
}

// drain moves all that is pending into the log.
func drain(ctx context.Context, s storage.Store) error {
	for moved := 1; moved > 0; {
		var err error
		if moved, err = storagetest.Sequence(ctx, s, storage.MaxBlock); err != nil {
			return err
		}
	}
	return nil
}
