package licensing

import (
	"context"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/license"
)

// LicenseView is a license as staff see it: with its plan and product, all at
// one time, so that one answer has one clock.
type LicenseView struct {
	License *license.License
	Plan    *PlanView
	Product *license.Product
	At      time.Time
}

// ID is the license's id.
func (v *LicenseView) ID() string { return v.License.ID }

// ExternalID is the vendor's own name for the license.
func (v *LicenseView) ExternalID() *string { return orNull(v.License.ExternalID) }

// KeyHint is the last five characters of the current key.
func (v *LicenseView) KeyHint() string { return v.License.CurrentKey().Hint }

// Status is the license's status at the view's time.
func (v *LicenseView) Status() license.Status { return v.License.StatusAt(v.At) }

// StatusReason says why the license is suspended or revoked.
func (v *LicenseView) StatusReason() *string {
	if v.License.State == license.Issued {
		return nil
	}
	return orNull(v.License.Reason)
}

// Customer is who holds the license, nil where nothing is known.
func (v *LicenseView) Customer() *CustomerView {
	if v.License.Customer == (license.Customer{}) {
		return nil
	}
	return &CustomerView{v.License.Customer}
}

// StartsAt is when the license begins, nil where that was its creation.
func (v *LicenseView) StartsAt() *time.Time { return timeOrNull(v.License.StartsAt) }

// ExpiresAt is when the license ends; nil is never, or not before its first
// activation.
func (v *LicenseView) ExpiresAt() *time.Time { return timeOrNull(v.License.ExpiresAt) }

// GraceUntil is how long the license validates beyond its end.
func (v *LicenseView) GraceUntil() *time.Time {
	return timeOrNull(v.License.GraceUntil(v.Plan.Plan))
}

// MaxMachines is the effective limit; nil is none.
func (v *LicenseView) MaxMachines() *int { return v.terms().MaxMachines }

// MaxDomains is the effective limit; nil is none.
func (v *LicenseView) MaxDomains() *int { return v.terms().MaxDomains }

// Entitlements are the effective ones.
func (v *LicenseView) Entitlements() []license.Entitlement { return v.terms().Entitlements }

// Overrides are what the license has of its own.
func (v *LicenseView) Overrides() license.Overrides { return v.License.Overrides }

// AllowedDomains are the only domains that may hold a seat; nil is any.
func (v *LicenseView) AllowedDomains() []string { return v.License.AllowedDomains }

// MachineCount counts the machines that hold a seat.
func (v *LicenseView) MachineCount() int { return v.count(license.Machine) }

// DomainCount counts the domains that hold a seat.
func (v *LicenseView) DomainCount() int { return v.count(license.Domain) }

// ActivatedAt is when the license was first used.
func (v *LicenseView) ActivatedAt() *time.Time { return timeOrNull(v.License.ActivatedAt) }

// LastValidatedAt is when the license was last used.
func (v *LicenseView) LastValidatedAt() *time.Time { return timeOrNull(v.License.LastValidatedAt) }

// ValidationCount counts the license's uses.
func (v *LicenseView) ValidationCount() int64 { return v.License.ValidationCount }

// Metadata is the vendor's own.
func (v *LicenseView) Metadata() license.Metadata { return license.OrEmpty(v.License.Metadata) }

// Revision counts the changes that staff made.
func (v *LicenseView) Revision() int { return v.License.Revision }

// CreatedBy is who issued the license.
func (v *LicenseView) CreatedBy() *actor.Actor { return &v.License.CreatedBy }

// CreatedAt is when the license was issued.
func (v *LicenseView) CreatedAt() time.Time { return v.License.CreatedAt }

// UpdatedAt is when the license was last changed: by staff, or by its first
// use.
func (v *LicenseView) UpdatedAt() time.Time { return v.License.UpdatedAt }

func (v *LicenseView) terms() license.Terms { return v.License.Terms(v.Plan.Plan) }

func (v *LicenseView) count(kind license.SeatKind) int {
	return v.License.Count(kind, v.Plan.Plan, v.At)
}

// CustomerView is a customer as staff see it.
type CustomerView struct{ customer license.Customer }

// Email is the customer's address.
func (c *CustomerView) Email() *string { return orNull(c.customer.Email) }

// Name is the customer's name.
func (c *CustomerView) Name() *string { return orNull(c.customer.Name) }

// ExternalID is the customer's id in the vendor's own system.
func (c *CustomerView) ExternalID() *string { return orNull(c.customer.ExternalID) }

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// views adds plan and product to licenses, each read once.
func (s *Service) views(ctx context.Context, at time.Time, all ...*license.License) ([]*LicenseView, error) {
	var ids []string
	place := map[string]int{}
	want := func(id string) {
		if _, known := place[id]; !known {
			place[id] = len(ids)
			ids = append(ids, id)
		}
	}
	for _, l := range all {
		want(l.PlanID)
		want(l.ProductID)
	}
	found, err := s.store.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	views := make([]*LicenseView, 0, len(all))
	for _, l := range all {
		product, err := decodeFound(found[place[l.ProductID]], l.ProductID, decodeProduct)
		if err != nil {
			return nil, err
		}
		plan, err := decodeFound(found[place[l.PlanID]], l.PlanID, decodePlan)
		if err != nil {
			return nil, err
		}
		views = append(views, &LicenseView{
			License: l, Plan: &PlanView{Plan: plan, Product: product}, Product: product, At: at,
		})
	}
	return views, nil
}
