package license

import "time"

// endsAt gives when the seat is free again by itself, none where it is kept
// until released. A seat taken while the plan had no lease gets one with its
// next heartbeat or activation; a signed license that is out prolongs a lease.
func (a *Activation) endsAt(plan *Plan) time.Time {
	if plan.LeaseDuration == nil || a.LeaseUntil.IsZero() {
		return time.Time{}
	}
	return later(a.LeaseUntil, a.OfflineUntil)
}

// HeldAt reports whether the seat is taken: its lease has not run out. At its
// very end it has.
func (a *Activation) HeldAt(plan *Plan, now time.Time) bool {
	end := a.endsAt(plan)
	return end.IsZero() || end.After(now)
}

// checkedOut reports whether a signed license is out for the seat.
func (a *Activation) checkedOut(now time.Time) bool { return a.OfflineUntil.After(now) }

// Holder gives whose seat it is.
func (a *Activation) Holder() Subject { return Subject{a.Kind, a.Subject, a.Domain} }

// Is reports whether the seat is the subject's.
func (a *Activation) Is(s Subject) bool {
	return a.Kind == s.Kind && a.Holder().Identity() == s.Identity()
}

// SeatOf gives the seat on record for a subject, whether it is held or has run
// out, and nil where there is none. It points into l.
func (l *License) SeatOf(s Subject) *Activation {
	for i := range l.Seats {
		if l.Seats[i].Is(s) {
			return &l.Seats[i]
		}
	}
	return nil
}

// Count gives how many seats of a kind are held.
func (l *License) Count(kind SeatKind, plan *Plan, now time.Time) int {
	t := l.tallies(plan, now)
	return t.of(kind).held
}

// tally is what counts of one kind of seat.
type tally struct {
	held int
	next time.Time // the first held seat to end by itself; none: none does
}

type tallies struct{ machines, domains tally }

func (t *tallies) of(kind SeatKind) *tally {
	if kind == Domain {
		return &t.domains
	}
	return &t.machines
}

func (l *License) tallies(plan *Plan, now time.Time) tallies {
	var t tallies
	for i := range l.Seats {
		seat := &l.Seats[i]
		end := seat.endsAt(plan)
		if end.IsZero() || end.After(now) {
			own := t.of(seat.Kind)
			own.held++
			own.next = sooner(own.next, end)
		}
	}
	return t
}

// bound gives how many seats of a kind may be held, overage included, and
// false where nothing but MaxSeats bounds them.
func (l *License) bound(kind SeatKind, plan *Plan) (int, bool) {
	limit := l.Limit(kind, plan)
	if limit == nil {
		return MaxSeats, false
	}
	return min(withOverage(*limit, plan.OveragePercent), MaxSeats), true
}

// room reports whether one more seat of a kind may be held. A kind without a
// limit leaves alone what the other may still need of MaxSeats.
func (l *License) room(kind SeatKind, plan *Plan, t tallies) bool {
	bound, limited := l.bound(kind, plan)
	most, otherLimited := l.bound(kind.other(), plan)
	kept := 0
	if !limited && otherLimited {
		kept = max(0, most-t.of(kind.other()).held)
	}
	return t.of(kind).held < bound && t.machines.held+t.domains.held+kept < MaxSeats
}
