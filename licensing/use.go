package licensing

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// What stands here serves the holders of keys, for whom the key is the
// credential: validation has read it before it calls, so nothing is
// authorized.

// ByLookup gives the license that a key's lookup leads to, with its plan and
// product. That the license still lists the key is for the caller to ask.
// Errors: NotFound.
func (s *Service) ByLookup(ctx context.Context, lookup [32]byte) (*LicenseView, error) {
	stored, err := s.ledTo(ctx, license.LicenseID(lookup[:]))
	if err != nil {
		return nil, err
	}
	return s.viewOf(ctx, stored)
}

// ledTo gives the license that the id which a key makes leads to: its own, or
// an alias's target. Errors: NotFound.
func (s *Service) ledTo(ctx context.Context, id string) (*storage.Stored, error) {
	found, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if found[0] != nil && found[0].Kind == storage.Alias {
		alias, err := decode[aliasBody](found[0])
		if err != nil {
			return nil, err
		}
		if found, err = s.store.Get(ctx, alias.Target); err != nil {
			return nil, err
		}
	}
	if found[0] == nil || found[0].Kind != storage.License {
		return nil, fault.Errorf(fault.NotFound, "license not found")
	}
	return found[0], nil
}

// holder is whoever holds the key of a license.
func holder(l *license.License) actor.Actor {
	return actor.Actor{Kind: actor.LicenseHolder, ID: l.ID}
}

// under gives the secret that a license keeps to for what is made of its
// seats' subjects.
func (s *Service) under(l *license.License) *secret.Secret {
	if made := s.secrets.ByID(l.SecretID); made != nil {
		return made
	}
	return s.secrets.First()
}

// NoteFirstUse notes that a license was used for the first time, at a time,
// and gives the license as it is then. Where its duration waits for that, it
// begins. Another server may have noted an earlier use; that one stands.
func (s *Service) NoteFirstUse(ctx context.Context, id string, at time.Time) (*license.License, error) {
	var l *license.License
	err := retry(ctx, func() error {
		stored, err := storage.One(ctx, s.store, storage.License, id)
		if err != nil {
			return err
		}
		if l, err = decodeLicense(stored); err != nil {
			return err
		}
		found, err := s.store.Get(ctx, l.PlanID)
		if err != nil {
			return err
		}
		plan, err := decodeFound(found[0], l.PlanID, decodePlan)
		if err != nil {
			return err
		}
		before := licenseFacts(l)
		if !l.MarkActivated(plan, at) {
			return nil
		}
		s.schedule(l, plan, at)
		return s.note(ctx, stored, l, commitment{
			by: holder(l), at: at,
			events: []event{{Type: journal.LicenseActivated, before: before, after: licenseFacts(l)}},
		})
	})
	return l, err
}

// SubjectHash is how usage names a subject of a license: it confirms one to
// whoever has the secrets and tells nothing to anybody else. A license keeps
// to the secret it was made under.
func (s *Service) SubjectHash(l *license.License, subject license.Subject) string {
	sum := s.under(l).Digest("subject", l.ID, string(subject.Kind), subject.Identity())
	return hex.EncodeToString(sum[:16])
}
