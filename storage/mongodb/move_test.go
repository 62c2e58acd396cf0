package mongodb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/storagetest"
)

// dumped reads all records, a few at a time.
func dumped(t *testing.T, s *mongodb.Store) []storage.Whole {
	t.Helper()
	var all []storage.Whole
	for after := ""; ; after = all[len(all)-1].ID {
		some, err := s.Dump(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		all = append(all, some...)
	}
}

func TestWhatIsDumpedIsLoadedAsItWas(t *testing.T) {
	from, to := migrated(t, engines.MongoDB(t)), migrated(t, engines.MongoDB(t))
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for n := range 5 {
		c := storagetest.LicenseChange(n)
		for i := range n {
			c.Put = append(c.Put, storage.Seat{ID: fmt.Sprint("act.$", i), Lease: at, Body: []byte(`{"a.b":{"$c":18446744073709551615}}`)})
			e := storagetest.LogEntry(100*n + 9 - i)
			c.Entries = append(c.Entries, e)
		}
		if err := from.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if err := from.AddUsage(t.Context(), []storage.UsageDelta{{Record: c.Record.ID, Day: "2026-11-21", Valid: int64(n), Last: at,
			Values: storage.Values{storage.ByDomain: {"$a.b": 1, "": 2}}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := dumped(t, from)
	if len(want) != 5 || len(want[0].Days) != 1 {
		t.Fatalf("%d records, the first with the days %v", len(want), want[0].Days)
	}
	if err := to.Load(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, dumped(t, to), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	finds(t, to, storagetest.LicenseID(3), 1)
	if waiting, err := to.Pending(t.Context(), 99); err != nil || len(waiting) != 15 {
		t.Errorf("%d entries are pending, %v", len(waiting), err)
	}
	before := words(t, to)
	if err := to.Load(t.Context(), want[2:3]); !fault.Is(err, fault.Conflict) {
		t.Errorf("loaded twice: %v", err)
	}
	days, err := mongodb.Count(t.Context(), to, "day", bson.M{})
	if after := words(t, to); after != before || days != 5 || err != nil {
		t.Errorf("a load that failed left words and days: %d, %d, %v", after-before, days, err)
	}
	if err := to.Load(t.Context(), []storage.Whole{{}}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("loaded nothing: %v", err)
	}
}

func TestAChangeOfTenThousandSeatsIsOne(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := licenseAt(0, "first")
	remove := licenseAt(1, "second")
	for n := range 10_000 {
		id := fmt.Sprintf("act_%05d", n)
		c.Put = append(c.Put, storage.Seat{ID: id, Lease: at, Seen: at, Body: []byte(`{"n":` + fmt.Sprint(n) + `}`)})
		switch n % 100 {
		case 0:
			remove.Remove = append(remove.Remove, storage.Removal{ID: id, IfLease: &at})
		case 1:
			remove.Put = append(remove.Put, storage.Seat{ID: id, Body: []byte(`{}`)})
		}
	}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Put, stored(t, s).Seats); diff != "" {
		t.Fatal(diff)
	}
	if err := s.Commit(t.Context(), remove); err != nil {
		t.Fatal(err)
	}
	seats := stored(t, s).Seats
	if len(seats) != 9900 || string(seats[99].Body) != "{}" || !seats[99].Lease.Equal(at) {
		t.Errorf("%d seats, %+v", len(seats), seats[99])
	}
}
