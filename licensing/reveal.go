package licensing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/storage"
)

// RevealLicenseKeyInput is the input of revealLicenseKey.
type RevealLicenseKeyInput struct {
	License string
	Reason  string
}

// RevealLicenseKeyPayload is the result of revealLicenseKey.
type RevealLicenseKeyPayload struct {
	Key string
}

// RevealLicenseKey shows the current key of a license again; that it did is
// in the journal before the key is shown. Errors: Conflict State where no
// copy was kept.
func (s *Service) RevealLicenseKey(ctx context.Context, in RevealLicenseKeyInput) (*RevealLicenseKeyPayload, error) {
	who, err := s.authorize(ctx, authz.LicenseRevealKey)
	if err != nil {
		return nil, err
	}
	if err := license.CheckReason("reason", in.Reason); err != nil {
		return nil, err
	}
	if in.Reason == "" {
		return nil, fault.Invalid("reason", "say why the key is to be shown")
	}
	var plain string
	err = retry(ctx, func() error {
		stored, err := s.read(ctx, who, storage.License, in.License)
		if err != nil {
			return err
		}
		l, err := decodeLicense(stored)
		if err != nil {
			return err
		}
		if plain, err = s.openKey(l); err != nil {
			return err
		}
		l.RevealReason = in.Reason
		return s.note(ctx, stored, l, commitment{
			by: who.Actor, at: s.now(), events: []event{{Type: journal.LicenseKeyRevealed, after: revealFacts(l)}},
		})
	})
	if err != nil {
		return nil, err
	}
	return &RevealLicenseKeyPayload{Key: plain}, nil
}

func revealFacts(l *license.License) facts {
	f := facts{}
	f.hidden("revealReason", l.RevealReason)
	return f
}

// openKey opens the sealed copy of a license's current key. A copy that
// belongs to another key does not open, and one whose text has another lookup
// than the license lists is refused: whoever writes to the database cannot
// have a key of another license shown.
func (s *Service) openKey(l *license.License) (string, error) {
	current := l.CurrentKey()
	if len(current.Sealed) == 0 {
		return "", fault.Clash(fault.State, l.ID, "no copy of this license's key was kept; only its holder knows it")
	}
	plain, err := s.secrets.Open(keyPurpose, l.ID, current.Lookup, current.Sealed)
	if err != nil {
		return "", fmt.Errorf("licensing: the sealed key of %s: %w", l.ID, err)
	}
	text := string(plain)
	reading := key.Reading{Kind: key.Imported, Text: text}
	if !current.Imported {
		reading = key.Read(text, nil)
	}
	listed := slices.ContainsFunc(Lookups(s.secrets, reading), func(lookup [32]byte) bool {
		return bytes.Equal(lookup[:], current.Lookup)
	})
	if !listed {
		return "", errors.New("licensing: the sealed key of " + l.ID + " is not the one that it lists")
	}
	return text, nil
}
