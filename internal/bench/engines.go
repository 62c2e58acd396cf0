package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

// engine is a database server, or the lack of one, that holds stores.
type engine struct {
	name  string
	aims  string
	sizes []int
	start func(ctx context.Context) (create create, stop func() error, err error)
	open  func(ctx context.Context, u *url.URL) (storage.Store, error)
	lists func(name string) bool // which lists and searches are measured
	count int                    // operations of each measurement
}

// create makes a database of a name and gives its URL.
type create func(ctx context.Context, name string) (string, error)

func (b bench) engines(ctx context.Context, only string, sizes []int) error {
	matching := func(name string) bool { return strings.Contains(name, b.match) }
	few := func(name string) bool { return name == "page 1: created-newest, all" || name == "search: an address" }
	for _, e := range []engine{
		{"sqlite", "SQLite with synchronous=FULL", sizes, b.startSQLite, sqlite.Open, matching, b.count},
		{"postgres", "PostgreSQL with fsync, on this machine; aims from 32 callers: 1500 issueLicense/s, 8000 validate/s", sizes, b.startPostgres, postgres.Open, matching, b.count},
		{"mongodb", "the stand-in for MongoDB (FerretDB on SQLite, one command at a time), without an aim: it says nothing of MongoDB", sizes[:1], b.startMongoDB, mongodb.Open, few, b.count / 100},
	} {
		if only != "" && only != e.name {
			continue
		}
		if err := b.measureEngine(ctx, e); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

func (b bench) startSQLite(context.Context) (create, func() error, error) {
	named := func(_ context.Context, name string) (string, error) {
		return "sqlite://" + filepath.Join(b.dir, name+".db"), nil
	}
	return named, func() error { return nil }, nil
}

func (b bench) startPostgres(ctx context.Context) (create, func() error, error) {
	s, err := engines.StartPostgres(ctx, engines.PostgresOptions{Fsync: true, Settings: map[string]string{
		"shared_buffers": "2GB", "max_wal_size": "8GB", // as one would for a million licenses
	}})
	if err != nil {
		return nil, nil, err
	}
	return s.Create, s.Close, nil
}

func (b bench) startMongoDB(ctx context.Context) (create, func() error, error) {
	s, err := engines.StartMongoDB(ctx)
	if err != nil {
		return nil, nil, err
	}
	named := func(_ context.Context, name string) (string, error) { return s.URL(name), nil }
	return named, s.Close, nil
}

// measureEngine measures what a server asks of an engine: issuing, activating
// and validating by use-case, from 1 and from 32 callers, each of another license out
// of all that there are, and the pages and searches of lists.
func (b bench) measureEngine(ctx context.Context, e engine) (err error) {
	create, stop, err := e.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.count = e.count
	operations := make([][]storagetest.Operation, len(e.sizes))
	fmt.Printf("\n%s; p99 with the most licenses at most 1.5 times that with the fewest\n", e.aims)
	for i, size := range e.sizes {
		w, err := e.wire(ctx, create, fmt.Sprintf("bench_%d", size))
		if err != nil {
			return err
		}
		defer func() { _ = w.store.Close() }()
		start := time.Now()
		f, err := fillWired(ctx, w, size)
		if err != nil {
			return err
		}
		fmt.Printf("%9d licenses, loaded at %.0f/s\n", size, float64(size)/time.Since(start).Seconds())
		lists, err := storagetest.Lists(ctx, w.store, size, e.lists)
		if err != nil {
			return err
		}
		operations[i] = append(f.operations(), lists...)
	}
	return b.compareAll(ctx, e.sizes, operations)
}

// wire wires a server over a new database.
func (e engine) wire(ctx context.Context, create create, name string) (*wired, error) {
	address, err := create(ctx, name)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	store, err := e.open(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return wire(ctx, store, time.Now)
}

// operations are what programs and staff ask for most.
func (f *filled) operations() []storagetest.Operation {
	var activations atomic.Int64
	machine := "machine-1"
	issue := func(ctx context.Context, _ int) error {
		_, err := f.issue(ctx)
		return err
	}
	activate := func(ctx context.Context, _ int) error {
		n := int(activations.Add(1))
		key, err := f.good(n)
		if err != nil {
			return err
		}
		fingerprint := fmt.Sprint("machine-", n)
		got, err := f.validation.Activate(ctx, validation.ActivateInput{Key: key, Fingerprint: &fingerprint})
		if err == nil && !got.Created {
			err = errors.New("a new machine is refused: " + got.Validation.Code)
		}
		return err
	}
	validate := func(ctx context.Context, n int) error {
		key, err := f.good(n)
		if err != nil {
			return err
		}
		answer, err := f.validation.Validate(ctx, validation.ValidateInput{Key: key, Fingerprint: &machine})
		if err == nil && answer.License == nil {
			err = errors.New("a good key is " + answer.Code)
		}
		return err
	}
	var all []storagetest.Operation
	for _, callers := range []int{1, 32} {
		for _, one := range []struct {
			name string
			run  func(context.Context, int) error
		}{{"issueLicense", issue}, {"activate", activate}, {"validate, without a cache", validate}} {
			name := fmt.Sprintf("%s, callers: %d", one.name, callers)
			all = append(all, storagetest.Operation{Name: name, Callers: callers, Run: one.run})
		}
	}
	return all
}
