package validation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
)

// ValidateInput is the input of validate.
type ValidateInput struct {
	Key          string
	Product      *string
	Fingerprint  *string
	Domain       *string
	Entitlements []string
	MaxStaleness *license.Duration
}

// Validate answers whether a key is good, here and now. It takes no seat.
// Errors: InvalidInput, RateLimited, and Unavailable where the server does not
// know.
func (s *Service) Validate(ctx context.Context, in ValidateInput) (*Validation, error) {
	now := s.now()
	request, err := asked{in.Product, in.Fingerprint, in.Domain, in.Entitlements}.request()
	staleness, tooFresh := s.staleness(in.MaxStaleness, now)
	if err := errors.Join(err, tooFresh); err != nil {
		return nil, err
	}
	reading, refused, err := s.readKey(ctx, in.Key)
	switch {
	case err != nil:
		return nil, unavailable(err)
	case refused != "":
		return s.refuse(refused, now, now), nil
	}
	notOlderThan := now.Add(-staleness)
	found, asOf, err := s.find(ctx, reading, notOlderThan, now)
	if fault.Is(err, fault.NotFound) {
		return s.refuse(license.CodeNotFound, now, now), nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return s.answer(ctx, found, request, now, asOf, asOf.Before(notOlderThan))
}

// readKey reads the text of a key. A code says that no license needs to be
// looked for.
func (s *Service) readKey(ctx context.Context, text string) (key.Reading, license.Code, error) {
	reading, err := s.Licenses.ReadKey(ctx, text)
	switch {
	case err != nil:
		return reading, "", err
	case reading.Kind == key.Malformed, reading.Kind == key.Refused:
		return reading, license.CodeKeyMalformed, nil
	case reading.Kind == key.Imported && s.NoImported:
		return reading, license.CodeNotFound, nil
	}
	return reading, "", nil
}

// find gives the license that the key counts for, within the bounds on keys
// that lead nowhere. Errors: NotFound, RateLimited, and what else keeps it from
// knowing.
func (s *Service) find(ctx context.Context, r key.Reading, notOlderThan, now time.Time) (Snapshot, time.Time, error) {
	attempt, err := s.unknown.begin(ctx, r)
	if err != nil {
		return Snapshot{}, time.Time{}, err
	}
	found, asOf, err := s.lookUp(ctx, r, notOlderThan, now)
	return found, asOf, attempt.end(err)
}

func (s *Service) lookUp(ctx context.Context, r key.Reading, notOlderThan, now time.Time) (Snapshot, time.Time, error) {
	for _, lookup := range licensing.Lookups(s.Secrets, r) {
		found, asOf, err := s.Source.Snapshot(ctx, lookup, notOlderThan)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return Snapshot{}, time.Time{}, err
		}
		if licensing.Counts(found.License, found.Product, r, lookup, now) {
			found.KeyEndsAt = found.License.KeyEndsAt(lookup[:])
			return found, asOf, nil
		}
		if asOf.Before(notOlderThan) {
			// The license may list the key by now.
			return Snapshot{}, time.Time{}, tooOld(asOf)
		}
	}
	return Snapshot{}, time.Time{}, fault.Errorf(fault.NotFound, "license not found")
}

// answer decides, and notes the use.
func (s *Service) answer(ctx context.Context, found Snapshot, r license.Request, now, asOf time.Time, stale bool) (*Validation, error) {
	if stale {
		r.LeasesAt = asOf
	}
	d := found.decide(r, now)
	first := d.Valid && found.License.ActivatedAt.IsZero()
	switch {
	case stale && (!d.Valid || asOf.Before(now.Add(-s.StaleFor)) || found.License.AwaitsActivation):
		// Old data is good for a yes alone, and not for long.
		return nil, unavailable(tooOld(asOf))
	case first && found.License.AwaitsActivation:
		// Its duration begins now, so the answer depends on the commit.
		begun, err := s.Licenses.NoteFirstUse(ctx, found.License.ID, now)
		if err != nil {
			return nil, unavailable(err)
		}
		found.License = begun
		d = found.decide(r, now)
	case first:
		s.usage.noteFirstUse(found.License.ID, firstUse{at: now, request: actor.RequestFrom(ctx)})
	}
	s.count(found, r, d.Code, d.Valid, now)
	return s.validation(found, d, now, asOf, stale), nil
}

func tooOld(asOf time.Time) error {
	return fmt.Errorf("validation: data as of %s is too old for this answer", asOf.Format(time.RFC3339))
}

// unavailable is the only error of a holder's request that was well-formed and
// within its limits: to a program in the field it is never a no.
func unavailable(err error) error {
	if fault.Is(err, fault.RateLimited) {
		return err
	}
	u := fault.Wrap(fault.Unavailable, err, "the server cannot say now; keep the last answer until its goodUntil")
	u.RetryAfter = time.Second
	return u
}
