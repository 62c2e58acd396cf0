package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// PgBouncer lends a connection for one transaction, and this one knows nothing
// of prepared statements: nobody notices, from the first call on.
func TestEverythingWorksThroughPgBouncer(t *testing.T) {
	u := parse(t, engines.NewPostgres(t, engines.PostgresOptions{Password: password}).Database(t))
	s := migrated(t, parse(t, engines.PgBouncer(t, u.String())))
	const callers, rounds = 32, 20
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := caller * rounds; n < (caller+1)*rounds; n++ {
				if err := throughAll(t, s, n); err != nil {
					t.Errorf("license %d: %v", n, err)
					return
				}
			}
		})
	}
	all.Wait()
	if !postgres.Unnamed(s) {
		t.Error("no statement was found to be missing: this tests nothing")
	}
	waiting, err := open(t, u).Pending(t.Context(), 10_000)
	if err != nil || len(waiting) != callers*rounds {
		t.Errorf("%d entries are pending, %v", len(waiting), err)
	}
	if page, err := s.Entries(t.Context(), storage.EntryQuery{First: 9}); err != nil || len(page.Entries) != 0 {
		t.Errorf("%v, %v", page, err)
	}
}

// Who waits to migrate must not hold the connection that who migrates needs.
func TestMoreMigrateAtOnceThanPgBouncerHasConnections(t *testing.T) {
	manyMigrate(t, parse(t, engines.PgBouncer(t, database(t).String())), 3*engines.BouncerPool)
}

// throughAll commits a license and changes it in every way, reading between.
func throughAll(t *testing.T, s storage.Store, n int) error {
	ctx := t.Context()
	c := storagetest.LicenseChange(n)
	lease := time.UnixMilli(1_000_000).UTC()
	c.Put = []storage.Seat{{ID: "act_a", Lease: lease, Body: []byte("{}")}}
	if err := s.Commit(ctx, c); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	ends, err := s.Touch(ctx, []storage.Lease{{Record: c.Record.ID, Seat: "act_a", At: lease.Add(-1), Until: lease.Add(time.Second)}})
	if err != nil || !ends[0].Equal(lease.Add(time.Second)) {
		return fmt.Errorf("touch: %v, %w", ends, err)
	}
	c.Record.Version, c.Entries, c.Put = 1, nil, nil
	c.Record.Index.Words = c.Record.Index.Words[1:]
	c.Remove = []storage.Removal{{ID: "act_a", IfLease: &ends[0]}}
	if err := s.Commit(ctx, c); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	if err := s.AddUsage(ctx, []storage.UsageDelta{{Record: c.Record.ID, Day: "2026-11-21", Valid: 1}}); err != nil {
		return fmt.Errorf("uses: %w", err)
	}
	found, err := s.Get(ctx, c.Record.ID)
	if err != nil || found[0] == nil || found[0].Version != 2 || len(found[0].Seats) != 0 || found[0].Total.Count != 1 {
		return fmt.Errorf("get: %v, %w", found, err)
	}
	page, err := s.List(ctx, storage.Query{
		Kind: storage.License, Order: storage.CreatedNewest, First: 2, Filter: storage.Filter{ExternalID: c.Record.Index.ExternalID},
	})
	if err != nil || len(page.Records) != 1 {
		return fmt.Errorf("list: %d, %w", len(page.Records), err)
	}
	hits, err := s.Search(ctx, storage.SearchQuery{Kind: storage.License, Prefix: c.Record.Index.Words[0], First: 2})
	if err != nil || len(hits) == 0 {
		return fmt.Errorf("search: %d, %w", len(hits), err)
	}
	return nil
}
