package validation

import (
	"context"
	"errors"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
)

// ActivateInput is the input of activate.
type ActivateInput struct {
	Key          string
	Product      *string
	Fingerprint  *string
	Domain       *string
	Name         *string
	Platform     *string
	Entitlements []string
}

// ActivatePayload is the result of activate.
type ActivatePayload struct {
	Validation *Validation
	Activation *HeldSeat
	Created    bool
}

// Activate takes a seat for the subject, or finds the one that it holds, and
// answers as Validate does after that. A license whose seats change too often
// is RateLimited, to find one is not. Errors: as Validate.
func (s *Service) Activate(ctx context.Context, in ActivateInput) (*ActivatePayload, error) {
	request, subject, err := asked{in.Product, in.Fingerprint, in.Domain, in.Entitlements}.seatRequest()
	name, platform := text(in.Name), text(in.Platform)
	if err := errors.Join(err, license.CheckSeat(name, platform)); err != nil {
		return nil, err
	}
	change := &seatChange{guard: s.seats}
	admit := func(l *license.License, plan *license.Plan) error {
		return change.admit(l.ID, l.Limit(subject.Kind, plan), s.Licenses.SubjectHash(l, subject))
	}
	did, validation, err := s.seat(ctx, in.Key, func(h licensing.Holder) (*licensing.SeatAnswer, error) {
		h.Request = request
		return s.Licenses.Activate(ctx, licensing.SeatClaim{Holder: h, Subject: subject, Name: name, Platform: platform, Admit: admit})
	})
	if made := did != nil && did.Changed; !made && ctx.Err() == nil {
		change.giveBack() // where the caller is gone, others may still make it
	}
	switch {
	case err != nil:
		return nil, err
	case did == nil:
		return &ActivatePayload{Validation: validation}, nil
	}
	found := snapshotOf(did)
	d := found.decide(request, did.At)
	s.count(found, request, d.Code, d.Valid, did.At)
	return &ActivatePayload{
		Validation: s.validation(found, d, did.At, did.AsOf, false), Activation: heldSeat(did.Seat), Created: did.Changed,
	}, nil
}

// DeactivateInput is the input of deactivate.
type DeactivateInput struct {
	Key         string
	Product     *string
	Fingerprint *string
	Domain      *string
	Activation  *string
}

// DeactivatePayload is the result of deactivate.
type DeactivatePayload struct {
	Validation *Validation
	Removed    bool
}

// Deactivate frees the seat of the subject, or that of the given id. To free
// none is a success. Errors: as Validate.
func (s *Service) Deactivate(ctx context.Context, in DeactivateInput) (*DeactivatePayload, error) {
	request, release, err := in.read()
	if err != nil {
		return nil, err
	}
	did, validation, err := s.seat(ctx, in.Key, func(h licensing.Holder) (*licensing.SeatAnswer, error) {
		h.Request = request
		release.Holder = h
		return s.Licenses.Deactivate(ctx, release)
	})
	switch {
	case err != nil:
		return nil, err
	case did == nil:
		return &DeactivatePayload{Validation: validation}, nil
	}
	found := snapshotOf(did)
	d := found.decide(request, did.At)
	if did.Refusal != nil {
		d = d.With(*did.Refusal)
	}
	if did.Changed {
		l, freed := did.License, did.Seat.Holder()
		s.seats.note(l.ID, l.Limit(freed.Kind, found.Plan), s.Licenses.SubjectHash(l, freed))
	}
	return &DeactivatePayload{Validation: s.validation(found, d, did.At, did.AsOf, false), Removed: did.Changed}, nil
}

func (in DeactivateInput) read() (license.Request, licensing.SeatRelease, error) {
	named := 0
	for _, one := range []*string{in.Fingerprint, in.Domain, in.Activation} {
		if one != nil {
			named++
		}
	}
	if named != 1 {
		return license.Request{}, licensing.SeatRelease{}, fault.Invalid("fingerprint", "give exactly one of fingerprint, domain and activation")
	}
	request, err := asked{product: in.Product, fingerprint: in.Fingerprint, domain: in.Domain}.request()
	release := licensing.SeatRelease{Activation: text(in.Activation), Subject: request.Fingerprint}
	if request.Domain != nil {
		release.Subject = request.Domain
	}
	return request, release, err
}

// seat has a request for a seat of a key's license decided. Without an answer
// the key leads to none, which the validation says.
func (s *Service) seat(ctx context.Context, text string, decide func(licensing.Holder) (*licensing.SeatAnswer, error)) (*licensing.SeatAnswer, *Validation, error) {
	now := s.now()
	reading, refused, err := s.readKey(ctx, text)
	switch {
	case err != nil:
		return nil, nil, unavailable(err)
	case refused != "":
		return nil, s.refuse(refused, now, now), nil
	}
	attempt, err := s.unknown.begin(ctx, reading)
	if err != nil {
		return nil, nil, err
	}
	did, err := s.decided(reading, decide)
	switch err = attempt.end(err); {
	case err == nil:
		return did, nil, nil
	case fault.Is(err, fault.NotFound):
		return nil, s.refuse(license.CodeNotFound, now, now), nil
	case fault.Is(err, fault.InvalidInput):
		return nil, nil, err
	}
	return nil, nil, unavailable(err)
}

// decided has a request decided under the first of the secrets under which the
// key leads to a license. Errors: NotFound, and those of decide.
func (s *Service) decided(reading key.Reading, decide func(licensing.Holder) (*licensing.SeatAnswer, error)) (*licensing.SeatAnswer, error) {
	for _, lookup := range licensing.Lookups(s.Secrets, reading) {
		did, err := decide(licensing.Holder{Reading: reading, Lookup: lookup})
		if !fault.Is(err, fault.NotFound) {
			return did, err
		}
	}
	return nil, fault.Errorf(fault.NotFound, "license not found")
}

func snapshotOf(a *licensing.SeatAnswer) Snapshot {
	return Snapshot{License: a.License, Plan: a.Plan.Plan, Product: a.Product, KeyEndsAt: a.KeyEndsAt}
}
