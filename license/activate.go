package license

import (
	"cmp"
	"slices"
	"time"
)

// The longest texts that describe a seat, in characters.
const (
	maxSeatName = 200
	maxPlatform = 64
)

// CheckSeat gives every bad text of those that describe a seat; each may be
// empty.
func CheckSeat(name, platform string) error {
	var bad problems
	bad.text("name", name, optional, maxSeatName)
	bad.text("platform", platform, optional, maxPlatform)
	return bad.err()
}

// ActivateResult says what an activation came to.
type ActivateResult struct {
	// Seat is the subject's, to be put into storage; nil where the subject
	// needs none and there is no place to record it.
	Seat    *Activation
	Created bool // false: the subject held it already
	// Removed are the run-out seats that made place. Each must be removed in
	// the change that puts Seat, and only if its lease in storage is still its
	// LeaseUntil: else two machines could hold one place.
	Removed []Activation
}

// Activate finds the seat that the subject holds, or takes one under this id.
// It holds to the limits and to the allowed domains; whether the license may
// be used at all is Decide's to say. Where the kind has no limit the subject
// is recorded while there is place. Errors, changing nothing: InvalidInput on
// name and platform; Conflict State if the domain is not allowed or no seat is
// left.
func (l *License) Activate(plan *Plan, s Subject, id, name, platform string, now time.Time) (ActivateResult, error) {
	if err := CheckSeat(name, platform); err != nil {
		return ActivateResult{}, err
	}
	if s.Kind == Domain && !l.Allows(s.Domain) {
		return ActivateResult{}, clash("the license is not for this domain")
	}
	now = stored(now)
	own := l.SeatOf(s)
	if own != nil && own.HeldAt(plan, now) {
		seat := own.seen(plan, name, platform, now)
		l.replaceSeats(nil, seat)
		return ActivateResult{Seat: &seat}, nil
	}
	if t := l.tallies(plan, now); !l.room(s.Kind, plan, t) {
		bound, limited := l.bound(s.Kind, plan)
		if !limited {
			return ActivateResult{}, nil
		}
		return ActivateResult{}, clash("no seat is left: %d of %d are taken, so free one or raise the limit", t.of(s.Kind).held, bound)
	}
	if own != nil {
		id = own.ID
	}
	seat := Activation{ID: id, Kind: s.Kind, Subject: s.Text, Domain: s.Domain, CreatedAt: now}
	seat = seat.seen(plan, name, platform, now)
	removed := l.inTheWay(seat, plan, now)
	l.replaceSeats(removed, seat)
	return ActivateResult{Seat: &seat, Created: true, Removed: removed}, nil
}

// seen gives the seat after its subject has activated it now.
func (a Activation) seen(plan *Plan, name, platform string, now time.Time) Activation {
	a.Name = cmp.Or(name, a.Name)
	a.Platform = cmp.Or(platform, a.Platform)
	a.LastSeenAt = later(a.LastSeenAt, now)
	if plan.LeaseDuration != nil {
		a.LeaseUntil = later(later(a.LeaseUntil, a.OfflineUntil), plan.LeaseDuration.AddTo(now))
	}
	return a
}

// inTheWay gives the run-out seats that must go, so that what is on record
// with the new seat stays within the bounds even if a heartbeat that is late
// revives those that remain: of its kind first, the longest run out first.
func (l *License) inTheWay(seat Activation, plan *Plan, now time.Time) []Activation {
	var out []Activation
	kindred, all := 1, 1 // seats on record, with the new one
	for _, a := range l.Seats {
		if a.ID == seat.ID {
			continue
		}
		all++
		if a.Kind == seat.Kind {
			kindred++
		}
		if !a.HeldAt(plan, now) {
			out = append(out, a)
		}
	}
	bound, _ := l.bound(seat.Kind, plan)
	excess := max(kindred-bound, all-MaxSeats)
	if excess <= 0 {
		return nil
	}
	slices.SortFunc(out, func(a, b Activation) int {
		if a.Kind != b.Kind {
			if a.Kind == seat.Kind {
				return -1
			}
			return 1
		}
		return cmp.Or(a.LeaseUntil.Compare(b.LeaseUntil), cmp.Compare(a.ID, b.ID))
	})
	return out[:excess]
}

// replaceSeats makes a new list, since the old one may be shared: without what
// is removed, and with seat in the place of its id.
func (l *License) replaceSeats(removed []Activation, seat Activation) {
	gone := map[string]bool{seat.ID: true}
	for _, a := range removed {
		gone[a.ID] = true
	}
	seats := make([]Activation, 0, len(l.Seats)+1)
	for _, a := range l.Seats {
		if !gone[a.ID] {
			seats = append(seats, a)
		}
	}
	l.Seats = append(seats, seat)
}
