package license_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/license"
)

func TestReasonsSayWhatTheyAreAboutAndWhenTheyEnd(t *testing.T) {
	floating := func(limit, overage int) func(*license.Plan) {
		return func(p *license.Plan) {
			p.MaxMachines, p.OveragePercent, p.LeaseDuration = new(limit), overage, lasting("PT2H")
		}
	}
	leases := noon.Add(2 * time.Hour)
	host := domain(t, "A.example.com:80")
	for _, c := range []struct {
		question
		want []license.Reason
	}{
		{question{request: license.Request{Product: "other"}}, []license.Reason{
			{Code: license.CodeProductMismatch, Blocking: true, Subject: new("other")},
		}},
		{question{license: func(l *license.License) { l.StartsAt = leases }}, []license.Reason{
			{Code: license.CodeScheduled, Blocking: true, Until: &leases},
		}},
		{question{license: func(l *license.License) { l.ExpiresAt = noon }, plan: func(p *license.Plan) { p.Grace = lasting("PT2H") }}, []license.Reason{
			{Code: license.CodeGrace, Until: &leases},
		}},
		{question{license: func(l *license.License) { l.ExpiresAt = noon }}, []license.Reason{
			{Code: license.CodeExpired, Blocking: true},
		}},
		{question{license: func(l *license.License) { l.AllowedDomains = []string{} }, request: license.Request{Domain: &host}}, []license.Reason{
			{Code: license.CodeDomainNotAllowed, Blocking: true, Subject: new("A.example.com:80")},
		}},
		{question{plan: floating(1, 0), request: from(machine("a"))}, []license.Reason{
			{Code: license.CodeNotActivated, Blocking: true, Subject: new("a")},
		}},
		{question{plan: floating(1, 0), seats: []license.Subject{machine("b")}, request: from(machine("a"))}, []license.Reason{
			{Code: license.CodeMachineLimitReached, Blocking: true, Subject: new("a"), Limit: new(1), Actual: new(1), Until: &leases},
		}},
		{question{plan: func(p *license.Plan) { p.MaxDomains = new(0) }, request: license.Request{Domain: &host}}, []license.Reason{
			{Code: license.CodeDomainLimitReached, Blocking: true, Subject: new("A.example.com:80"), Limit: new(0), Actual: new(0)},
		}},
		{question{plan: floating(1, 100), seats: []license.Subject{machine("a"), machine("b")}, request: from(machine("a"))}, []license.Reason{
			{Code: license.CodeOverage, Subject: new("MACHINE"), Limit: new(1), Actual: new(2), Until: &leases},
		}},
		{question{plan: floating(1, 100), seats: []license.Subject{machine("a"), machine("b")}, request: from(machine("c"))}, []license.Reason{
			{Code: license.CodeMachineLimitReached, Blocking: true, Subject: new("c"), Limit: new(2), Actual: new(2), Until: &leases},
			{Code: license.CodeOverage, Subject: new("MACHINE"), Limit: new(1), Actual: new(2), Until: &leases},
		}},
		{question{request: license.Request{Entitlements: []string{"sso"}}}, []license.Reason{
			{Code: license.CodeEntitlementMissing, Blocking: true, Subject: new("sso")},
		}},
	} {
		d := c.decide(t)
		if diff := cmp.Diff(c.want, d.Reasons, cmpopts.IgnoreFields(license.Reason{}, "Message")); diff != "" {
			t.Error(diff)
		}
		for _, r := range d.Reasons {
			if r.Message == "" {
				t.Errorf("%s says nothing", r.Code)
			}
		}
	}
}

func TestALimitEndsWithTheNextLeaseThatEnds(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(3), lasting("PT1H") })
	l := issued(t, plan, license.IssueSpec{})
	for i, name := range []string{"b", "a", "c"} {
		seated(t, l, plan, machine(name), noon.Add(time.Duration(i)*time.Minute))
	}
	l.SeatOf(machine("b")).OfflineUntil = noon.Add(24 * time.Hour)
	d := license.Decide(l, plan, acme(), from(machine("d")), noon.Add(10*time.Minute))
	if want := noon.Add(61 * time.Minute); d.Code != license.CodeMachineLimitReached || !d.Reasons[0].Until.Equal(want) || !d.ChangesAt.Equal(want) {
		t.Errorf("%s until %s, changes at %s; want %s", d.Code, d.Reasons[0].Until, d.ChangesAt, want)
	}
}

