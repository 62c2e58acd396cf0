package resolvers

import (
	"context"

	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/validation"
)

type mutation root

var _ graph.MutationResolver = mutation{}

func (m mutation) CreateProduct(ctx context.Context, in licensing.CreateProductInput) (*licensing.CreateProductPayload, error) {
	return m.Licensing.CreateProduct(ctx, in)
}

func (m mutation) UpdateProduct(ctx context.Context, in licensing.UpdateProductInput) (*licensing.UpdateProductPayload, error) {
	return m.Licensing.UpdateProduct(ctx, in)
}

func (m mutation) CreatePlan(ctx context.Context, in licensing.CreatePlanInput) (*licensing.CreatePlanPayload, error) {
	return m.Licensing.CreatePlan(ctx, in)
}

func (m mutation) UpdatePlan(ctx context.Context, in licensing.UpdatePlanInput) (*licensing.UpdatePlanPayload, error) {
	return m.Licensing.UpdatePlan(ctx, in)
}

func (m mutation) IssueLicense(ctx context.Context, in licensing.IssueLicenseInput) (*licensing.IssueLicensePayload, error) {
	return m.Licensing.IssueLicense(ctx, in)
}

func (m mutation) IssueLicenses(ctx context.Context, in licensing.IssueLicensesInput) (*licensing.IssueLicensesPayload, error) {
	return m.Licensing.IssueLicenses(ctx, in)
}

func (m mutation) UpdateLicense(ctx context.Context, in licensing.UpdateLicenseInput) (*licensing.UpdateLicensePayload, error) {
	return m.Licensing.UpdateLicense(ctx, in)
}

func (m mutation) RenewLicense(ctx context.Context, in licensing.RenewLicenseInput) (*licensing.RenewLicensePayload, error) {
	return m.Licensing.RenewLicense(ctx, in)
}

func (m mutation) SuspendLicense(ctx context.Context, in licensing.SuspendLicenseInput) (*licensing.SuspendLicensePayload, error) {
	return m.Licensing.SuspendLicense(ctx, in)
}

func (m mutation) ReinstateLicense(ctx context.Context, in licensing.ReinstateLicenseInput) (*licensing.ReinstateLicensePayload, error) {
	return m.Licensing.ReinstateLicense(ctx, in)
}

func (m mutation) RevokeLicense(ctx context.Context, in licensing.RevokeLicenseInput) (*licensing.RevokeLicensePayload, error) {
	return m.Licensing.RevokeLicense(ctx, in)
}

func (m mutation) RotateLicenseKey(ctx context.Context, in licensing.RotateLicenseKeyInput) (*licensing.RotateLicenseKeyPayload, error) {
	return m.Licensing.RotateLicenseKey(ctx, in)
}

func (m mutation) RevealLicenseKey(ctx context.Context, in licensing.RevealLicenseKeyInput) (*licensing.RevealLicenseKeyPayload, error) {
	return m.Licensing.RevealLicenseKey(ctx, in)
}

func (m mutation) RemoveActivation(ctx context.Context, in licensing.RemoveActivationInput) (*licensing.RemoveActivationPayload, error) {
	return m.Licensing.RemoveActivation(ctx, in)
}

func (m mutation) EraseCustomer(ctx context.Context, in licensing.EraseCustomerInput) (*licensing.EraseCustomerPayload, error) {
	return m.Licensing.EraseCustomer(ctx, in)
}

func (m mutation) Activate(ctx context.Context, in validation.ActivateInput) (*validation.ActivatePayload, error) {
	return m.Validation.Activate(ctx, in)
}

func (m mutation) Deactivate(ctx context.Context, in validation.DeactivateInput) (*validation.DeactivatePayload, error) {
	return m.Validation.Deactivate(ctx, in)
}

func (m mutation) Heartbeat(ctx context.Context, in validation.HeartbeatInput) (*validation.HeartbeatPayload, error) {
	return m.Validation.Heartbeat(ctx, in)
}
