package storagetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// proper holds a driver, in whatever test, to what the contract says of all
// methods: times are UTC and whole milliseconds, and errors have one of five
// codes and a message that tells nothing of the engine.
type proper struct {
	storage.Store
	t testing.TB
}

// unwrap gives the driver itself.
func unwrap(s storage.Store) storage.Store {
	if p, ok := s.(proper); ok {
		return p.Store
	}
	return s
}

// offered gives what the driver is beside a Store, which it must be.
func offered[T any](t testing.TB, s storage.Store) T {
	t.Helper()
	driver, ok := unwrap(s).(T)
	if !ok {
		t.Fatalf("%T is not what it is tested as", unwrap(s))
	}
	return driver
}

var answers = []fault.Code{fault.InvalidInput, fault.NotFound, fault.Conflict, fault.RateLimited, fault.Unavailable}

// Words that no message for a caller has: of SQL, engines and addresses.
var telling = []string{
	"select ", "insert ", "delete from", "://", "localhost", "127.0.0.1", "[::1]", "password", "sqlite", "sqlstate", "pgx", "mongo", "e11000",
}

func (p proper) err(err error) error {
	p.t.Helper()
	if err == nil {
		return nil
	}
	var one *fault.Error
	if !errors.As(err, &one) || !slices.Contains(answers, one.Code) {
		p.t.Errorf("an error has none of the codes of storage: %v", err)
		return err
	}
	for _, word := range telling {
		if strings.Contains(strings.ToLower(one.Message), word) {
			p.t.Errorf("the message for the caller tells of the engine: %s", one.Message)
		}
	}
	return err
}

func (p proper) times(all ...time.Time) {
	p.t.Helper()
	for _, one := range all {
		if one.Location() != time.UTC || !one.Equal(one.Truncate(time.Millisecond)) {
			p.t.Errorf("%v is not UTC, or not a whole millisecond", one)
		}
	}
}

func (p proper) records(records []*storage.Stored) {
	p.t.Helper()
	for _, r := range records {
		if r == nil {
			continue
		}
		p.times(r.Index.Created, r.Index.Starts, r.Index.Ends, r.Index.Due, r.Total.Last)
		for _, o := range r.Done {
			p.times(o.At)
		}
		for _, s := range r.Seats {
			p.times(s.Lease, s.Seen)
		}
	}
}

func (p proper) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	found, err := p.Store.Get(ctx, ids...)
	p.records(found)
	return found, p.err(err)
}

func (p proper) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	page, err := p.Store.List(ctx, q)
	p.records(page.Records)
	return page, p.err(err)
}

func (p proper) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	found, err := p.Store.Search(ctx, q)
	p.records(found)
	return found, p.err(err)
}

func (p proper) Commit(ctx context.Context, c storage.Change) error {
	return p.err(p.Store.Commit(ctx, c))
}

func (p proper) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	ends, err := p.Store.Touch(ctx, leases)
	p.times(ends...)
	if err == nil && len(ends) != len(leases) {
		p.t.Errorf("%d leases are answered with %d ends", len(leases), len(ends))
	}
	return ends, p.err(err)
}

func (p proper) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	err := p.Store.AddUsage(ctx, deltas)
	if fault.Is(err, fault.Internal) { // which says more than the others could
		return err
	}
	return p.err(err)
}

func (p proper) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	days, err := p.Store.Usage(ctx, id, first, last)
	return days, p.err(err)
}

func (p proper) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	swept, err := p.Store.Sweep(ctx, before, limit)
	return swept, p.err(err)
}

func (p proper) Ready(ctx context.Context) error   { return p.err(p.Store.Ready(ctx)) }
func (p proper) Migrate(ctx context.Context) error { return p.err(p.Store.Migrate(ctx)) }
func (p proper) Close() error                      { return p.err(p.Store.Close()) }

func (p proper) Clock(ctx context.Context) (time.Time, error) {
	now, err := p.Store.Clock(ctx)
	p.times(now)
	return now, p.err(err)
}

func (p proper) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	waiting, err := p.Store.Pending(ctx, limit)
	return waiting, p.err(err)
}

func (p proper) Settle(ctx context.Context, entries []storage.Pending) error {
	return p.err(p.Store.Settle(ctx, entries))
}

func (p proper) AppendBlock(ctx context.Context, b storage.Block) error {
	return p.err(p.Store.AppendBlock(ctx, b))
}

func (p proper) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	found, err := p.Store.Blocks(ctx, from, limit)
	for _, b := range found {
		p.times(b.At)
	}
	return found, p.err(err)
}

func (p proper) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	page, err := p.Store.Entries(ctx, q)
	for _, e := range page.Entries {
		p.times(e.At)
	}
	return page, p.err(err)
}

func (p proper) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	misfit, err := p.Store.CheckEntries(ctx)
	return misfit, p.err(err)
}

func (p proper) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	some, err := p.Store.Dump(ctx, after, limit)
	for _, w := range some {
		p.records([]*storage.Stored{&w.Stored})
	}
	return some, p.err(err)
}

func (p proper) Load(ctx context.Context, records []storage.Whole) error {
	return p.err(p.Store.Load(ctx, records))
}
