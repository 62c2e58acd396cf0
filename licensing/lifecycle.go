package licensing

import (
	"context"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
)

// SuspendLicenseInput is the input of suspendLicense.
type SuspendLicenseInput struct {
	License        string
	Reason         *string
	Revision       *int
	IdempotencyKey *string
}

// SuspendLicensePayload is the result of suspendLicense.
type SuspendLicensePayload struct {
	License *LicenseView
}

// SuspendLicense makes a license invalid until it is reinstated.
func (s *Service) SuspendLicense(ctx context.Context, in SuspendLicenseInput) (*SuspendLicensePayload, error) {
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseSuspend, operation: "suspendLicense", id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], _ *LicenseView) (journal.Type, error) {
		return journal.LicenseSuspended, d.entity.Suspend(text(in.Reason), d.at)
	})
	if err != nil {
		return nil, err
	}
	return &SuspendLicensePayload{License: view}, nil
}

// ReinstateLicenseInput is the input of reinstateLicense.
type ReinstateLicenseInput struct {
	License        string
	Reason         *string
	Revision       *int
	IdempotencyKey *string
}

// ReinstateLicensePayload is the result of reinstateLicense.
type ReinstateLicensePayload struct {
	License *LicenseView
}

// ReinstateLicense ends a suspension, and for callers with license:revoke a
// revocation.
func (s *Service) ReinstateLicense(ctx context.Context, in ReinstateLicenseInput) (*ReinstateLicensePayload, error) {
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseSuspend, operation: "reinstateLicense", id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], _ *LicenseView) (journal.Type, error) {
		if d.entity.State == license.Revoked {
			if err := s.alsoNeeds(ctx, authz.LicenseRevoke, d.entity.ProductID); err != nil {
				return "", err
			}
		}
		return journal.LicenseReinstated, d.entity.Reinstate(text(in.Reason), d.at)
	})
	if err != nil {
		return nil, err
	}
	return &ReinstateLicensePayload{License: view}, nil
}

// RevokeLicenseInput is the input of revokeLicense.
type RevokeLicenseInput struct {
	License        string
	Reason         *string
	Revision       *int
	IdempotencyKey *string
}

// RevokeLicensePayload is the result of revokeLicense.
type RevokeLicensePayload struct {
	License *LicenseView
}

// RevokeLicense makes a license invalid for good.
func (s *Service) RevokeLicense(ctx context.Context, in RevokeLicenseInput) (*RevokeLicensePayload, error) {
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseRevoke, operation: "revokeLicense", id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], _ *LicenseView) (journal.Type, error) {
		return journal.LicenseRevoked, d.entity.Revoke(text(in.Reason), d.at)
	})
	if err != nil {
		return nil, err
	}
	return &RevokeLicensePayload{License: view}, nil
}

// changeLicense reads all of the answer before it commits: what is committed
// is not to end in an error. change is given it, for plan and product, and
// sees to what else of it becomes another. When the license is due follows.
func (s *Service) changeLicense(ctx context.Context, e edit, change func(draft[license.License], *LicenseView) (journal.Type, error)) (*LicenseView, error) {
	var view *LicenseView
	changed, err := apply(ctx, s, licenses, e, func(d draft[license.License]) (what journal.Type, err error) {
		if view, err = s.view(ctx, d.entity); err != nil {
			return "", err
		}
		what, err = change(d, view)
		s.schedule(d.entity, view.Plan.Plan, d.at)
		return what, err
	})
	switch {
	case err != nil:
		return nil, err
	case view == nil || view.License != changed: // done before
		return s.view(ctx, changed)
	}
	view.At = s.now()
	return view, nil
}

// alsoNeeds judges a second permission that an operation needs of its record.
func (s *Service) alsoNeeds(ctx context.Context, action authz.Action, productID string) error {
	who, err := s.judge(ctx, action)
	if err == nil && who.sees(productID) {
		return nil
	}
	return s.refuse(ctx, action, productID)
}
