package license_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

// What the property tests draw from: few values, so that they meet.

func anyLimit() *rapid.Generator[*int] { return rapid.Ptr(rapid.IntRange(0, 3), true) }

func someOf(texts ...string) *rapid.Generator[*license.Duration] {
	return rapid.Custom(func(t *rapid.T) *license.Duration {
		text := rapid.SampledFrom(append(texts, "")).Draw(t, "duration")
		if text == "" {
			return nil
		}
		return new(duration(t, text))
	})
}

func anyPlan() *rapid.Generator[*license.Plan] {
	return rapid.Custom(func(t *rapid.T) *license.Plan {
		return planned(func(p *license.Plan) {
			p.Duration = someOf("PT1M", "PT2H", "P1M").Draw(t, "duration")
			p.ExpiryBasis = rapid.SampledFrom([]license.ExpiryBasis{license.FromCreation, license.FromFirstActivation}).Draw(t, "expiryBasis")
			p.RenewalBasis = rapid.SampledFrom([]license.RenewalBasis{license.FromExpiry, license.FromLaterOfExpiryAndNow}).Draw(t, "renewalBasis")
			p.Grace = someOf("PT0S", "PT30M").Draw(t, "grace")
			p.MaxMachines, p.MaxDomains = anyLimit().Draw(t, "maxMachines"), anyLimit().Draw(t, "maxDomains")
			p.OveragePercent = rapid.SampledFrom([]int{0, 34, 50, 100}).Draw(t, "overagePercent")
			p.LeaseDuration = someOf("PT10S", "PT20M", "PT2H").Draw(t, "leaseDuration")
			p.RequireFingerprint = rapid.Ptr(rapid.Bool(), true).Draw(t, "requireFingerprint")
			p.RequireDomain = rapid.Ptr(rapid.Bool(), true).Draw(t, "requireDomain")
			p.RequireProduct = rapid.Bool().Draw(t, "requireProduct")
			p.CheckInInterval = someOf("PT1M", "P1D").Draw(t, "checkInInterval")
			p.Entitlements = []license.Entitlement{{Code: "sso"}, {Code: "beta", ExpiresAt: moment().Draw(t, "beta ends")}}
		})
	})
}

// moment gives a time within some hours after noon.
func moment() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return noon.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "moment")) * 10 * time.Minute)
	})
}

func anyLimitOverride() *rapid.Generator[*license.Limit] {
	return rapid.Custom(func(t *rapid.T) *license.Limit {
		if rapid.Bool().Draw(t, "follows") {
			return nil
		}
		return &license.Limit{Max: anyLimit().Draw(t, "max")}
	})
}

func anySubject() *rapid.Generator[license.Subject] {
	return rapid.Custom(func(t *rapid.T) license.Subject {
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "name")
		if rapid.Bool().Draw(t, "domain") {
			return domain(t, name+".com")
		}
		return machine(name)
	})
}

// anyLicense gives a license of the plan in any state, with seats.
func anyLicense(plan *license.Plan) *rapid.Generator[*license.License] {
	return rapid.Custom(func(t *rapid.T) *license.License {
		spec := license.IssueSpec{
			Overrides: license.Overrides{
				MaxMachines: anyLimitOverride().Draw(t, "machines"),
				MaxDomains:  anyLimitOverride().Draw(t, "domains"),
				Grace:       someOf("PT0S", "PT10M").Draw(t, "own grace"),
			},
			AllowedDomains: rapid.SampledFrom([][]string{nil, {}, {"a.com", "b.com", "c.com"}}).Draw(t, "allowedDomains"),
		}
		start := noon
		if rapid.Bool().Draw(t, "starts") {
			start = moment().Draw(t, "start")
			spec.StartsAt = &start
		}
		if rapid.Bool().Draw(t, "ends") {
			spec.ExpiresAt = new(start.Add(moment().Draw(t, "end").Sub(noon) + time.Minute))
		}
		l := issued(t, plan, spec)
		for range rapid.IntRange(0, 6).Draw(t, "seats") {
			s := anySubject().Draw(t, "subject")
			if got, err := l.Activate(plan, s, "act_"+s.Text, "", "", moment().Draw(t, "activated")); err == nil && got.Seat != nil && rapid.IntRange(0, 4).Draw(t, "out") == 0 {
				l.SeatOf(s).OfflineUntil = moment().Draw(t, "offlineUntil")
			}
		}
		l.State = rapid.SampledFrom([]license.State{license.Issued, license.Issued, license.Issued, license.Suspended, license.Revoked}).Draw(t, "state")
		if rapid.Bool().Draw(t, "used") {
			l.MarkActivated(plan, moment().Draw(t, "activatedAt"))
		}
		return l
	})
}

func anyRequest() *rapid.Generator[license.Request] {
	return rapid.Custom(func(t *rapid.T) license.Request {
		r := license.Request{
			Product:      rapid.SampledFrom([]string{"", "acme", "acme", "other"}).Draw(t, "product"),
			Entitlements: rapid.SliceOfN(rapid.SampledFrom([]string{"sso", "beta", "api"}), 0, 3).Draw(t, "entitlements"),
		}
		if s := anySubject().Draw(t, "first"); s.Kind == license.Machine {
			r.Fingerprint = &s
		}
		if s := anySubject().Draw(t, "second"); s.Kind == license.Domain {
			r.Domain = &s
		}
		return r
	})
}
