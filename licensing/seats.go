package licensing

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/storage"
)

// What stands here takes and frees seats for the holders of keys. The domain
// decides; storage takes the change only if the license is as it was read, and
// removes a run-out seat only if its lease is the one that was read: two
// machines never hold one place, whatever is delayed.

// Holder is who shows a key, and what it asks of the license.
type Holder struct {
	Reading key.Reading
	Lookup  [32]byte // of the key, under one of the secrets
	Request license.Request
}

// SeatClaim asks for a seat.
type SeatClaim struct {
	Holder
	Subject        license.Subject
	Name, Platform string
	// Admit judges a seat that would be taken, before it is; nil admits all.
	// It may be asked more than once for one claim.
	Admit func(l *license.License, plan *license.Plan) error
}

// SeatRelease gives a seat back: the subject's, or where that is nil the one
// of this id.
type SeatRelease struct {
	Holder
	Subject    *license.Subject
	Activation string
}

// SeatAnswer is what became of a request for a seat.
type SeatAnswer struct {
	*LicenseView                     // after the change, at the time of the decision
	AsOf         time.Time           // the license was not changed by others between then and the decision
	Seat         *license.Activation // that was given, found or freed; nil where that was refused or there is none
	Changed      bool                // a seat was taken, or a held one freed
	Refusal      *license.Reason     // why a seat was not freed
	KeyEndsAt    time.Time           // of the key that asked; none for the current one
}

// Activate takes a seat for the subject, or finds the one that it holds. A
// license that does not allow it is left alone: license.Decide on the answer's
// license and time says why. Errors: NotFound where the key is not one of the
// license, InvalidInput on name and platform, Unavailable, and those of Admit.
func (s *Service) Activate(ctx context.Context, c SeatClaim) (*SeatAnswer, error) {
	if err := license.CheckSeat(c.Name, c.Platform); err != nil {
		return nil, err
	}
	return s.seat(ctx, c.Holder, func(v *LicenseView, to *seatChanges) (*SeatAnswer, error) {
		return s.claimSeat(c, v, to)
	})
}

// Deactivate frees a seat. To free none is a success, whatever the state of
// the license; a request of another product changes nothing. Errors: NotFound
// where the key is not one of the license, Unavailable.
func (s *Service) Deactivate(ctx context.Context, r SeatRelease) (*SeatAnswer, error) {
	return s.seat(ctx, r.Holder, func(v *LicenseView, to *seatChanges) (*SeatAnswer, error) {
		return releaseSeat(r, v, to), nil
	})
}

// TouchSeat moves the lease of a seat to until, as of now, and gives its
// stored end: none where it had run out, or the seat is gone.
func (s *Service) TouchSeat(ctx context.Context, l *license.License, seat *license.Activation, now, until time.Time) (time.Time, error) {
	ends, err := s.store.Touch(ctx, []storage.Lease{{Record: l.ID, Seat: seat.ID, At: now, Until: until}})
	if err != nil {
		return time.Time{}, err
	}
	return ends[0], nil
}

// seat has a request for a seat decided, in the line of its license.
func (s *Service) seat(ctx context.Context, h Holder, decide func(*LicenseView, *seatChanges) (*SeatAnswer, error)) (*SeatAnswer, error) {
	id := license.LicenseID(h.Lookup[:])
	r := seatRequest{id: actor.RequestFrom(ctx), holder: h, decide: decide}
	return s.lines.wait(ctx, id, r, func(ctx context.Context, group []*ticket) {
		err := retry(ctx, func() error { return s.serve(ctx, id, group) })
		if err != nil {
			for _, t := range group {
				t.answer, t.err = nil, err
			}
		}
	})
}

// claimSeat decides one claim.
func (s *Service) claimSeat(c SeatClaim, v *LicenseView, to *seatChanges) (*SeatAnswer, error) {
	l, plan := v.License, v.Plan.Plan
	answer := &SeatAnswer{LicenseView: v}
	if d := license.Decide(l, plan, v.Product, c.Request, v.At); !d.AllowsActivation(c.Subject) {
		for _, kind := range d.LacksSeat(c.Subject) {
			to.reached(v, kind, true)
		}
		return answer, nil
	}
	if l.ActivatedAt.IsZero() {
		before := licenseFacts(l)
		l.MarkActivated(plan, v.At)
		to.happened(event{Type: journal.LicenseActivated, before: before, after: licenseFacts(l)})
	}
	var held *license.Activation
	if own := l.SeatOf(c.Subject); own != nil {
		held = new(*own)
	}
	result, err := l.Activate(plan, c.Subject, s.activationID(l, c.Subject), c.Name, c.Platform, v.At)
	if err != nil || result.Seat == nil {
		return answer, err
	}
	if result.Created && c.Admit != nil {
		if err := c.Admit(l, plan); err != nil {
			return nil, err
		}
	}
	answer.Seat, answer.Changed = result.Seat, result.Created
	to.took(l, held, result)
	kind := c.Subject.Kind
	if limit := l.Limit(kind, plan); result.Created && limit != nil && l.Count(kind, plan, v.At) > *limit {
		to.reached(v, kind, false)
	}
	return answer, nil
}

