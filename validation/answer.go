package validation

import (
	"time"

	"github.com/keywright/keywright/license"
)

// Validation is the answer to the holder of a key.
type Validation struct {
	Valid      bool
	Code       string
	Reasons    []license.Reason
	License    *ValidatedLicense // nil where the key is not known
	Activation *HeldSeat         // what the subject holds
	At         time.Time
	AsOf       time.Time // the data is as of then, or later
	Stale      bool      // storage could not be asked
	RefreshAt  time.Time
	GoodUntil  *time.Time
}

// ValidatedLicense is what the holder of a key may see of its license.
type ValidatedLicense struct {
	ID           string
	ProductCode  string
	PlanCode     string
	StartsAt     *time.Time
	ExpiresAt    *time.Time
	GraceUntil   *time.Time
	Entitlements []license.Entitlement
	MachineCount int
	MaxMachines  *int
	DomainCount  int
	MaxDomains   *int
}

// HeldSeat is what the holder may see of its seat.
type HeldSeat struct {
	ID           string
	Kind         license.SeatKind
	Name         *string
	Platform     *string
	CreatedAt    time.Time
	LastSeenAt   time.Time
	LeaseUntil   *time.Time
	OfflineUntil *time.Time
}

// refuse answers a key that leads to no license.
func (s *Service) refuse(code license.Code, now, asOf time.Time) *Validation {
	return s.validation(Snapshot{}, license.Refused(code), now, asOf, false)
}

func (s *Service) validation(found Snapshot, d license.Decision, now, asOf time.Time, stale bool) *Validation {
	v := &Validation{
		Valid: d.Valid, Code: string(d.Code), Reasons: d.Reasons,
		At: now, AsOf: asOf.UTC().Truncate(time.Millisecond), Stale: stale,
		RefreshAt: d.RefreshAt(now, s.Refresh), GoodUntil: orNull(d.GoodUntil),
	}
	v.Activation = heldSeat(d.Seat)
	if l := found.License; l != nil {
		terms, leasesAt := l.Terms(found.Plan), now
		if stale {
			leasesAt = asOf // as the decision has it
		}
		v.License = &ValidatedLicense{
			ID: l.ID, ProductCode: found.Product.Code, PlanCode: found.Plan.Code,
			StartsAt: orNull(l.StartsAt), ExpiresAt: orNull(l.ExpiresAt), GraceUntil: orNull(l.GraceUntil(found.Plan)),
			Entitlements: terms.Entitlements,
			MachineCount: l.Count(license.Machine, found.Plan, leasesAt), MaxMachines: terms.MaxMachines,
			DomainCount: l.Count(license.Domain, found.Plan, leasesAt), MaxDomains: terms.MaxDomains,
		}
	}
	return v
}

// heldSeat is what the holder may see of a seat, nil of none.
func heldSeat(a *license.Activation) *HeldSeat {
	if a == nil {
		return nil
	}
	return &HeldSeat{
		ID: a.ID, Kind: a.Kind, Name: textOrNull(a.Name), Platform: textOrNull(a.Platform),
		CreatedAt: a.CreatedAt, LastSeenAt: a.LastSeenAt,
		LeaseUntil: orNull(a.LeaseUntil), OfflineUntil: orNull(a.OfflineUntil),
	}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// text gives what was said, empty where nothing was.
func text(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}
