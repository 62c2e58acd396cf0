package licensing

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// kind says how entities of one kind are stored and told of.
type kind[T any] struct {
	storage.Kind
	encode  func(*T) (storage.Record, error)
	decode  func(*storage.Stored) (*T, error)
	facts   func(*T) facts
	changed func(*T, time.Time)            // counts a change that staff made
	origin  func(*T) (actor.Actor, string) // who created it, and the digest of the input
}

var (
	products = kind[license.Product]{
		Kind: storage.Product, encode: encodeProduct, decode: decodeProduct, facts: productFacts,
		changed: func(p *license.Product, now time.Time) { p.Revision++; p.UpdatedAt = now },
		origin:  func(p *license.Product) (actor.Actor, string) { return p.CreatedBy, p.InputDigest },
	}
	plans = kind[license.Plan]{
		Kind: storage.Plan, encode: encodePlan, decode: decodePlan, facts: planFacts,
		changed: func(p *license.Plan, now time.Time) { p.Revision++; p.UpdatedAt = now },
		origin:  func(p *license.Plan) (actor.Actor, string) { return p.CreatedBy, p.InputDigest },
	}
	licenses = kind[license.License]{
		Kind: storage.License, encode: encodeLicense, decode: decodeLicense, facts: licenseFacts,
		changed: func(l *license.License, now time.Time) { l.Revision++; l.UpdatedAt = now },
		origin:  func(l *license.License) (actor.Actor, string) { return l.CreatedBy, l.InputDigest },
	}
)

// edit is a change of one record that staff ask for.
type edit struct {
	action         authz.Action
	operation      string // its name in the API
	id             string
	input          any
	revision       *int // that the caller has seen; nil is any
	idempotencyKey *string
}

// draft is a record that is being changed.
type draft[T any] struct {
	*storage.Stored
	entity *T
	by     caller
	at     time.Time
	seats  *seatChanges // that go with the change
}

// errUnchanged is a change that finds the record as it would make it.
var errUnchanged = errors.New("licensing: there is nothing to change")

// apply reads the record, lets change change it, and commits it with an entry
// of the type that change gives, none where only seats change; again, where a
// race was lost. Under an idempotency key it is made once, and a retry gives
// the record as it is now. Nothing is committed where there is nothing to change.
func apply[T any](ctx context.Context, s *Service, k kind[T], e edit, change func(draft[T]) (journal.Type, error)) (*T, error) {
	who, err := s.authorize(ctx, e.action)
	if err != nil {
		return nil, err
	}
	key, err := checkIdempotencyKey(e.idempotencyKey)
	if err != nil {
		return nil, err
	}
	o := operation{name: e.operation, key: key, input: e.input, record: e.id}
	var entity *T
	err = retry(ctx, func() error {
		stored, err := s.read(ctx, who, k.Kind, e.id)
		if err != nil {
			return err
		}
		if entity, err = k.decode(stored); err != nil {
			return err
		}
		if done, err := s.wasDone(stored.Done, o, who.Actor); done || err != nil {
			return err
		}
		if e.revision != nil && int64(*e.revision) != stored.Revision {
			return fault.Clash(fault.RevisionStale, e.id, "the %s was changed meanwhile and has revision %d", k.Kind, stored.Revision)
		}
		d := draft[T]{Stored: stored, entity: entity, by: who, at: s.now(), seats: &seatChanges{}}
		return applyOnce(ctx, s, k, o, d, change)
	})
	if errors.Is(err, errUnchanged) {
		return entity, nil
	}
	return entity, err
}

func applyOnce[T any](ctx context.Context, s *Service, k kind[T], o operation, d draft[T], change func(draft[T]) (journal.Type, error)) error {
	before := k.facts(d.entity)
	what, err := change(d)
	if err != nil {
		return err
	}
	k.changed(d.entity, d.at)
	record, err := k.encode(d.entity)
	if err != nil {
		return err
	}
	if record.Done, err = s.remember(d.Done, o, d.by.Actor, d.at); err != nil {
		return err
	}
	put, remove, err := d.seats.settled()
	if err != nil {
		return err
	}
	events := d.seats.events
	if what != "" {
		events = slices.Insert(events, 0, event{Type: what, before: before, after: k.facts(d.entity)})
	}
	return s.commit(ctx, commitment{
		by: d.by.Actor, at: d.at, record: record, events: events, put: put, remove: remove,
	})
}
