package license_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
)

func TestStatusFollowsStateAndClock(t *testing.T) {
	start, end := noon.Add(time.Hour), noon.Add(2*time.Hour)
	window := license.License{State: license.Issued, StartsAt: start, ExpiresAt: end}
	forever := license.License{State: license.Issued}
	in := func(l license.License, s license.State) license.License { l.State = s; return l }
	for _, c := range []struct {
		name    string
		license license.License
		now     time.Time
		want    license.Status
	}{
		{"before its start", window, start.Add(-time.Millisecond), license.StatusScheduled},
		{"at its start", window, start, license.StatusActive},
		{"before its end", window, end.Add(-time.Millisecond), license.StatusActive},
		{"at its end", window, end, license.StatusExpired},
		{"without times", forever, end, license.StatusActive},
		{"suspended before its start", in(window, license.Suspended), noon, license.StatusSuspended},
		{"suspended after its end", in(window, license.Suspended), end, license.StatusSuspended},
		{"revoked before its start", in(window, license.Revoked), noon, license.StatusRevoked},
		{"revoked after its end", in(window, license.Revoked), end, license.StatusRevoked},
	} {
		if got := c.license.StatusAt(c.now); got != c.want {
			t.Errorf("%s it is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTermsAreThePlansSaveForOverrides(t *testing.T) {
	plan := planned(func(p *license.Plan) {
		p.MaxMachines, p.MaxDomains, p.OveragePercent, p.Grace = new(3), new(5), 10, lasting("P14D")
		p.Entitlements = []license.Entitlement{{Code: "sso"}, {Code: "export", Value: json.RawMessage("1")}}
	})
	l := issued(t, plan, license.IssueSpec{})
	want := license.Terms{
		MaxMachines: new(3), MaxDomains: new(5), OveragePercent: 10, Grace: lasting("P14D"),
		Entitlements: []license.Entitlement{{Code: "export", Value: json.RawMessage("1")}, {Code: "sso"}},
	}
	if d := diff(want, l.Terms(plan)); d != "" {
		t.Errorf("without overrides: %s", d)
	}

	l.Overrides = license.Overrides{
		MaxMachines: &license.Limit{}, MaxDomains: &license.Limit{Max: new(0)}, Grace: lasting("PT0S"),
		Entitlements: []license.Entitlement{{Code: "export", Value: json.RawMessage("2"), ExpiresAt: noon}, {Code: "api"}},
	}
	want = license.Terms{
		MaxDomains: new(0), OveragePercent: 10, Grace: lasting("PT0S"), RequireDomain: true,
		Entitlements: []license.Entitlement{{Code: "api"}, {Code: "export", Value: json.RawMessage("2"), ExpiresAt: noon}, {Code: "sso"}},
	}
	if d := diff(want, l.Terms(plan)); d != "" {
		t.Errorf("with overrides: %s", d)
	}
}

func TestASubjectIsRequiredWhereOnlyItsKindIsLimited(t *testing.T) {
	for _, c := range []struct {
		name                string
		machines, domains   *int
		fingerprint, domain *bool
		want                [2]bool // fingerprint, domain
	}{
		{name: "no limit"},
		{name: "machines", machines: new(1), want: [2]bool{true, false}},
		{name: "domains", domains: new(1), want: [2]bool{false, true}},
		{name: "none of either", machines: new(0), domains: new(0)},
		{name: "both", machines: new(1), domains: new(1)},
		{name: "machines, and both stated", machines: new(1), fingerprint: new(false), domain: new(true), want: [2]bool{false, true}},
		{name: "no limit, and fingerprint stated", fingerprint: new(true), want: [2]bool{true, false}},
	} {
		plan := planned(func(p *license.Plan) {
			p.MaxMachines, p.MaxDomains, p.RequireFingerprint, p.RequireDomain = c.machines, c.domains, c.fingerprint, c.domain
		})
		terms := issued(t, plan, license.IssueSpec{}).Terms(plan)
		if got := [2]bool{terms.RequireFingerprint, terms.RequireDomain}; got != c.want {
			t.Errorf("%s: fingerprint and domain required %v, want %v", c.name, got, c.want)
		}
	}
}

func TestGraceFollowsTheEnd(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.Grace = lasting("P1M") })
	l := issued(t, plan, license.IssueSpec{ExpiresAt: new(instant("2027-01-31T00:00:00Z"))})
	if got, want := l.GraceUntil(plan), instant("2027-02-28T00:00:00Z"); !got.Equal(want) {
		t.Errorf("grace ends at %s, want %s", got, want)
	}
	l.Overrides.Grace = lasting("P1D")
	if got, want := l.GraceUntil(plan), instant("2027-02-01T00:00:00Z"); !got.Equal(want) {
		t.Errorf("the license's own grace ends at %s, want %s", got, want)
	}
	l.Overrides.Grace = lasting("PT0S")
	if got := l.GraceUntil(plan); !got.IsZero() {
		t.Errorf("no grace ends at %s", got)
	}
	endless := issued(t, plan, license.IssueSpec{NeverExpires: true})
	if got := endless.GraceUntil(plan); !got.IsZero() {
		t.Errorf("the grace of a license without an end ends at %s", got)
	}
}

func TestASeatIsHeldUntilItsLeaseEnds(t *testing.T) {
	floating := planned(func(p *license.Plan) { p.LeaseDuration = lasting("PT1H") })
	kept := planned(nil)
	hour := noon.Add(time.Hour)
	for _, c := range []struct {
		name string
		seat license.Activation
		plan *license.Plan
		now  time.Time
		want int
	}{
		{"before its lease ends", license.Activation{LeaseUntil: hour}, floating, hour.Add(-time.Millisecond), 1},
		{"when its lease ends", license.Activation{LeaseUntil: hour}, floating, hour, 0},
		{"without a lease", license.Activation{}, floating, hour, 1},
		{"run out, under a plan without leases", license.Activation{LeaseUntil: hour}, kept, hour, 1},
		{"run out, with a signed license out", license.Activation{LeaseUntil: hour, OfflineUntil: hour.Add(1)}, floating, hour, 1},
		{"run out, with the signed license ended", license.Activation{LeaseUntil: noon, OfflineUntil: hour}, floating, hour, 0},
	} {
		c.seat.ID, c.seat.Kind, c.seat.Subject = "act_1", license.Machine, "m"
		l := &license.License{Seats: []license.Activation{c.seat, {ID: "act_2", Kind: license.Domain, Subject: "m", Domain: "m"}}}
		if got := l.Count(license.Machine, c.plan, c.now); got != c.want {
			t.Errorf("%s %d machines hold a seat, want %d", c.name, got, c.want)
		}
		if got := l.Count(license.Domain, c.plan, c.now); got != 1 {
			t.Errorf("%s %d domains hold a seat, want 1", c.name, got)
		}
		if got := l.SeatOf(machine("m")); got != &l.Seats[0] {
			t.Errorf("%s the machine's seat is %v", c.name, got)
		}
	}
}

func TestSeatsAreFoundByKindAndForm(t *testing.T) {
	l := &license.License{}
	plan := planned(nil)
	seated(t, l, plan, machine("Example.com"), noon)
	if got := l.SeatOf(domain(t, "Example.com")); got != nil {
		t.Errorf("a domain has the machine's seat %s", got.ID)
	}
	if got := l.SeatOf(machine("example.com")); got != nil {
		t.Errorf("a machine is found in another case: %s", got.ID)
	}
	seated(t, l, plan, domain(t, "Example.com"), noon)
	if got := l.SeatOf(domain(t, "EXAMPLE.com.:80")); got == nil || got.Kind != license.Domain {
		t.Errorf("a domain is not found in another form: %v", got)
	}
}
