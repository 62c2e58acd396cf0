package license

import (
	"fmt"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
)

// IssueSpec is what staff say of a new license.
type IssueSpec struct {
	ExternalID     string
	Customer       Customer
	StartsAt       *time.Time
	ExpiresAt      *time.Time // instead of the plan's duration
	NeverExpires   bool       // whatever the plan's duration
	Overrides      Overrides
	AllowedDomains []string // in any spelling
	Metadata       Metadata
}

// Issue makes a license, which lacks what the caller sets: ID, Keys, SecretID
// and CreatedBy. Errors: InvalidInput for each bad field; Conflict State if
// product or plan is archived.
func Issue(product *Product, plan *Plan, spec IssueSpec, now time.Time) (*License, error) {
	switch {
	case product.Archived:
		return nil, clash("product %s is archived: restore it first", product.Code)
	case plan.Archived:
		return nil, clash("plan %s is archived: restore it first, or choose another", plan.Code)
	case plan.ProductID != product.ID:
		return nil, fault.Invalid("plan", "plan %s is not of product %s", plan.Code, product.Code)
	}
	now = stored(now)
	l := &License{
		ProductID: product.ID, PlanID: plan.ID, State: Issued,
		ExternalID: spec.ExternalID, Customer: spec.Customer,
		StartsAt: storedOrNone(spec.StartsAt), ExpiresAt: storedOrNone(spec.ExpiresAt),
		Overrides: spec.Overrides, AllowedDomains: NormalPatterns(spec.AllowedDomains), Metadata: spec.Metadata,
		Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
	l.Overrides.Entitlements = storedEntitlements(spec.Overrides.Entitlements)
	var bad problems
	switch {
	case spec.NeverExpires && spec.ExpiresAt != nil:
		bad.add("neverExpires", "give either neverExpires or expiresAt")
	case spec.NeverExpires || spec.ExpiresAt != nil || plan.Duration == nil:
	case plan.ExpiryBasis == FromFirstActivation:
		l.AwaitsActivation = true
	default:
		l.ExpiresAt = plan.Duration.AddTo(later(l.StartsAt, now))
	}
	// A time that is given and is the zero time would pass for none.
	bad.given("startsAt", spec.StartsAt)
	bad.given("expiresAt", spec.ExpiresAt)
	bad.take(l.Check())
	bad.take(l.checkSeats(plan))
	if err := bad.err(); err != nil {
		return nil, err
	}
	l.passOver(plan, now)
	return l, nil
}

// storedEntitlements gives entitlements with their times as they are stored.
func storedEntitlements(given []Entitlement) []Entitlement {
	granted := slices.Clone(given)
	for i := range granted {
		granted[i].ExpiresAt = stored(granted[i].ExpiresAt)
	}
	return granted
}

// SeatDomains gives each of the domains that a new license is issued with its
// seat; id makes the id of one. Errors: InvalidInput, by its place, for each
// domain that is no host name, stands there twice, is not allowed or finds no
// seat.
func (l *License) SeatDomains(plan *Plan, domains []string, id func(Subject) string, now time.Time) error {
	var bad problems
	if len(domains) > maxSeatedDomains {
		bad.add("domains", "a license is issued with at most %d domains; activate more of them", maxSeatedDomains)
		return bad.err()
	}
	for i, text := range domains {
		field := fmt.Sprintf("domains.%d", i)
		domain, err := ParseDomain(text)
		if err != nil {
			bad.add(field, "%s", err)
			continue
		}
		result, err := l.Activate(plan, domain, id(domain), "", "", now)
		switch {
		case err != nil:
			bad.add(field, "%s", err)
		case result.Seat != nil && !result.Created:
			bad.add(field, "this domain is there twice")
		}
	}
	return bad.err()
}
