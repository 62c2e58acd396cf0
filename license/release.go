package license

import (
	"fmt"
	"slices"
	"time"
)

// RemoveSeat frees the seat of this id, whatever is out for it, and gives it;
// nil where there is none. It is staff's.
func (l *License) RemoveSeat(id string) *Activation {
	i := slices.IndexFunc(l.Seats, func(a Activation) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	seat := l.Seats[i]
	l.Seats = slices.Concat(l.Seats[:i], l.Seats[i+1:])
	return &seat
}

// Deactivate frees the seat of this id for its holder and gives it; nil where
// there is none. While a signed license is out for it the seat stays, and the
// refusal is a reason to answer.
func (l *License) Deactivate(id string, now time.Time) (*Activation, *Reason) {
	for _, a := range l.Seats {
		if a.ID == id && a.checkedOut(now) {
			return nil, &Reason{
				Code:     CodeCheckedOut,
				Message:  fmt.Sprintf("A signed license is out for this seat until %s.", written(a.OfflineUntil)),
				Blocking: true, Subject: new(a.Subject), Until: new(a.OfflineUntil),
			}
		}
	}
	return l.RemoveSeat(id), nil
}

// HeartbeatResult says what a heartbeat came to.
type HeartbeatResult struct {
	Seat  *Activation // nil: the subject holds none. It points into the license
	Until time.Time   // the end of its lease; none where the plan has none
	Write bool        // the lease is to be moved to Until in storage, which has the last word
}

// Heartbeat renews the lease of the seat that the subject holds. With over two
// thirds of it left there is nothing to write, nor is there where the plan has
// no lease. It changes nothing: leases are moved in storage.
func (l *License) Heartbeat(plan *Plan, s Subject, now time.Time) HeartbeatResult {
	seat := l.SeatOf(s)
	if seat == nil || !seat.HeldAt(plan, now) {
		return HeartbeatResult{}
	}
	if plan.LeaseDuration == nil {
		return HeartbeatResult{Seat: seat}
	}
	now = stored(now)
	end, renewed := seat.endsAt(plan), plan.LeaseDuration.AddTo(now)
	whole := renewed.Sub(now)
	onlySigned := !end.IsZero() && !seat.LeaseUntil.After(now) // storage moves no lease that has run out
	if onlySigned || end.Sub(now) > whole-whole/3 {
		return HeartbeatResult{Seat: seat, Until: end}
	}
	return HeartbeatResult{Seat: seat, Until: renewed, Write: true}
}

// WithLease gives the license as it is once the lease of the seat of this id
// was moved in storage; l itself may be shared and stays.
func (l *License) WithLease(id string, until, seen time.Time) *License {
	moved := *l
	moved.Seats = slices.Clone(l.Seats)
	for i := range moved.Seats {
		if a := &moved.Seats[i]; a.ID == id {
			a.LeaseUntil, a.LastSeenAt = until, later(a.LastSeenAt, stored(seen))
		}
	}
	return &moved
}
