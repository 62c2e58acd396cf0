package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const manySeats = 10_000

// Each of these would take minutes on a driver whose effort for a seat grows
// with their number.
var manySeatsClauses = []clause{
	{"ArePutInOneChange", func(t testing.TB, s storage.Store) {
		c := change(license("lic_a"))
		for n := range manySeats {
			c.Put = append(c.Put, seat(fmt.Sprintf("act_%05d", n), second(n)))
		}
		holdsMany(t, s, commit(t, s, c))
	}},
	{"ArePutInManyChanges", func(t testing.TB, s storage.Store) {
		r := seated(t, s)
		for n := 0; n < manySeats; n += 500 {
			c := change(r)
			for i := range 500 {
				c.Put = append(c.Put, seat(fmt.Sprintf("act_%05d", n+i), second(n+i)))
			}
			must(t, s.Commit(t.Context(), c))
			r.Version++
		}
		holdsMany(t, s, get(t, s, "lic_a"))
	}},
}

// holdsMany fails unless a record with so many seats is read, touched, listed,
// dumped and changed as one with few is.
func holdsMany(t testing.TB, s storage.Store, r *storage.Stored) {
	t.Helper()
	equal(t, len(r.Seats), manySeats)
	for n, got := range r.Seats {
		if got.ID != fmt.Sprintf("act_%05d", n) || !got.Lease.Equal(second(n)) || !got.Seen.Equal(second(0)) {
			t.Fatalf("seat %d is %s until %v", n, got.ID, got.Lease)
		}
	}
	var leases []storage.Lease
	for n := 1; n < manySeats; n += 100 {
		leases = append(leases, storage.Lease{Record: "lic_a", Seat: fmt.Sprintf("act_%05d", n), At: second(n - 1), Until: second(20_000 + n)})
	}
	ends, err := s.Touch(t.Context(), leases)
	must(t, err)
	for i, l := range leases {
		equal(t, ends[i], l.Until)
		r.Seats[1+100*i].Lease, r.Seats[1+100*i].Seen = l.Until, latest(second(0), l.At)
	}
	c := change(r.Record)
	c.Remove = []storage.Removal{{ID: "act_00001", IfLease: pointer(second(1))}}
	refused(t, s.Commit(t.Context(), c), fault.Conflict)
	for n := range 500 {
		c.Remove = append(c.Remove[:n], storage.Removal{ID: r.Seats[n].ID, IfLease: &r.Seats[n].Lease})
	}
	c.Put = []storage.Seat{seat("act_99999", time.Time{})}
	r.Seats = append(r.Seats[500:], c.Put[0])
	r.Version, r.Attempt = r.Version+1, c.Attempt
	sameSeats(t, commit(t, s, c), r)
	page, err := s.List(t.Context(), storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1})
	must(t, err)
	sameSeats(t, page.Records[0], r)
	sameSeats(t, &dump(t, s, 9)[0].Stored, r)
}

// sameSeats is equal for records of many seats, which that takes seconds for.
func sameSeats(t testing.TB, got, want *storage.Stored) {
	t.Helper()
	equal(t, got.Record, want.Record)
	equal(t, len(got.Seats), len(want.Seats))
	for i, seat := range got.Seats {
		other := want.Seats[i]
		if seat.ID != other.ID || !seat.Lease.Equal(other.Lease) || !seat.Seen.Equal(other.Seen) || !sameJSON(seat.Body, string(other.Body)) {
			t.Fatalf("seat %d is %+v, want %+v", i, seat, other)
		}
	}
}
