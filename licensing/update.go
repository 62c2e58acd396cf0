package licensing

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
)

// UpdateLicenseInput is the input of updateLicense; nil leaves a field as it
// is, and Clear empties it.
type UpdateLicenseInput struct {
	License        string
	Plan           *string
	ExternalID     *string
	Customer       *CustomerInput
	StartsAt       *time.Time
	ExpiresAt      *time.Time
	MaxMachines    *LimitInput
	MaxDomains     *LimitInput
	Grace          *license.Duration
	Entitlements   []EntitlementInput
	AllowedDomains []string
	Metadata       license.Metadata
	Clear          []license.ClearField
	Revision       *int
	IdempotencyKey *string
}

// UpdateLicensePayload is the result of updateLicense.
type UpdateLicensePayload struct {
	License *LicenseView
}

// UpdateLicense changes what a license says, and for callers who may also
// renew or issue licenses its terms.
func (s *Service) UpdateLicense(ctx context.Context, in UpdateLicenseInput) (*UpdateLicensePayload, error) {
	if in.Plan != nil {
		in.Plan = new(planID(*in.Plan))
	}
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseUpdate, operation: "updateLicense", id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], v *LicenseView) (journal.Type, error) {
		for _, action := range in.alsoNeeds() {
			if err := s.alsoNeeds(ctx, action, d.entity.ProductID); err != nil {
				return "", err
			}
		}
		u, badLimits := in.update()
		if in.Plan != nil {
			to, err := s.readPlan(ctx, d.by, *in.Plan)
			if err != nil {
				return "", err
			}
			u.Plan, v.Plan = to.Plan, to
		}
		if err := errors.Join(badLimits, d.entity.Update(v.Plan.Plan, u, d.at)); err != nil {
			return "", err
		}
		return journal.LicenseUpdated, nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateLicensePayload{License: view}, nil
}

// alsoNeeds gives the permissions that the input needs beside license:update,
// by the fields that it sets or clears.
func (in UpdateLicenseInput) alsoNeeds() (actions []authz.Action) {
	clears := func(fields ...license.ClearField) bool {
		return slices.ContainsFunc(in.Clear, func(f license.ClearField) bool { return slices.Contains(fields, f) })
	}
	if in.StartsAt != nil || in.ExpiresAt != nil || clears(license.ClearStartsAt, license.ClearExpiresAt) {
		actions = append(actions, authz.LicenseRenew)
	}
	if in.Plan != nil || in.MaxMachines != nil || in.MaxDomains != nil || in.Grace != nil || in.Entitlements != nil ||
		clears(license.ClearMaxMachines, license.ClearMaxDomains, license.ClearGrace, license.ClearEntitlements) {
		actions = append(actions, authz.LicenseIssue)
	}
	return actions
}

// update is the input as the domain takes it, save for the plan.
func (in UpdateLicenseInput) update() (license.Update, error) {
	machines, badMachines := in.MaxMachines.limit("maxMachines")
	domains, badDomains := in.MaxDomains.limit("maxDomains")
	u := license.Update{
		ExternalID: in.ExternalID, StartsAt: in.StartsAt, ExpiresAt: in.ExpiresAt,
		MaxMachines: machines, MaxDomains: domains, Grace: in.Grace, Entitlements: in.Entitlements,
		AllowedDomains: in.AllowedDomains, Metadata: in.Metadata, Clear: in.Clear,
	}
	if in.Customer != nil {
		u.Customer = new(in.Customer.customer())
	}
	return u, errors.Join(badMachines, badDomains)
}
