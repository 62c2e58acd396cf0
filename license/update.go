package license

import (
	"errors"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
)

// ClearField names a field of a license that can be emptied.
type ClearField string

// The fields of a license that can be emptied. Limits, grace and entitlements
// go back to the plan's.
const (
	ClearExternalID     ClearField = "EXTERNAL_ID"
	ClearCustomer       ClearField = "CUSTOMER"
	ClearStartsAt       ClearField = "STARTS_AT"
	ClearExpiresAt      ClearField = "EXPIRES_AT"
	ClearMaxMachines    ClearField = "MAX_MACHINES"
	ClearMaxDomains     ClearField = "MAX_DOMAINS"
	ClearGrace          ClearField = "GRACE"
	ClearEntitlements   ClearField = "ENTITLEMENTS"
	ClearAllowedDomains ClearField = "ALLOWED_DOMAINS"
)

// ClearFields lists them.
func ClearFields() []ClearField {
	return []ClearField{
		ClearExternalID, ClearCustomer, ClearStartsAt, ClearExpiresAt, ClearMaxMachines,
		ClearMaxDomains, ClearGrace, ClearEntitlements, ClearAllowedDomains,
	}
}

// Update says what staff change of a license. What is nil stays as it is;
// whatever else is given is replaced whole, a customer too.
type Update struct {
	Plan           *Plan // to move to
	ExternalID     *string
	Customer       *Customer
	StartsAt       *time.Time
	ExpiresAt      *time.Time
	MaxMachines    *Limit
	MaxDomains     *Limit
	Grace          *Duration
	Entitlements   []Entitlement
	AllowedDomains []string // in any spelling; empty is none
	Metadata       Metadata
	Clear          []ClearField // to be emptied
}

// Update changes what a license says and its terms; plan is its plan until
// then. A move to another plan keeps its end and its seats, and new seats obey
// the new limits. An end that is set or cleared is final: a license that
// awaited its first activation no longer does, and its plan's duration no
// longer begins with that. A new start moves no end. Errors, changing nothing:
// InvalidInput for each bad field, on clear where a field is set as well, and
// on plan if that is of another product; Conflict State if it is archived.
func (l *License) Update(plan *Plan, u Update, now time.Time) error {
	if err := u.contradiction(); err != nil {
		return err
	}
	next := *l
	if u.Plan != nil {
		if err := next.moveTo(u.Plan); err != nil {
			return err
		}
		plan = u.Plan
	}
	u.sayOf(&next)
	u.termsOf(&next)
	var bad problems
	bad.given("startsAt", u.StartsAt)
	bad.given("expiresAt", u.ExpiresAt)
	bad.take(next.Check())
	if u.setsLimits() {
		bad.take(next.checkSeats(plan))
	}
	if err := bad.err(); err != nil {
		return u.blame(err)
	}
	next.UpdatedAt = stored(now)
	*l = next
	return nil
}

// moveTo changes the plan.
func (l *License) moveTo(to *Plan) error {
	switch {
	case to.ProductID != l.ProductID:
		return fault.Invalid("plan", "plan %s is of another product", to.Code)
	case to.ID != l.PlanID && to.Archived:
		return clash("plan %s is archived: restore it first, or choose another", to.Code)
	}
	l.PlanID = to.ID
	return nil
}

func (u Update) clears(f ClearField) bool { return slices.Contains(u.Clear, f) }

// sayOf changes what the license says of itself and of its holder.
func (u Update) sayOf(l *License) {
	l.ExternalID = chosen(l.ExternalID, u.ExternalID, u.clears(ClearExternalID))
	l.Customer = chosen(l.Customer, u.Customer, u.clears(ClearCustomer))
	switch {
	case u.clears(ClearAllowedDomains):
		l.AllowedDomains = nil
	case u.AllowedDomains != nil:
		l.AllowedDomains = NormalPatterns(u.AllowedDomains)
	}
	if u.Metadata != nil {
		l.Metadata = u.Metadata
	}
}

// termsOf changes the terms.
func (u Update) termsOf(l *License) {
	if u.StartsAt != nil || u.clears(ClearStartsAt) {
		l.StartsAt = storedOrNone(u.StartsAt)
	}
	if u.ExpiresAt != nil || u.clears(ClearExpiresAt) {
		l.ExpiresAt, l.AwaitsActivation = storedOrNone(u.ExpiresAt), false
	}
	own := &l.Overrides
	own.MaxMachines = override(own.MaxMachines, u.MaxMachines, u.clears(ClearMaxMachines))
	own.MaxDomains = override(own.MaxDomains, u.MaxDomains, u.clears(ClearMaxDomains))
	own.Grace = override(own.Grace, u.Grace, u.clears(ClearGrace))
	switch {
	case u.clears(ClearEntitlements):
		own.Entitlements = nil
	case u.Entitlements != nil:
		own.Entitlements = storedEntitlements(u.Entitlements)
	}
}

// chosen gives a field as an update leaves it.
func chosen[T any](is T, given *T, clear bool) T {
	switch {
	case clear:
		return *new(T)
	case given != nil:
		return *given
	}
	return is
}

// override gives a field that follows the plan where it is nil.
func override[T any](is, given *T, clear bool) *T {
	switch {
	case clear:
		return nil
	case given != nil:
		return given
	}
	return is
}

// setsLimits reports whether the effective limits may change. Where they do
// not, they are not judged: the plan may have outgrown them since.
func (u Update) setsLimits() bool {
	return u.Plan != nil || u.MaxMachines != nil || u.MaxDomains != nil || u.clears(ClearMaxMachines) || u.clears(ClearMaxDomains)
}

// contradiction refuses to set and to clear one field.
func (u Update) contradiction() error {
	set := map[ClearField]bool{
		ClearExternalID: u.ExternalID != nil, ClearCustomer: u.Customer != nil,
		ClearStartsAt: u.StartsAt != nil, ClearExpiresAt: u.ExpiresAt != nil,
		ClearMaxMachines: u.MaxMachines != nil, ClearMaxDomains: u.MaxDomains != nil,
		ClearGrace: u.Grace != nil, ClearEntitlements: u.Entitlements != nil,
		ClearAllowedDomains: u.AllowedDomains != nil,
	}
	for _, f := range u.Clear {
		if set[f] {
			return fault.Invalid("clear", "clear names %s, which the input also sets", f)
		}
	}
	return nil
}

// blame names the start where it, and not the end, was set to where they do
// not fit.
func (u Update) blame(err error) error {
	if u.StartsAt == nil || u.ExpiresAt != nil {
		return err
	}
	var all []error
	for _, one := range fault.All(err) {
		if one.Field == "expiresAt" {
			one = fault.Invalid("startsAt", "startsAt must be before expiresAt, when the license ends")
		}
		all = append(all, one)
	}
	return errors.Join(all...)
}
