package licensing

import (
	"context"
	"errors"
	"fmt"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// idempotencyPrefix is of the ids of aliases that remember what an
// idempotency key made, where that has an id of its own: a product, a plan.
const idempotencyPrefix = "idem"

// aliasBody says where an alias leads. Actor is set where it stands for an
// idempotency key.
type aliasBody struct {
	Target string      `json:"target"`
	Actor  actor.Actor `json:"actor,omitzero"`
	Key    bool        `json:"key,omitempty"`   // of a key that a rotation made
	Input  string      `json:"input,omitempty"` // digest of the rotation's, under an idempotency key
}

// creation is a record that is to be made, under an id of its own.
type creation[T any] struct {
	operation string // its name in the API
	key       string // the idempotency key, empty without one
	product   string // the id of the product that the key is remembered in
	event     journal.Type
	input     any
	entity    *T
	refusal   error // why none may be made any more; a retry still finds the first
}

// create makes a record, or finds the one that the same call made under the
// same idempotency key. Errors: Conflict Taken, IdempotencyMismatch.
func create[T any](ctx context.Context, s *Service, k kind[T], who caller, c creation[T]) (*T, error) {
	record, err := k.encode(c.entity)
	if err != nil {
		return nil, err
	}
	if c.refusal == nil {
		err := insert(ctx, s, k, who, c, record)
		if err == nil {
			return c.entity, nil
		}
		if !errors.Is(err, errLostRace) {
			return nil, err
		}
	}
	stored, err := storage.One(ctx, s.store, k.Kind, record.ID)
	if c.refusal != nil && fault.Is(err, fault.NotFound) {
		return nil, c.refusal
	}
	if err != nil {
		return nil, err
	}
	there, err := k.decode(stored)
	if err != nil {
		return nil, err
	}
	creator, made := k.origin(there)
	return there, s.madeAgain(who, creator, made, making{key: c.key}, c.operation, c.input, record.ID)
}

// insert commits a new record, after its idempotency key leads to it.
func insert[T any](ctx context.Context, s *Service, k kind[T], who caller, c creation[T], record storage.Record) error {
	if c.key != "" {
		err := s.claimKey(ctx, who, c.product, record.ID, func(under *secret.Secret) (string, error) {
			return id.FromSymbols(idempotencyPrefix, under.Derive(c.operation, c.product, "", c.key, 0)), nil
		})
		if err != nil {
			return err
		}
	}
	return s.commit(ctx, commitment{
		by: who.Actor, at: record.Index.Created, record: record, events: []event{{Type: c.event, after: k.facts(c.entity)}},
	})
}

// claimKey makes an idempotency key lead to target, whose id is not made of
// it, for ever. alias gives the id that the key makes under a secret.
func (s *Service) claimKey(ctx context.Context, who caller, product, target string, alias func(*secret.Secret) (string, error)) error {
	for _, older := range s.secrets.All()[1:] {
		id, err := alias(older)
		if err != nil {
			return err
		}
		found, err := s.store.Get(ctx, id)
		if err != nil {
			return err
		}
		if found[0] != nil {
			return leadsTo(found[0], who, target)
		}
	}
	id, err := alias(s.secrets.First())
	if err != nil {
		return err
	}
	return s.claim(ctx, who, id, product, target)
}

// claim inserts an alias of an idempotency key before its target is made. A
// second time it finds the first: one that leads elsewhere, or is another
// caller's, is a Conflict. Where target is never made, the alias harms nobody.
func (s *Service) claim(ctx context.Context, who caller, alias, product, target string) error {
	err := s.insertAlias(ctx, alias, product, aliasBody{Target: target, Actor: who.Actor})
	if !errors.Is(err, errLostRace) {
		return err
	}
	found, err := s.store.Get(ctx, alias)
	if err != nil {
		return err
	}
	if found[0] == nil {
		return fmt.Errorf("licensing: alias %s is taken and not there", alias)
	}
	return leadsTo(found[0], who, target)
}

// insertAlias makes an alias. Errors: errLostRace where its id is taken.
func (s *Service) insertAlias(ctx context.Context, id, product string, body aliasBody) error {
	record, err := encode(storage.Record{
		Kind: storage.Alias, ID: id, Index: storage.Index{Product: product, Created: s.now()},
	}, body)
	if err != nil {
		return err
	}
	return s.send(ctx, storage.Change{Record: record})
}

// leadsTo judges what is found where an idempotency key leads: an alias, or
// what the key itself made.
func leadsTo(found *storage.Stored, who caller, target string) error {
	if found.Kind != storage.Alias {
		made, err := decode[struct {
			CreatedBy actor.Actor `json:"createdBy"`
		}](found)
		if err != nil {
			return err
		}
		return compare(made.CreatedBy == who.Actor, false, found.ID)
	}
	there, err := decode[aliasBody](found)
	if err != nil {
		return err
	}
	return compare(there.Actor == who.Actor, there.Target == target, there.Target)
}
