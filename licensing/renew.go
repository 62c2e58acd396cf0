package licensing

import (
	"context"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
)

// RenewLicenseInput is the input of renewLicense.
type RenewLicenseInput struct {
	License        string
	Until          *time.Time
	Revision       *int
	IdempotencyKey *string
}

// RenewLicensePayload is the result of renewLicense.
type RenewLicensePayload struct {
	License *LicenseView
}

// RenewLicense moves the end of a license further out: by its plan's duration,
// or until a time. It takes no input whose retry would renew once more.
func (s *Service) RenewLicense(ctx context.Context, in RenewLicenseInput) (*RenewLicensePayload, error) {
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseRenew, operation: "renewLicense", id: in.License, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], v *LicenseView) (journal.Type, error) {
		if in.Until == nil && in.Revision == nil && in.IdempotencyKey == nil {
			return "", fault.Invalid("until", "give one of until, revision and idempotencyKey, so that a retry does not renew twice")
		}
		end := d.entity.ExpiresAt
		if err := d.entity.Renew(v.Plan.Plan, in.Until, d.at); err != nil {
			return "", err
		}
		if d.entity.ExpiresAt.Equal(end) {
			return "", errUnchanged
		}
		return journal.LicenseRenewed, nil
	})
	if err != nil {
		return nil, err
	}
	return &RenewLicensePayload{License: view}, nil
}
