package licensing

import (
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// seatChanges is what requests for seats come to in storage and in the
// journal.
type seatChanges struct {
	events []event
	steps  []seatStep
	found  []storage.Lease // of seats that were held already
	told   int             // events that tell of a limit
}

// seatStep puts a seat or, where that is nil, removes one.
type seatStep struct {
	put    *license.Activation
	remove storage.Removal
}

// happened notes an event.
func (c *seatChanges) happened(e event) { c.events = append(c.events, e) }

// add appends what a further request came to.
func (c *seatChanges) add(more seatChanges) {
	c.events = append(c.events, more.events...)
	c.steps = append(c.steps, more.steps...)
	c.found = append(c.found, more.found...)
	c.told += more.told
}

// took notes what an activation came to; before is the seat that its subject
// held, nil where it held none.
func (c *seatChanges) took(l *license.License, before *license.Activation, r license.ActivateResult) {
	switch seat := *r.Seat; {
	case r.Created:
		for _, gone := range r.Removed {
			c.freed(gone, &gone)
		}
		c.put(seat, event{Type: journal.ActivationCreated, after: seatFacts(&seat)})
	case before.Name != seat.Name || before.Platform != seat.Platform:
		c.put(seat, event{Type: journal.ActivationUpdated, before: seatFacts(before), after: seatFacts(&seat)})
	default:
		// Nothing that the journal tells of: the version stays too, so a crowd
		// of programs that start does not stand in anybody's way.
		c.found = append(c.found, storage.Lease{Record: l.ID, Seat: seat.ID, At: seat.LastSeenAt, Until: seat.LeaseUntil})
	}
}

func (c *seatChanges) put(seat license.Activation, e event) {
	e.part = seat.ID
	c.happened(e)
	c.steps = append(c.steps, seatStep{put: &seat})
}

// freed notes that a seat was removed. Where it was for having run out, asRead
// is the seat as it was read: one whose lease has moved since is not removed.
func (c *seatChanges) freed(seat license.Activation, asRead *license.Activation) {
	removal := storage.Removal{ID: seat.ID}
	if asRead != nil {
		removal.IfLease = &asRead.LeaseUntil
	}
	c.happened(event{Type: journal.ActivationRemoved, part: seat.ID, before: seatFacts(&seat)})
	c.steps = append(c.steps, seatStep{remove: removal})
}

// reached notes that the limit of a kind was reached, at most once an hour: a
// seat was refused for want of one, or is beyond it.
func (c *seatChanges) reached(v *LicenseView, kind license.SeatKind, refused bool) {
	l, plan := v.License, v.Plan.Plan
	limit := l.Limit(kind, plan)
	if limit == nil || !l.TellLimit(kind, v.At) {
		return
	}
	c.happened(event{Type: journal.LimitReached, details: journal.LimitReachedData{
		Kind: string(kind), Limit: *limit, Count: l.Count(kind, plan, v.At), Refused: refused,
	}})
	c.told++
}

// tellsOnly reports whether no answer depends on the change: it is there to
// tell of limits.
func (c *seatChanges) tellsOnly() bool { return len(c.events) == c.told }

// settled gives what a change puts and removes, each seat once, as the last
// step on it says.
func (c *seatChanges) settled() ([]storage.Seat, []storage.Removal, error) {
	last := make(map[string]int, len(c.steps))
	for i, step := range c.steps {
		last[step.seat()] = i
	}
	var puts []storage.Seat
	var removals []storage.Removal
	for i, step := range c.steps {
		switch {
		case last[step.seat()] != i:
		case step.put == nil:
			removals = append(removals, step.remove)
		default:
			seat, err := encodeSeat(*step.put)
			if err != nil {
				return nil, nil, err
			}
			puts = append(puts, seat)
		}
	}
	return puts, removals, nil
}

func (s seatStep) seat() string {
	if s.put != nil {
		return s.put.ID
	}
	return s.remove.ID
}

// seatFacts are a seat's fields as the journal tells of them. What names a
// machine or a domain may name a person.
func seatFacts(a *license.Activation) facts {
	f := facts{}
	f.text("kind", string(a.Kind))
	f.hidden("subject", a.Subject)
	f.hidden("name", a.Name)
	f.hidden("platform", a.Platform)
	return f
}
