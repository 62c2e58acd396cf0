package license

import (
	"maps"
	"slices"
)

// MaxSeats is how many seats a license may have on record, overage included.
const MaxSeats = 10_000

// Terms are a license's effective limits and grants: the plan's, save for what
// the license overrides.
type Terms struct {
	MaxMachines        *int // nil: no limit
	MaxDomains         *int
	OveragePercent     int
	Grace              *Duration
	Entitlements       []Entitlement // sorted by code; those that have ended are among them
	RequireFingerprint bool
	RequireDomain      bool
}

// Terms gives what holds for the license under its plan.
func (l *License) Terms(plan *Plan) Terms {
	return Terms{
		MaxMachines:        l.Limit(Machine, plan),
		MaxDomains:         l.Limit(Domain, plan),
		OveragePercent:     plan.OveragePercent,
		Grace:              l.grace(plan),
		Entitlements:       merge(plan.Entitlements, l.Overrides.Entitlements),
		RequireFingerprint: l.needs(Machine, plan),
		RequireDomain:      l.needs(Domain, plan),
	}
}

func merge(planned, own []Entitlement) []Entitlement {
	byCode := make(map[string]Entitlement, len(planned)+len(own))
	for _, e := range planned {
		byCode[e.Code] = e
	}
	for _, e := range own {
		byCode[e.Code] = e
	}
	merged := make([]Entitlement, 0, len(byCode))
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		merged = append(merged, byCode[code])
	}
	return merged
}

// entitlement gives the effective entitlement of a code, nil where there is
// none.
func (l *License) entitlement(plan *Plan, code string) *Entitlement {
	for _, granted := range [][]Entitlement{l.Overrides.Entitlements, plan.Entitlements} {
		for i := range granted {
			if granted[i].Code == code {
				return &granted[i]
			}
		}
	}
	return nil
}

// Limit gives the effective limit of a kind of seat, nil where there is none.
func (l *License) Limit(kind SeatKind, plan *Plan) *int {
	own, planned := l.Overrides.MaxMachines, plan.MaxMachines
	if kind == Domain {
		own, planned = l.Overrides.MaxDomains, plan.MaxDomains
	}
	if own != nil {
		return own.Max
	}
	return planned
}

// max gives the bound, nil for no limit and for no Limit.
func (l *Limit) max() *int {
	if l == nil {
		return nil
	}
	return l.Max
}

func (l *License) grace(plan *Plan) *Duration {
	if l.Overrides.Grace != nil {
		return l.Overrides.Grace
	}
	return plan.Grace
}

// needs reports whether a request must name a subject of the kind. Where the
// plan does not say, it follows the limits: where only this kind has one.
func (l *License) needs(kind SeatKind, plan *Plan) bool {
	stated := plan.RequireFingerprint
	if kind == Domain {
		stated = plan.RequireDomain
	}
	if stated != nil {
		return *stated
	}
	return l.Limit(kind, plan) != nil && l.Limit(kind.other(), plan) == nil
}

func (k SeatKind) other() SeatKind {
	if k == Machine {
		return Domain
	}
	return Machine
}

// withOverage gives how many seats a limit lets through.
func withOverage(limit, percent int) int { return limit + limit*percent/100 }
