package licensing

import (
	"context"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// What stands here answers calls of issueLicense that were made before.

// keyRevealedFree is how long a retry may show its key to a caller without
// license:reveal-key.
const keyRevealedFree = 24 * time.Hour

// issuedBefore looks for a license that was issued under one of the secrets,
// and gives nothing where there is none.
func (s *Service) issuedBefore(ctx context.Context, i issue, secrets []*secret.Secret, under func(*secret.Secret) (issuedKey, error)) (*IssueLicensePayload, error) {
	for _, one := range secrets {
		k, err := under(one)
		if err != nil {
			return nil, err
		}
		found, err := s.store.Get(ctx, k.id())
		if err != nil {
			return nil, err
		}
		if found[0] != nil {
			return s.again(ctx, i, k)
		}
	}
	return nil, nil
}

// refused answers a call whose license would not be made now: with why, unless
// the call repeats one that made it. A retry finds that whatever became of the
// plan since.
func (s *Service) refused(ctx context.Context, i issue, k issuedKey, why error) (*IssueLicensePayload, error) {
	if i.making.key == "" {
		return nil, why
	}
	found, err := s.store.Get(ctx, k.id())
	if err != nil {
		return nil, err
	}
	if found[0] == nil {
		return nil, why
	}
	return s.again(ctx, i, k)
}

// again answers a call whose license is there already: with the license as it
// is now and its key, if this is the same call under the same idempotency
// key. Showing the key is noted in the journal.
func (s *Service) again(ctx context.Context, i issue, k issuedKey) (*IssueLicensePayload, error) {
	var payload *IssueLicensePayload
	err := retry(ctx, func() error {
		found, err := s.store.Get(ctx, k.id())
		if err != nil {
			return err
		}
		stored := found[0]
		if stored == nil || stored.Kind != storage.License {
			return s.takenBy(stored, i)
		}
		l, err := decodeLicense(stored)
		if err != nil {
			return err
		}
		now := s.now()
		if err := s.mayShowAgain(ctx, i, l, now); err != nil {
			return err
		}
		if !l.HasKey(k.lookup[:], now) {
			return endedSince(l)
		}
		if payload, err = s.issued(ctx, l, k, now); err != nil {
			return err
		}
		return s.note(ctx, stored, l, commitment{by: i.Actor, at: now, events: []event{{Type: journal.LicenseKeyRevealed}}})
	})
	if err != nil {
		return nil, err
	}
	return payload, nil
}

// mayShowAgain judges whether a call repeats the one that issued l, and
// whether its caller may still be shown the key for that.
func (s *Service) mayShowAgain(ctx context.Context, i issue, l *license.License, now time.Time) error {
	id := l.ID
	if !i.sees(l.ProductID) {
		id = "" // of another product: taken, and no more is told
	}
	if err := s.madeAgain(i.caller, l.CreatedBy, l.InputDigest, i.making, issueOperation, i.input, id); err != nil {
		return err
	}
	return s.mayShowLater(ctx, l, l.CreatedAt, now)
}

// mayShowLater judges whether a key that was made at a time may be shown now
// by a retry.
func (s *Service) mayShowLater(ctx context.Context, l *license.License, made, now time.Time) error {
	if now.Before(made.Add(keyRevealedFree)) {
		return nil
	}
	return s.alsoNeeds(ctx, authz.LicenseRevealKey, l.ProductID)
}

// takenBy says what else stands where a license would be made.
func (s *Service) takenBy(stored *storage.Stored, i issue) error {
	if stored == nil {
		return errLostRace
	}
	if stored.Kind == storage.Alias {
		alias, err := decode[aliasBody](stored)
		if err != nil {
			return err
		}
		if alias.Key {
			id := ""
			if i.sees(stored.Index.Product) {
				id = alias.Target
			}
			return fault.Clash(fault.Taken, id, "this exists already")
		}
	}
	return leadsTo(stored, i.caller, "")
}

// issued is the answer for a license as it is now.
func (s *Service) issued(ctx context.Context, l *license.License, k issuedKey, at time.Time) (*IssueLicensePayload, error) {
	views, err := s.views(ctx, at, l)
	if err != nil {
		return nil, err
	}
	return &IssueLicensePayload{License: views[0], Key: k.text}, nil
}
