// Package sqlstoretest says what a SQL driver must do when rows of the log were
// changed behind its back: tests that statements of SQL spoil the database for.
package sqlstoretest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Driver is what is tested.
type Driver struct {
	// Block gives the block of a log that begins with an entry and has so many,
	// always the same. Of 50 entries the last revokes a license, and no others.
	Block func(first, size int) storage.Block
	// Stores fills a store, and gives a function that opens one which is as that
	// was left, whatever was done to others. One is used at a time.
	Stores func(t *testing.T, fill func(storage.Store) error) (open func(t *testing.T) storage.Store)
	// Exec runs a statement.
	Exec func(ctx context.Context, s storage.Store, statement string) error
	// CheckEntries is that of storage.Journal, in so many spans.
	CheckEntries func(ctx context.Context, s storage.Store, spans int64) (*storage.Misfit, error)
}

// Run tests a driver.
func Run(t *testing.T, d Driver) {
	t.Run("DamageIsToldWithItsPlace", d.damageIsToldWithItsPlace)
	long := d.filled(t, longLog, 40)
	t.Run("AChangedLookupIsFoundWithItsEntry", long.changesAreFound)
	t.Run("WhatIsFoundToBeMissingIsWhatAFilterDoesNotFind", long.missingIsWhatAFilterDoesNotFind)
	t.Run("AChangedLookupIsFoundWhileTheLogGrows", long.changesAreFoundWhileTheLogGrows)
	t.Run("ACheckOfADamagedLogTellsItsPlace", long.checkTellsThePlaceOfDamage)
}

// log is a log that each test has as it was filled.
type log struct {
	Driver
	open func(t *testing.T) storage.Store
}

// filled is a log of so many entries, so many a block.
func (d Driver) filled(t *testing.T, entries, size int) log {
	t.Helper()
	return log{d, d.Stores(t, func(s storage.Store) error {
		for first := 0; first < entries; first += size {
			if err := s.AppendBlock(t.Context(), d.Block(first, size)); err != nil {
				return err
			}
		}
		return nil
	})}
}

// spoilt opens the log and runs statements on it.
func (l log) spoilt(t *testing.T, statements string) storage.Store {
	t.Helper()
	s := l.open(t)
	for statement := range strings.SplitSeq(statements, ";") {
		if err := l.Exec(t.Context(), s, statement); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func wantPlace(t *testing.T, err error, place int) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, fmt.Sprintf("from entry %d on", place)) {
		t.Fatalf("got %v, want the place %d", err, place)
	}
}
