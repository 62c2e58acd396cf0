package licensing

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// RotateLicenseKeyInput is the input of rotateLicenseKey.
type RotateLicenseKeyInput struct {
	License        string
	Overlap        license.Duration
	Revision       *int
	IdempotencyKey *string
}

// RotateLicenseKeyPayload is the result of rotateLicenseKey.
type RotateLicenseKeyPayload struct {
	License *LicenseView
	Key     string
}

// rotateOperation is also what the keys of rotations are derived under.
const rotateOperation = "rotateLicenseKey"

// RotateLicenseKey gives a license a new key of our own making, and shows it.
// Under an idempotency key the new key is derived from that, so a retry finds
// it and shows it again, for as long as it works.
func (s *Service) RotateLicenseKey(ctx context.Context, in RotateLicenseKeyInput) (*RotateLicenseKeyPayload, error) {
	r := rotation{input: in}
	var rotated *license.License
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseRotateKey, operation: rotateOperation, id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], v *LicenseView) (journal.Type, error) {
		err := s.rotate(ctx, &r, d, v.Product)
		rotated = d.entity
		return journal.LicenseKeyRotated, err
	})
	switch {
	case errors.Is(err, errRotated), err == nil && view.License != rotated:
		return s.rotatedBefore(ctx, in)
	case err != nil:
		return nil, err
	}
	return &RotateLicenseKeyPayload{License: view, Key: r.key.text}, nil
}

// errRotated is a rotation that was made already, under the same idempotency
// key.
var errRotated = errors.New("licensing: rotated before")

// rotation is a change of a license's key that is about to be made.
type rotation struct {
	input   RotateLicenseKeyInput
	key     issuedKey // the next one
	claimed bool      // its alias is there
}

// rotate makes the next key the current one, and has an alias lead from it to
// the license before that is committed. An alias whose commit fails harms
// nobody: the license does not list its key.
func (s *Service) rotate(ctx context.Context, r *rotation, d draft[license.License], product *license.Product) error {
	if err := s.chooseKey(ctx, r, d, product); err != nil {
		return err
	}
	next, err := s.kept(r.key, d.ID)
	if err != nil {
		return err
	}
	if err := d.entity.RotateKey(next, r.input.Overlap, d.at); err != nil || r.claimed {
		return err
	}
	body := aliasBody{Target: d.ID, Key: true}
	if r.input.IdempotencyKey != nil {
		body.Actor = d.by.Actor
		if body.Input, err = inputDigest(s.secrets.First(), rotateOperation, r.input); err != nil {
			return err
		}
	}
	// A lost race is another try of the same call: then its alias is found.
	err = s.insertAlias(ctx, r.key.id(), product.ID, body)
	r.claimed = err == nil
	return err
}

// chooseKey sets the next key: a random one for all tries of the call, or the
// one that the idempotency key makes.
func (s *Service) chooseKey(ctx context.Context, r *rotation, d draft[license.License], product *license.Product) (err error) {
	if r.claimed {
		return nil
	}
	if r.input.IdempotencyKey == nil {
		r.key, err = s.randomKey(product.KeyPrefix)
		return err
	}
	for _, under := range s.secrets.All() {
		k, err := r.input.derivedKey(under, product)
		if err != nil {
			return err
		}
		found, err := s.store.Get(ctx, k.id())
		if err != nil {
			return err
		}
		if found[0] != nil {
			r.key, r.claimed = k, true
			return s.maySettle(r, d, found[0])
		}
	}
	r.key, err = r.input.derivedKey(s.secrets.First(), product)
	return err
}

// maySettle judges a rotation whose alias is there: made before, or begun and
// still to be made. After a day nobody can tell which, where the key is not
// listed: it may have ended since.
func (s *Service) maySettle(r *rotation, d draft[license.License], found *storage.Stored) error {
	alias, err := decode[aliasBody](found)
	if err != nil {
		return err
	}
	same, err := s.sameInput(alias.Input, rotateOperation, r.input)
	if err != nil {
		return err
	}
	if err := compare(alias.Actor == d.by.Actor, same, d.ID); err != nil {
		return err
	}
	switch {
	case d.entity.Lists(r.key.lookup[:]):
		return errRotated
	case !d.at.Before(found.Index.Created.Add(rememberFor)):
		return fault.Clash(fault.State, d.ID, "this idempotency key was used for a rotation over a day ago; look at the license, and use another")
	}
	return nil
}

// rotatedBefore answers a call that was made before: with the license as it is
// now, and the key that the call made while that works.
func (s *Service) rotatedBefore(ctx context.Context, in RotateLicenseKeyInput) (*RotateLicenseKeyPayload, error) {
	who, err := s.authorize(ctx, authz.LicenseRotateKey)
	if err != nil {
		return nil, err
	}
	var payload *RotateLicenseKeyPayload
	err = retry(ctx, func() error {
		stored, err := s.read(ctx, who, storage.License, in.License)
		if err != nil {
			return err
		}
		view, err := s.viewOf(ctx, stored)
		if err != nil {
			return err
		}
		text, made, err := s.madeByRotation(ctx, in, view)
		if err != nil {
			return err
		}
		if err := s.mayShowLater(ctx, view.License, made, view.At); err != nil {
			return err
		}
		payload = &RotateLicenseKeyPayload{License: view, Key: text}
		return s.note(ctx, stored, view.License, commitment{by: who.Actor, at: view.At, events: []event{{Type: journal.LicenseKeyRevealed}}})
	})
	if err != nil {
		return nil, err
	}
	return payload, nil
}

// madeByRotation gives the key that a rotation made under its idempotency key,
// and when. Errors: Conflict State where the key works no longer.
func (s *Service) madeByRotation(ctx context.Context, in RotateLicenseKeyInput, v *LicenseView) (string, time.Time, error) {
	for _, under := range s.secrets.All() {
		k, err := in.derivedKey(under, v.Product)
		if err != nil {
			return "", time.Time{}, err
		}
		if !v.License.HasKey(k.lookup[:], v.At) {
			continue
		}
		alias, err := storage.One(ctx, s.store, storage.Alias, k.id())
		if err != nil {
			return "", time.Time{}, err
		}
		return k.text, alias.Index.Created, nil
	}
	return "", time.Time{}, endedSince(v.License)
}

// endedSince refuses to show again a key that works no longer.
func endedSince(l *license.License) error {
	return fault.Clash(fault.State, l.ID, "the key that this call made works no longer: the license's key was rotated since")
}