func TestAYesStandsNoLongerThanWhatItRestsOn(t *testing.T) {
	at := noon.Add(time.Hour) // when it is asked
	for _, c := range []struct {
		question
		want time.Time
	}{
		{question{name: "a day without a check-in interval"}, at.Add(24 * time.Hour)},
		{question{name: "the check-in interval", plan: func(p *license.Plan) { p.CheckInInterval = lasting("P1M") }}, instant("2026-12-21T13:00:00Z")},
		{question{name: "the end", license: func(l *license.License) { l.ExpiresAt = at.Add(3 * time.Hour) }}, at.Add(3 * time.Hour)},
		{question{name: "the end of grace", plan: func(p *license.Plan) { p.Grace = lasting("PT2H") },
			license: func(l *license.License) { l.ExpiresAt = at.Add(-time.Hour) }}, at.Add(time.Hour)},
		{question{name: "the first end that the duration may have", plan: func(p *license.Plan) {
			p.Duration, p.ExpiryBasis = lasting("PT5H"), license.FromFirstActivation
		}}, at.Add(5 * time.Hour)},
		{question{name: "the lease of the seat", plan: func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(1), lasting("PT90M") },
			seats: []license.Subject{machine("a")}, request: from(machine("a"))}, noon.Add(90 * time.Minute)},
		{question{name: "not the lease of a seat that is not needed", plan: func(p *license.Plan) { p.LeaseDuration = lasting("PT90M") },
			seats: []license.Subject{machine("a")}, request: from(machine("a"))}, at.Add(24 * time.Hour)},
		{question{name: "an entitlement that was asked for", license: func(l *license.License) {
			l.Overrides.Entitlements = []license.Entitlement{{Code: "a", ExpiresAt: at.Add(2 * time.Hour)}, {Code: "b", ExpiresAt: at.Add(time.Minute)}}
		}, request: license.Request{Entitlements: []string{"a"}}}, at.Add(2 * time.Hour)},
		{question{name: "a no does not stand", license: func(l *license.License) { l.State = license.Revoked }}, time.Time{}},
	} {
		if d := c.decide(t); !d.GoodUntil.Equal(c.want) {
			t.Errorf("%s: good until %s, want %s", c.name, d.GoodUntil, c.want)
		}
	}
}

func TestItIsTimeToAskAgainWhenTheAnswerMayChange(t *testing.T) {
	at := noon.Add(time.Hour)
	const every = 5 * time.Minute
	for _, c := range []struct {
		question
		want time.Duration
	}{
		{question{name: "a yes"}, every},
		{question{name: "a no", license: func(l *license.License) { l.State = license.Suspended }}, time.Minute},
		{question{name: "a start soon", license: func(l *license.License) { l.StartsAt = at.Add(time.Second) }}, time.Second},
		{question{name: "an end soon", license: func(l *license.License) { l.ExpiresAt = at.Add(time.Second) }}, time.Second},
		{question{name: "grace soon", plan: func(p *license.Plan) { p.Grace = lasting("P1D") },
			license: func(l *license.License) { l.ExpiresAt = at.Add(time.Second) }}, time.Second},
		{question{name: "the end of grace soon", plan: func(p *license.Plan) { p.Grace = lasting("PT1S") },
			license: func(l *license.License) { l.ExpiresAt = at }}, time.Second},
		{question{name: "the end of a lease soon", plan: func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(1), lasting("PT3601S") },
			seats: []license.Subject{machine("a")}, request: from(machine("a"))}, time.Second},
		{question{name: "a place soon", plan: func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(1), lasting("PT3601S") },
			seats: []license.Subject{machine("a")}, request: from(machine("b"))}, time.Second},
		{question{name: "an end that is over", license: func(l *license.License) { l.ExpiresAt = noon }}, time.Minute},
	} {
		if got := c.decide(t).RefreshAt(at, every).Sub(at); got != c.want {
			t.Errorf("%s: ask again after %s, want %s", c.name, got, c.want)
		}
	}
	if got := (question{license: func(l *license.License) { l.State = license.Revoked }}).decide(t).RefreshAt(at, time.Second); !got.Equal(at.Add(time.Second)) {
		t.Errorf("a no is asked again later than a yes: %s", got)
	}
}

