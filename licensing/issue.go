package licensing

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
)

// CustomerInput says who holds a license.
type CustomerInput struct {
	Email      *string
	Name       *string
	ExternalID *string
}

// LimitInput is a limit of a license's own: exactly one of the two.
type LimitInput struct {
	Max       *int
	Unlimited *bool
}

// IssueLicenseInput is the input of issueLicense.
type IssueLicenseInput struct {
	Plan           string
	ExternalID     *string
	Customer       *CustomerInput
	StartsAt       *time.Time
	ExpiresAt      *time.Time
	NeverExpires   bool
	MaxMachines    *LimitInput
	MaxDomains     *LimitInput
	Grace          *license.Duration
	Entitlements   []EntitlementInput
	AllowedDomains []string
	Domains        []string
	Key            *string
	Metadata       license.Metadata
	IdempotencyKey *string
}

// IssueLicensePayload is the result of issueLicense.
type IssueLicensePayload struct {
	License *LicenseView
	Key     string
}

// issueOperation is also what idempotency keys of batches are derived under.
const issueOperation = "issueLicense"

// IssueLicense makes a license and shows its key. Under an idempotency key
// the license's key is derived from it, so a retry makes the same license,
// finds the first call's, and shows its key again.
func (s *Service) IssueLicense(ctx context.Context, in IssueLicenseInput) (*IssueLicensePayload, error) {
	who, err := s.authorize(ctx, authz.LicenseIssue)
	if err != nil {
		return nil, err
	}
	key, err := checkIdempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	in.Plan = planID(in.Plan)
	plan, err := s.readPlan(ctx, who, in.Plan)
	if err != nil {
		return nil, err
	}
	return s.issue(ctx, issue{caller: who, input: in, plan: plan, making: making{key: key}})
}

// issue is a license that is about to be made.
type issue struct {
	caller
	input  IssueLicenseInput // with the plan's id
	plan   *PlanView
	making making
}

func (s *Service) issue(ctx context.Context, i issue) (*IssueLicensePayload, error) {
	if i.input.Key != nil {
		return s.importKey(ctx, i)
	}
	return s.generateKey(ctx, i)
}

// generateKey issues under a key of our own making.
func (s *Service) generateKey(ctx context.Context, i issue) (*IssueLicensePayload, error) {
	if i.making.key == "" {
		k, err := s.randomKey(i.plan.Product.KeyPrefix)
		if err != nil {
			return nil, err
		}
		return s.insert(ctx, i, k)
	}
	older := s.secrets.All()[1:]
	if payload, err := s.issuedBefore(ctx, i, older, i.derivedKey); payload != nil || err != nil {
		return payload, err
	}
	k, err := i.derivedKey(s.secrets.First())
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, i, k)
}

// importKey issues under a key that the vendor brings along.
func (s *Service) importKey(ctx context.Context, i issue) (*IssueLicensePayload, error) {
	reading, err := s.ReadKey(ctx, *i.input.Key)
	if err != nil {
		return nil, err
	}
	imported := func(under *secret.Secret) (issuedKey, error) { return i.importedKey(under, reading) }
	k, err := imported(s.secrets.First())
	if err != nil {
		return nil, err
	}
	// Under the first secret too: else a key that is taken would use up the
	// idempotency key.
	if payload, err := s.issuedBefore(ctx, i, s.secrets.All(), imported); payload != nil || err != nil {
		return payload, err
	}
	return s.insert(ctx, i, k)
}

// insert makes the license under its key; where the key's id is taken, the
// call is a repetition.
func (s *Service) insert(ctx context.Context, i issue, k issuedKey) (*IssueLicensePayload, error) {
	now := s.now()
	l, err := i.license(now)
	if err == nil {
		l.ID, l.SecretID = k.id(), s.secrets.First().ID()
		err = s.seatDomains(l, i, now)
	}
	if err != nil {
		return s.refused(ctx, i, k, err)
	}
	if i.input.Key != nil && i.making.key != "" {
		if err := s.claimKey(ctx, i.caller, i.plan.ProductID, k.id(), i.derivedID); err != nil {
			return nil, err
		}
	}
	kept, err := s.kept(k, l.ID)
	if err != nil {
		return nil, err
	}
	l.Keys = []license.Key{kept}
	if l.InputDigest, err = s.madeBy(i.making, issueOperation, i.input); err != nil {
		return nil, err
	}
	err = s.commitIssued(ctx, i, l, now)
	if errors.Is(err, errLostRace) {
		return s.again(ctx, i, k)
	}
	if err != nil {
		return nil, err
	}
	return &IssueLicensePayload{License: i.view(l, now), Key: k.text}, nil
}

// commitIssued commits a new license with the seats that it has from the
// start.
func (s *Service) commitIssued(ctx context.Context, i issue, l *license.License, now time.Time) error {
	s.schedule(l, i.plan.Plan, now)
	record, err := encodeLicense(l)
	if err != nil {
		return err
	}
	var seats seatChanges
	seats.happened(event{Type: journal.LicenseCreated, after: licenseFacts(l)})
	for _, seat := range l.Seats {
		seats.put(seat, event{Type: journal.ActivationCreated, after: seatFacts(&seat)})
	}
	put, _, err := seats.settled()
	if err != nil {
		return err
	}
	return s.commit(ctx, commitment{by: i.Actor, at: now, record: record, events: seats.events, put: put})
}

// seatDomains gives the domains that the license is issued with their seats.
func (s *Service) seatDomains(l *license.License, i issue, now time.Time) error {
	return l.SeatDomains(i.plan.Plan, i.input.Domains, func(domain license.Subject) string {
		return s.activationID(l, domain)
	}, now)
}

// license is what the domain makes of the input.
func (i issue) license(now time.Time) (*license.License, error) {
	in := i.input
	overrides, badLimits := in.overrides()
	l, err := license.Issue(i.plan.Product, i.plan.Plan, license.IssueSpec{
		ExternalID: text(in.ExternalID), Customer: in.Customer.customer(),
		StartsAt: in.StartsAt, ExpiresAt: in.ExpiresAt, NeverExpires: in.NeverExpires,
		Overrides: overrides, AllowedDomains: in.AllowedDomains, Metadata: in.Metadata,
	}, now)
	if err := errors.Join(badLimits, err); err != nil {
		return nil, err
	}
	l.CreatedBy = i.Actor
	return l, nil
}

func (i issue) view(l *license.License, at time.Time) *LicenseView {
	return &LicenseView{License: l, Plan: i.plan, Product: i.plan.Product, At: at}
}

func (in IssueLicenseInput) overrides() (license.Overrides, error) {
	machines, badMachines := in.MaxMachines.limit("maxMachines")
	domains, badDomains := in.MaxDomains.limit("maxDomains")
	return license.Overrides{
		MaxMachines: machines, MaxDomains: domains, Grace: in.Grace, Entitlements: in.Entitlements,
	}, errors.Join(badMachines, badDomains)
}

// limit gives the limit of a license's own, nil where none was given.
func (in *LimitInput) limit(field string) (*license.Limit, error) {
	if in == nil {
		return nil, nil
	}
	unlimited := in.Unlimited != nil && *in.Unlimited
	if unlimited == (in.Max != nil) {
		return nil, fault.Invalid(field, "%s takes exactly one of max and unlimited: true", field)
	}
	return &license.Limit{Max: in.Max}, nil
}

func (in *CustomerInput) customer() license.Customer {
	if in == nil {
		return license.Customer{}
	}
	return license.Customer{Email: text(in.Email), Name: text(in.Name), ExternalID: text(in.ExternalID)}
}

func text(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}
