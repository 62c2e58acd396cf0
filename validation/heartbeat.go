package validation

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
)

// How often a heartbeat asks anew whose seat changes hands under it.
const maxBeats = 3

// HeartbeatInput is the input of heartbeat.
type HeartbeatInput struct {
	Key         string
	Product     *string
	Fingerprint *string
	Domain      *string
}

// HeartbeatPayload is the result of heartbeat.
type HeartbeatPayload struct {
	Validation *Validation
	LeaseUntil *time.Time
}

// Heartbeat renews the lease of the seat that the subject holds, whatever else
// is wrong with the license, and answers as Validate does after that. A lease
// is told only once it is stored. Errors: as Validate.
func (s *Service) Heartbeat(ctx context.Context, in HeartbeatInput) (*HeartbeatPayload, error) {
	request, subject, err := asked{product: in.Product, fingerprint: in.Fingerprint, domain: in.Domain}.seatRequest()
	if err != nil {
		return nil, err
	}
	now := s.now()
	reading, refused, err := s.readKey(ctx, in.Key)
	switch {
	case err != nil:
		return nil, unavailable(err)
	case refused != "":
		return &HeartbeatPayload{Validation: s.refuse(refused, now, now)}, nil
	}
	notOlderThan := now.Add(-s.MaxStaleness)
	for range maxBeats {
		payload, err := s.beat(ctx, reading, request, subject, notOlderThan)
		if !errors.Is(err, errAskAnew) {
			return payload, err
		}
		notOlderThan = s.now()
	}
	return nil, unavailable(errAskAnew)
}

// errAskAnew is a heartbeat whose seat is not what the data said.
var errAskAnew = errors.New("validation: newer data is needed of a seat")

// beat is one try of a heartbeat, by data that is not older than a time.
func (s *Service) beat(ctx context.Context, reading key.Reading, request license.Request, subject license.Subject, notOlderThan time.Time) (*HeartbeatPayload, error) {
	now := s.now()
	found, asOf, err := s.find(ctx, reading, notOlderThan, now)
	if fault.Is(err, fault.NotFound) {
		return &HeartbeatPayload{Validation: s.refuse(license.CodeNotFound, now, now)}, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	stale := asOf.Before(notOlderThan)
	beat := found.License.Heartbeat(found.Plan, subject, now)
	switch {
	case found.decide(request, now).WrongProduct():
		beat = license.HeartbeatResult{}
	case beat.Seat == nil && asOf.Before(now):
		return nil, errAskAnew // newer data may know a later end
	case beat.Write:
		end, err := s.Licenses.TouchSeat(ctx, found.License, beat.Seat, now, beat.Until)
		switch {
		case err != nil:
			return nil, unavailable(err)
		case end.IsZero():
			return nil, errAskAnew
		}
		found.License, beat.Until = found.License.WithLease(beat.Seat.ID, end, now), end
	}
	validation, err := s.answer(ctx, found, request, now, asOf, stale)
	if err != nil {
		return nil, err
	}
	return &HeartbeatPayload{Validation: validation, LeaseUntil: orNull(beat.Until)}, nil
}