func TestTheAnswerNamesTheSeatThatIsHeld(t *testing.T) {
	floating := planned(func(p *license.Plan) { p.LeaseDuration = lasting("PT1H") })
	l := issued(t, floating, license.IssueSpec{})
	host := domain(t, "a.com")
	seated(t, l, floating, host, noon)
	seated(t, l, floating, machine("a"), noon)
	both := license.Request{Fingerprint: new(machine("a")), Domain: &host}
	early, late := noon.Add(time.Minute), noon.Add(time.Hour)
	for _, c := range []struct {
		name    string
		request license.Request
		now     time.Time
		want    string
	}{
		{"the machine's", from(machine("a")), early, "act_a"},
		{"the domain's", from(host), early, "act_a.com"},
		{"of both the machine's", both, early, "act_a"},
		{"none of another", from(machine("b")), early, ""},
		{"none that has run out", both, late, ""},
	} {
		got := ""
		if d := license.Decide(l, floating, acme(), c.request, c.now); d.Seat != nil {
			got = d.Seat.ID
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestALeaseThatRanOutIsToldAndCanBeJudgedByAnEarlierTime(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(1), lasting("PT1H") })
	l := issued(t, plan, license.IssueSpec{})
	seated(t, l, plan, machine("a"), noon)
	now := noon.Add(2 * time.Hour)
	request := from(machine("a"))
	d := license.Decide(l, plan, acme(), request, now)
	if d.Code != license.CodeNotActivated || !d.LeaseRanOut {
		t.Errorf("%s, ran out %v", d.Code, d.LeaseRanOut)
	}
	if d := license.Decide(l, plan, acme(), from(machine("b")), now); d.LeaseRanOut {
		t.Error("a machine without a seat has a lease that ran out")
	}
	request.LeasesAt = noon.Add(time.Minute)
	d = license.Decide(l, plan, acme(), request, now)
	if !d.Valid || d.LeaseRanOut || d.Seat == nil || !d.GoodUntil.Equal(now) {
		t.Errorf("judged by an earlier time it is %s, good until %s", d.Code, d.GoodUntil)
	}
	l.ExpiresAt = now
	if d = license.Decide(l, plan, acme(), request, now); d.Code != license.CodeExpired {
		t.Errorf("an expiry is judged by the time of leases: %s", d.Code)
	}
}

func TestASeatMayBeTakenWhereOnlyTheSeatIsMissing(t *testing.T) {
	host := domain(t, "a.com")
	both := func(p *license.Plan) {
		p.MaxMachines, p.MaxDomains, p.RequireFingerprint, p.RequireDomain = new(1), new(1), new(true), new(true)
	}
	one := func(p *license.Plan) { p.MaxMachines = new(1) }
	for _, c := range []struct {
		question
		subject license.Subject
		want    bool
	}{
		{question{name: "not activated", plan: one, request: from(machine("a"))}, machine("a"), true},
		{question{name: "held already", plan: one, seats: []license.Subject{machine("a")}, request: from(machine("a"))}, machine("a"), true},
		{question{name: "in overage", plan: func(p *license.Plan) { one(p); p.OveragePercent = 200 },
			seats: []license.Subject{machine("b"), machine("c")}, request: from(machine("a"))}, machine("a"), true},
		{question{name: "no room", plan: one, seats: []license.Subject{machine("b")}, request: from(machine("a"))}, machine("a"), false},
		{question{name: "suspended", plan: one, license: func(l *license.License) { l.State = license.Suspended }, request: from(machine("a"))}, machine("a"), false},
		{question{name: "a machine, where a domain is required too", plan: both, request: from(machine("a"))}, machine("a"), true},
		{question{name: "a domain, where a machine is required too", plan: both, request: from(host)}, host, true},
		{question{name: "a domain where it is not allowed", plan: both, license: func(l *license.License) { l.AllowedDomains = []string{} }, request: from(host)}, host, false},
	} {
		if got := c.decide(t).AllowsActivation(c.subject); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestARequestOfTheWrongProductIsTold(t *testing.T) {
	required := func(p *license.Plan) { p.RequireProduct = true }
	for _, c := range []struct {
		question
		want bool
	}{
		{question{name: "another one's", request: license.Request{Product: "other"}}, true},
		{question{name: "nobody's, where it must say", plan: required}, true},
		{question{name: "nobody's, where it need not", request: license.Request{}}, false},
		{question{name: "its own", plan: required, request: license.Request{Product: "acme"}}, false},
		{question{name: "its own, revoked", license: func(l *license.License) { l.State = license.Revoked }, request: license.Request{Product: "acme"}}, false},
	} {
		if got := c.decide(t).WrongProduct(); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestAReasonThatIsAddedTakesItsPlace(t *testing.T) {
	d := question{plan: func(p *license.Plan) { p.Grace = lasting("P1D") }, license: func(l *license.License) { l.ExpiresAt = noon }}.decide(t)
	before := codes(d)
	got := d.With(license.Reason{Code: license.CodeCheckedOut, Blocking: true})
	if diff := cmp.Diff([]license.Code{license.CodeCheckedOut, license.CodeGrace}, codes(got)); diff != "" {
		t.Error(diff)
	}
	if got.Valid || got.Code != license.CodeCheckedOut || !got.GoodUntil.IsZero() {
		t.Errorf("it is %s, valid %v, good until %s", got.Code, got.Valid, got.GoodUntil)
	}
	if diff := cmp.Diff(before, codes(d)); diff != "" || !d.Valid {
		t.Errorf("the decision itself has changed: %s", diff)
	}

	got = got.With(license.Reason{Code: license.CodeEntitlementMissing, Blocking: true}) // append leaves room for a fourth
	first, second := got.With(license.Reason{Code: license.CodeOverage}), got.With(license.Reason{Code: license.CodeRevoked, Blocking: true})
	if first.Code != license.CodeCheckedOut || first.Reasons[2].Code != license.CodeOverage || second.Code != license.CodeRevoked {
		t.Errorf("two decisions share their reasons: %v and %v", codes(first), codes(second))
	}
}