// releaseSeat decides one release.
func releaseSeat(r SeatRelease, v *LicenseView, to *seatChanges) *SeatAnswer {
	l, plan := v.License, v.Plan.Plan
	answer := &SeatAnswer{LicenseView: v}
	if license.Decide(l, plan, v.Product, r.Request, v.At).WrongProduct() {
		return answer
	}
	id := r.Activation
	if r.Subject != nil {
		id = ""
		if own := l.SeatOf(*r.Subject); own != nil {
			id = own.ID
		}
	}
	seat, refusal := l.Deactivate(id, v.At)
	answer.Refusal = refusal
	if seat != nil {
		answer.Seat, answer.Changed = seat, seat.HeldAt(plan, v.At)
		to.freed(*seat, nil)
	}
	return answer
}

// activationID gives the id of the seat of a subject, which is the same
// whoever asks: so one subject has one seat.
func (s *Service) activationID(l *license.License, subject license.Subject) string {
	mac := s.under(l).Digest(l.ID, string(subject.Kind), subject.Identity())
	return license.ActivationID(mac[:])
}

// serve reads the license once, decides a group of requests one after the
// other, and commits what came of them as one change.
func (s *Service) serve(ctx context.Context, id string, group []*ticket) error {
	asOf := s.now()
	stored, err := s.ledTo(ctx, id)
	if err != nil {
		return err
	}
	view, err := s.viewOf(ctx, stored)
	if err != nil {
		return err
	}
	var changes seatChanges
	for _, t := range group {
		view = t.decideOn(view, asOf, &changes)
	}
	// First, since it is harmless where the commit fails and all is decided
	// anew, which would take what was made for what was found.
	if err := s.touchFound(ctx, changes.found); err != nil || len(changes.events) == 0 {
		return err
	}
	put, remove, err := changes.settled()
	if err != nil {
		return err
	}
	s.schedule(view.License, view.Plan.Plan, view.At)
	// Each event names its own request; none is of whoever happens to serve.
	err = s.note(actor.WithRequest(ctx, ""), stored, view.License, commitment{
		by: holder(view.License), at: view.At, events: changes.events, put: put, remove: remove,
	})
	if err != nil && changes.tellsOnly() && !errors.Is(err, errLostRace) {
		s.log.ErrorContext(ctx, "a limit that was reached is not in the journal", "error", err, "license", id)
		return nil // nobody was given anything
	}
	return err
}

// touchFound notes that seats which were found have been seen. One that is
// gone since, or whose lease ran out, sends the group back.
func (s *Service) touchFound(ctx context.Context, found []storage.Lease) error {
	if len(found) == 0 {
		return nil
	}
	ends, err := s.store.Touch(ctx, found)
	if err != nil {
		return err
	}
	for i, end := range ends {
		if end.IsZero() && !found[i].Until.IsZero() {
			return errLostRace
		}
	}
	return nil
}

// seatRequest is a holder's request for a seat. decide changes the view's
// license, which is its own, and notes what that means to storage.
type seatRequest struct {
	id     string // of the request over the network; empty where there is none
	holder Holder
	decide func(*LicenseView, *seatChanges) (*SeatAnswer, error)
}

// decideOn decides a request on a license as the one before it left it, and
// gives it as this one leaves it.
func (t *ticket) decideOn(before *LicenseView, asOf time.Time, changes *seatChanges) *LicenseView {
	after, l := *before, *before.License
	after.License = &l
	if !Counts(&l, after.Product, t.holder.Reading, t.holder.Lookup, after.At) {
		t.answer, t.err = nil, fault.Errorf(fault.NotFound, "license not found")
		return before
	}
	var own seatChanges
	if t.answer, t.err = t.decide(&after, &own); t.err != nil {
		return before
	}
	t.answer.AsOf, t.answer.KeyEndsAt = asOf, l.KeyEndsAt(t.holder.Lookup[:])
	for i := range own.events {
		own.events[i].request = t.id
	}
	changes.add(own)
	return &after
}
