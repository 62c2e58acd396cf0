package scalar

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// The values of an enum are text, and the Go constants have the same. They
// are checked here once more: what comes in a variable passes gqlparser in
// any case.

func marshal[T ~string](v T) graphql.Marshaler { return graphql.MarshalString(string(v)) }

func unmarshal[T ~string](v any, values ...T) (T, error) {
	text, ok := v.(string)
	if !ok || !slices.Contains(values, T(text)) {
		return "", wanted("the name of an enum's value")
	}
	return T(text), nil
}

// MarshalActorKind writes an ActorKind.
func MarshalActorKind(v actor.Kind) graphql.Marshaler { return marshal(v) }

// UnmarshalActorKind reads an ActorKind.
func UnmarshalActorKind(v any) (actor.Kind, error) {
	return unmarshal(v, actor.User, actor.Token, actor.LicenseHolder, actor.System)
}

// MarshalExpiryBasis writes an ExpiryBasis.
func MarshalExpiryBasis(v license.ExpiryBasis) graphql.Marshaler { return marshal(v) }

// UnmarshalExpiryBasis reads an ExpiryBasis.
func UnmarshalExpiryBasis(v any) (license.ExpiryBasis, error) {
	return unmarshal(v, license.FromCreation, license.FromFirstActivation)
}

// MarshalRenewalBasis writes a RenewalBasis.
func MarshalRenewalBasis(v license.RenewalBasis) graphql.Marshaler { return marshal(v) }

// UnmarshalRenewalBasis reads a RenewalBasis.
func UnmarshalRenewalBasis(v any) (license.RenewalBasis, error) {
	return unmarshal(v, license.FromExpiry, license.FromLaterOfExpiryAndNow)
}

// MarshalPlanField writes a PlanField.
func MarshalPlanField(v licensing.PlanField) graphql.Marshaler { return marshal(v) }

// UnmarshalPlanField reads a PlanField.
func UnmarshalPlanField(v any) (licensing.PlanField, error) {
	return unmarshal(v,
		licensing.PlanDuration, licensing.PlanGrace, licensing.PlanMaxMachines, licensing.PlanMaxDomains,
		licensing.PlanRequireFingerprint, licensing.PlanRequireDomain, licensing.PlanLeaseDuration,
		licensing.PlanCheckInInterval, licensing.PlanMaxOfflineDuration)
}

// MarshalLicenseField writes a LicenseField.
func MarshalLicenseField(v license.ClearField) graphql.Marshaler { return marshal(v) }

// UnmarshalLicenseField reads a LicenseField.
func UnmarshalLicenseField(v any) (license.ClearField, error) {
	return unmarshal(v, license.ClearFields()...)
}

// MarshalLicenseStatus writes a LicenseStatus.
func MarshalLicenseStatus(v license.Status) graphql.Marshaler { return marshal(v) }

// UnmarshalLicenseStatus reads a LicenseStatus.
func UnmarshalLicenseStatus(v any) (license.Status, error) {
	return unmarshal(v,
		license.StatusScheduled, license.StatusActive, license.StatusSuspended, license.StatusExpired, license.StatusRevoked)
}

// MarshalLicenseOrder writes a LicenseOrder.
func MarshalLicenseOrder(v licensing.LicenseOrder) graphql.Marshaler { return marshal(v) }

// UnmarshalLicenseOrder reads a LicenseOrder.
func UnmarshalLicenseOrder(v any) (licensing.LicenseOrder, error) {
	return unmarshal(v, licensing.CreatedNewest, licensing.CreatedOldest, licensing.ExpiresSoonest)
}

// MarshalActivationKind writes an ActivationKind.
func MarshalActivationKind(v license.SeatKind) graphql.Marshaler { return marshal(v) }

// UnmarshalActivationKind reads an ActivationKind.
func UnmarshalActivationKind(v any) (license.SeatKind, error) {
	return unmarshal(v, license.Machine, license.Domain)
}

// MarshalEventOrder writes an EventOrder.
func MarshalEventOrder(v licensing.EventOrder) graphql.Marshaler { return marshal(v) }

// UnmarshalEventOrder reads an EventOrder.
func UnmarshalEventOrder(v any) (licensing.EventOrder, error) {
	return unmarshal(v, licensing.NewestFirst, licensing.OldestFirst)
}

// MarshalCode writes the code of a reason, which is a String: more will come.
func MarshalCode(v license.Code) graphql.Marshaler { return marshal(v) }

// UnmarshalCode reads the code of a reason.
func UnmarshalCode(v any) (license.Code, error) { return unmarshal(v, license.Codes()...) }
