package license_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
)

func TestIssueSetsTheEnd(t *testing.T) {
	year := planned(nil)
	first := planned(func(p *license.Plan) { p.ExpiryBasis = license.FromFirstActivation })
	endless := planned(func(p *license.Plan) { p.Duration = nil })
	endlessFirst := planned(func(p *license.Plan) { p.Duration, p.ExpiryBasis = nil, license.FromFirstActivation })
	own := new(instant("2027-01-01T00:00:00+01:00"))
	type outcome struct {
		Ends   time.Time
		Awaits bool
	}
	for _, c := range []struct {
		name string
		plan *license.Plan
		spec license.IssueSpec
		want outcome
	}{
		{"a duration from its creation", year, license.IssueSpec{}, outcome{Ends: instant("2027-11-21T12:00:00Z")}},
		{"a duration from a later start", year, license.IssueSpec{StartsAt: new(instant("2028-02-29T00:00:00Z"))}, outcome{Ends: instant("2029-02-28T00:00:00Z")}},
		{"a duration from its creation after an earlier start", year, license.IssueSpec{StartsAt: new(instant("2020-01-01T00:00:00Z"))}, outcome{Ends: instant("2027-11-21T12:00:00Z")}},
		{"an end of its own", year, license.IssueSpec{ExpiresAt: own}, outcome{Ends: instant("2026-12-31T23:00:00Z")}},
		{"an end of its own that has passed", year, license.IssueSpec{ExpiresAt: new(instant("2020-01-01T00:00:00Z"))}, outcome{Ends: instant("2020-01-01T00:00:00Z")}},
		{"no end by its own wish", year, license.IssueSpec{NeverExpires: true}, outcome{}},
		{"no end by its plan", endless, license.IssueSpec{}, outcome{}},
		{"no end before its first activation", first, license.IssueSpec{}, outcome{Awaits: true}},
		{"an end of its own, whatever starts the plan's", first, license.IssueSpec{ExpiresAt: own}, outcome{Ends: instant("2026-12-31T23:00:00Z")}},
		{"no end by its own wish, whatever starts the plan's", first, license.IssueSpec{NeverExpires: true}, outcome{}},
		{"no duration to begin", endlessFirst, license.IssueSpec{}, outcome{}},
	} {
		l := issued(t, c.plan, c.spec)
		if diff := cmp.Diff(c.want, outcome{l.ExpiresAt, l.AwaitsActivation}); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestIssueKeepsWhatIsSaidInNormalForm(t *testing.T) {
	odd := instant("2027-03-01T10:00:00+05:00").Add(1500 * time.Microsecond)
	spec := license.IssueSpec{
		ExternalID: "order-1", Customer: license.Customer{Email: "ann@example.com", Name: "Ann", ExternalID: "c1"},
		StartsAt: &odd, ExpiresAt: new(odd.Add(time.Hour)), AllowedDomains: []string{"*.BÜCHER.example"}, Metadata: license.Metadata(`{"a":1}`),
		Overrides: license.Overrides{MaxMachines: &license.Limit{Max: new(2)}, Entitlements: []license.Entitlement{{Code: "sso", ExpiresAt: odd}}},
	}
	got, err := license.Issue(acme(), planned(nil), spec, noon.Add(700*time.Microsecond))
	if err != nil {
		t.Fatal(err)
	}
	start := instant("2027-03-01T05:00:00Z").Add(time.Millisecond)
	want := &license.License{
		ProductID: license.ProductID("acme"), PlanID: planned(nil).ID, State: license.Issued,
		ExternalID: "order-1", Customer: spec.Customer, StartsAt: start, ExpiresAt: start.Add(time.Hour),
		AllowedDomains: []string{"*.xn--bcher-kva.example"}, Metadata: license.Metadata(`{"a":1}`),
		Overrides: license.Overrides{MaxMachines: &license.Limit{Max: new(2)}, Entitlements: []license.Entitlement{{Code: "sso", ExpiresAt: start}}},
		Revision:  1, CreatedAt: noon, UpdatedAt: noon,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.StartsAt.Location() != time.UTC || spec.Overrides.Entitlements[0].ExpiresAt != odd {
		t.Error("a time is not UTC, or the spec was changed")
	}
}

func TestIssueNamesEachBadField(t *testing.T) {
	for _, c := range []struct {
		spec license.IssueSpec
		want []string
	}{
		{license.IssueSpec{NeverExpires: true, ExpiresAt: new(noon)}, []string{"neverExpires"}},
		{license.IssueSpec{StartsAt: new(noon), ExpiresAt: new(noon)}, []string{"expiresAt"}},
		{license.IssueSpec{StartsAt: new(noon), ExpiresAt: new(noon.Add(999 * time.Microsecond))}, []string{"expiresAt"}},
		{license.IssueSpec{StartsAt: new(noon), ExpiresAt: new(noon.Add(-1))}, []string{"expiresAt"}},
		{license.IssueSpec{StartsAt: new(time.Time{}), ExpiresAt: new(time.Time{})}, []string{"expiresAt", "startsAt"}},
		{license.IssueSpec{Customer: license.Customer{Email: "ann"}, AllowedDomains: []string{"a.com", "http://b.com"}},
			[]string{"allowedDomains.1", "customer.email"}},
		{license.IssueSpec{Overrides: license.Overrides{MaxMachines: &license.Limit{Max: new(9_000)}}}, []string{"maxMachines"}},
		{license.IssueSpec{Overrides: license.Overrides{MaxDomains: &license.Limit{Max: new(-1)}}}, []string{"maxDomains"}},
	} {
		plan := planned(func(p *license.Plan) { p.OveragePercent = 50 })
		l, err := license.Issue(acme(), plan, c.spec, noon)
		wantFields(t, err, c.want...)
		if l != nil {
			t.Errorf("a license is issued with bad %v", c.want)
		}
	}
}

func TestNothingIsIssuedUnderWhatIsArchived(t *testing.T) {
	product := acme()
	product.Archived = true
	_, err := license.Issue(product, planned(nil), license.IssueSpec{}, noon)
	wantState(t, err)
	_, err = license.Issue(acme(), planned(func(p *license.Plan) { p.Archived = true }), license.IssueSpec{}, noon)
	wantState(t, err)
	_, err = license.Issue(acme(), planned(func(p *license.Plan) { p.ProductID = license.ProductID("other") }), license.IssueSpec{}, noon)
	wantFields(t, err, "plan")
}

func TestFirstUseStartsTheDurationThatAwaitsIt(t *testing.T) {
	awaiting := planned(func(p *license.Plan) { p.ExpiryBasis = license.FromFirstActivation })
	month := planned(func(p *license.Plan) { p.Duration = lasting("P1M") })
	endless := planned(func(p *license.Plan) { p.Duration = nil })
	for _, c := range []struct {
		name string
		spec license.IssueSpec
		plan *license.Plan // as it is at first use
		want time.Time
	}{
		{"from now", license.IssueSpec{}, awaiting, instant("2027-11-22T12:00:00Z")},
		{"from its start, if that is later", license.IssueSpec{StartsAt: new(noon.Add(72 * time.Hour))}, awaiting, instant("2027-11-24T12:00:00Z")},
		{"by the duration of then", license.IssueSpec{}, month, instant("2026-12-22T12:00:00Z")},
		{"without an end, if there is no duration any more", license.IssueSpec{}, endless, time.Time{}},
	} {
		l := issued(t, awaiting, c.spec)
		next := noon.Add(24 * time.Hour)
		if !l.MarkActivated(c.plan, next.Add(300*time.Microsecond)) {
			t.Errorf("%s: not the first use", c.name)
		}
		if l.AwaitsActivation || !l.ExpiresAt.Equal(c.want) || !l.ActivatedAt.Equal(next) || !l.UpdatedAt.Equal(next) {
			t.Errorf("%s: ends at %s, want %s; activated at %s", c.name, l.ExpiresAt, c.want, l.ActivatedAt)
		}
		before := copied(t, l)
		if l.MarkActivated(c.plan, next.Add(time.Hour)) || cmp.Diff(before, l) != "" {
			t.Errorf("%s: the second use counts", c.name)
		}
	}
}

func TestFirstUseKeepsAnEndThatIsSet(t *testing.T) {
	plan := planned(nil)
	l := issued(t, plan, license.IssueSpec{})
	end := l.ExpiresAt
	if !l.MarkActivated(plan, noon.Add(time.Hour)) || !l.ExpiresAt.Equal(end) {
		t.Errorf("it ends at %s, want %s", l.ExpiresAt, end)
	}
}

func TestALicenseIsIssuedWithAHundredDomains(t *testing.T) {
	id := func(s license.Subject) string { return "act_" + s.Domain }
	var domains []string
	for i := range 100 {
		domains = append(domains, fmt.Sprintf("%d.example.com", i))
	}
	plan := planned(func(p *license.Plan) { p.MaxDomains = new(101) })
	l := issued(t, plan, license.IssueSpec{})
	if err := l.SeatDomains(plan, domains, id, noon); err != nil || l.Count(license.Domain, plan, noon) != 100 {
		t.Errorf("%d domains, %v", l.Count(license.Domain, plan, noon), err)
	}
	l = issued(t, plan, license.IssueSpec{})
	wantFields(t, l.SeatDomains(plan, append(domains, "101.example.com"), id, noon), "domains")
}

// All seats are kept for machines, which have a limit; domains have none.
func TestADomainThatNeedsNoSeatIsIssuedWithoutOne(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.MaxMachines = new(license.MaxSeats) })
	l := issued(t, plan, license.IssueSpec{})
	err := l.SeatDomains(plan, []string{"example.com"}, func(license.Subject) string { return "act_a" }, noon)
	if err != nil || len(l.Seats) != 0 {
		t.Errorf("%v, %v", l.Seats, err)
	}
}
