package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

const (
	journalEntries = 300_000
	perChange      = 100 // entries, so that it is filled fast
)

// journal measures how fast the journal is verified and exported.
func (b bench) journal(ctx context.Context) (err error) {
	fmt.Printf("\nthe journal of %d entries, SQLite; aims: verified at 300,000/s, exported at 100,000/s\n", journalEntries)
	store, err := sqlite.Open(ctx, &url.URL{Scheme: "sqlite", Path: filepath.Join(b.dir, "journal.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	if err := fillJournal(ctx, store); err != nil {
		return err
	}
	for _, one := range []struct {
		name string
		do   func() error
	}{
		{"verified", func() error {
			report, err := journal.Verify(ctx, journal.Verification{Store: store})
			if err == nil && (report.Size != journalEntries || report.Unread > 0) {
				err = fmt.Errorf("the journal has %d entries, of which %d cannot be decoded", report.Size, report.Unread)
			}
			return err
		}},
		{"compared with what they are found by, which verifying does beside its own", func() error {
			misfit, err := store.CheckEntries(ctx)
			if misfit != nil {
				err = fmt.Errorf("at entry %d: %s", misfit.Index, misfit.Problem)
			}
			return err
		}},
		{"exported", func() error {
			_, err := journal.Export{Store: store}.Write(ctx, io.Discard)
			return err
		}},
	} {
		var took []time.Duration
		for range rounds {
			began := time.Now()
			if err := one.do(); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		fmt.Printf("%9d entries %s at %.0f/s\n", journalEntries, one.name, journalEntries/took[rounds/2].Seconds())
	}
	return nil
}

// fillJournal commits entries as long as real ones, and has them logged.
func fillJournal(ctx context.Context, store storage.Store) error {
	log := journal.NewLog(journal.Config{Store: store})
	for first := 0; first < journalEntries; first += perChange {
		change := storage.Change{
			Record:  storage.Record{Kind: storage.Product, ID: fmt.Sprintf("prod_%d", first), Body: []byte("{}")},
			Attempt: "bench",
		}
		for n := range perChange {
			var e journal.Entry
			if err := json.Unmarshal(storagetest.LogEntry(first+n).Body, &e); err != nil {
				return err
			}
			e.Digest = e.Digest[:16] // as long as a real one
			entry, err := e.Encode()
			if err != nil {
				return err
			}
			change.Entries = append(change.Entries, entry)
		}
		if err := store.Commit(ctx, change); err != nil {
			return err
		}
		if first%(100*perChange) == 0 {
			if _, err := log.Sync(ctx); err != nil {
				return err
			}
		}
	}
	_, err := log.Sync(ctx)
	return err
}
