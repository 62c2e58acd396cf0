package license_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
)

// question is a license under a plan, and what is asked of it an hour after it
// was issued.
type question struct {
	name    string
	plan    func(*license.Plan)
	license func(*license.License)
	seats   []license.Subject // activated at noon
	request license.Request
	want    []license.Code // in order; none is VALID
}

func (q question) decide(t *testing.T) license.Decision {
	t.Helper()
	plan := planned(q.plan)
	l := issued(t, plan, license.IssueSpec{})
	for _, s := range q.seats {
		seated(t, l, plan, s, noon)
	}
	if q.license != nil {
		q.license(l)
	}
	return license.Decide(l, plan, acme(), q.request, noon.Add(time.Hour))
}

func (q question) check(t *testing.T) {
	t.Helper()
	d := q.decide(t)
	if diff := cmp.Diff(q.want, codes(d)); diff != "" {
		t.Errorf("%s (-want +got): %s", q.name, diff)
	}
	code, valid := license.CodeValid, true
	if len(q.want) > 0 {
		code = q.want[0]
		valid = code == license.CodeOverage || code == license.CodeGrace
	}
	if d.Code != code || d.Valid != valid {
		t.Errorf("%s: %s, valid %v; want %s, valid %v", q.name, d.Code, d.Valid, code, valid)
	}
}

func from(s license.Subject) license.Request {
	if s.Kind == license.Domain {
		return license.Request{Domain: &s}
	}
	return license.Request{Fingerprint: &s}
}

func TestTheProductThatAsksIsJudged(t *testing.T) {
	requires := func(p *license.Plan) { p.RequireProduct = true }
	for _, q := range []question{
		{name: "not required, not said"},
		{name: "not required, said", request: license.Request{Product: "acme"}},
		{name: "not required, another", request: license.Request{Product: "other"}, want: []license.Code{license.CodeProductMismatch}},
		{name: "required, not said", plan: requires, want: []license.Code{license.CodeProductRequired}},
		{name: "required, said", plan: requires, request: license.Request{Product: "acme"}},
		{name: "required, another", plan: requires, request: license.Request{Product: "Acme"}, want: []license.Code{license.CodeProductMismatch}},
	} {
		q.check(t)
	}
}

func TestTheLifeOfALicenseIsJudged(t *testing.T) {
	at := func(n time.Duration) time.Time { return noon.Add(time.Hour).Add(n) }
	expired := func(l *license.License) { l.ExpiresAt = at(0) }
	grace := func(p *license.Plan) { p.Grace = lasting("PT10M") }
	for _, q := range []question{
		{name: "active"},
		{name: "revoked", license: func(l *license.License) { l.State = license.Revoked }, want: []license.Code{license.CodeRevoked}},
		{name: "suspended", license: func(l *license.License) { l.State = license.Suspended }, want: []license.Code{license.CodeSuspended}},
		{name: "about to start", license: func(l *license.License) { l.StartsAt = at(1) }, want: []license.Code{license.CodeScheduled}},
		{name: "starting", license: func(l *license.License) { l.StartsAt = at(0) }},
		{name: "about to end", license: func(l *license.License) { l.ExpiresAt = at(1) }},
		{name: "at its end", license: expired, want: []license.Code{license.CodeExpired}},
		{name: "at its end, with grace", license: expired, plan: grace, want: []license.Code{license.CodeGrace}},
		{name: "at the end of grace", license: func(l *license.License) { l.ExpiresAt = at(-10 * time.Minute) }, plan: grace,
			want: []license.Code{license.CodeExpired}},
		{name: "revoked and expired", license: func(l *license.License) { expired(l); l.State = license.Revoked },
			want: []license.Code{license.CodeRevoked, license.CodeExpired}},
		{name: "suspended in grace", license: func(l *license.License) { expired(l); l.State = license.Suspended }, plan: grace,
			want: []license.Code{license.CodeSuspended, license.CodeGrace}},
	} {
		q.check(t)
	}
}

func TestSeatsAreJudgedWhereTheirKindHasALimit(t *testing.T) {
	a, b, c := machine("a"), machine("b"), machine("c")
	limit := func(n, overage int) func(*license.Plan) {
		return func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(n), overage }
	}
	lowered := func(n int) func(*license.License) {
		return func(l *license.License) { l.Overrides.MaxMachines = &license.Limit{Max: &n} }
	}
	for _, q := range []question{
		{name: "no limit, no seat", request: from(a)},
		{name: "no limit, a seat", seats: []license.Subject{a}, request: from(a)},
		{name: "not said", plan: limit(2, 0), want: []license.Code{license.CodeFingerprintRequired}},
		{name: "room is left", plan: limit(2, 0), seats: []license.Subject{a}, request: from(b), want: []license.Code{license.CodeNotActivated}},
		{name: "a seat", plan: limit(2, 0), seats: []license.Subject{a}, request: from(a)},
		{name: "no room is left", plan: limit(2, 0), seats: []license.Subject{a, b}, request: from(c), want: []license.Code{license.CodeMachineLimitReached}},
		{name: "a seat, and no room", plan: limit(2, 0), seats: []license.Subject{a, b}, request: from(b)},
		{name: "none at all", plan: limit(0, 1000), request: from(a), want: []license.Code{license.CodeMachineLimitReached}},
		{name: "room by overage", plan: limit(2, 50), seats: []license.Subject{a, b}, request: from(c), want: []license.Code{license.CodeNotActivated}},
		{name: "overage rounded down", plan: limit(2, 49), seats: []license.Subject{a, b}, request: from(c), want: []license.Code{license.CodeMachineLimitReached}},
		{name: "in overage", plan: limit(2, 50), seats: []license.Subject{a, b, c}, request: from(a), want: []license.Code{license.CodeOverage}},
		{name: "in overage, and no room", plan: limit(2, 50), seats: []license.Subject{a, b, c}, request: from(machine("d")),
			want: []license.Code{license.CodeMachineLimitReached, license.CodeOverage}},
		{name: "a seat over a lowered limit", plan: limit(2, 0), seats: []license.Subject{a, b}, license: lowered(1), request: from(b),
			want: []license.Code{license.CodeOverage}},
		{name: "a seat under a limit of none", plan: limit(2, 0), seats: []license.Subject{a}, license: lowered(0), request: from(a),
			want: []license.Code{license.CodeOverage}},
		{name: "overage, whoever asks", plan: limit(1, 100), seats: []license.Subject{a, b}, request: from(domain(t, "a.com")),
			want: []license.Code{license.CodeFingerprintRequired, license.CodeOverage}},
	} {
		q.check(t)
	}
}

func TestDomainsAreJudged(t *testing.T) {
	a, b := domain(t, "a.example.com"), domain(t, "b.example.com")
	one := func(p *license.Plan) { p.MaxDomains = new(1) }
	only := func(patterns ...string) func(*license.License) {
		return func(l *license.License) { l.AllowedDomains = patterns }
	}
	for _, q := range []question{
		{name: "any", request: from(a)},
		{name: "allowed", license: only("*.example.com"), request: from(a)},
		{name: "not allowed", license: only("example.com"), request: from(a), want: []license.Code{license.CodeDomainNotAllowed}},
		{name: "not said", plan: one, want: []license.Code{license.CodeDomainRequired}},
		{name: "room is left", plan: one, request: from(a), want: []license.Code{license.CodeNotActivated}},
		{name: "a seat, in another form", plan: one, seats: []license.Subject{a}, request: from(domain(t, "A.Example.com.:443"))},
		{name: "no room is left", plan: one, seats: []license.Subject{a}, request: from(b), want: []license.Code{license.CodeDomainLimitReached}},
		{name: "a seat, and not allowed any more", plan: one, seats: []license.Subject{a}, license: only("b.example.com"), request: from(a),
			want: []license.Code{license.CodeDomainNotAllowed}},
		{name: "no room, and not allowed", plan: one, seats: []license.Subject{a}, license: only("a.example.com"), request: from(b),
			want: []license.Code{license.CodeDomainNotAllowed, license.CodeDomainLimitReached}},
		{name: "with a machine that has no limit", plan: one, seats: []license.Subject{a},
			request: license.Request{Domain: &a, Fingerprint: new(machine("m"))}},
	} {
		q.check(t)
	}
}

func TestEntitlementsAreJudged(t *testing.T) {
	plan := func(p *license.Plan) {
		p.Entitlements = []license.Entitlement{{Code: "sso"}, {Code: "beta", ExpiresAt: noon.Add(time.Hour)}, {Code: "trial", ExpiresAt: noon.Add(2 * time.Hour)}}
	}
	missing := license.CodeEntitlementMissing
	for _, q := range []question{
		{name: "none asked", plan: plan},
		{name: "granted", plan: plan, request: license.Request{Entitlements: []string{"sso", "trial"}}},
		{name: "unknown", plan: plan, request: license.Request{Entitlements: []string{"api"}}, want: []license.Code{missing}},
		{name: "ended", plan: plan, request: license.Request{Entitlements: []string{"beta"}}, want: []license.Code{missing}},
		{name: "twice the same", plan: plan, request: license.Request{Entitlements: []string{"api", "api", "beta"}}, want: []license.Code{missing, missing}},
		{name: "prolonged by the license", plan: plan, request: license.Request{Entitlements: []string{"beta"}},
			license: func(l *license.License) { l.Overrides.Entitlements = []license.Entitlement{{Code: "beta"}} }},
		{name: "ended by the license", plan: plan, request: license.Request{Entitlements: []string{"sso"}}, want: []license.Code{missing},
			license: func(l *license.License) {
				l.Overrides.Entitlements = []license.Entitlement{{Code: "sso", ExpiresAt: noon}}
			}},
	} {
		q.check(t)
	}
}

func TestEveryBrokenRuleIsAReasonInTheOrderOfTheList(t *testing.T) {
	host := domain(t, "a.example.org")
	q := question{
		plan: func(p *license.Plan) {
			p.MaxMachines, p.MaxDomains, p.OveragePercent = new(1), new(0), 100
			p.RequireProduct, p.Grace = true, lasting("P1D")
		},
		license: func(l *license.License) {
			l.State, l.StartsAt, l.ExpiresAt, l.AllowedDomains = license.Suspended, noon.Add(2*time.Hour), noon, []string{"example.com"}
		},
		seats:   []license.Subject{machine("a"), machine("b")},
		request: license.Request{Fingerprint: new(machine("c")), Domain: &host, Entitlements: []string{"sso"}},
		want: []license.Code{
			license.CodeProductRequired, license.CodeSuspended, license.CodeScheduled, license.CodeDomainNotAllowed,
			license.CodeMachineLimitReached, license.CodeDomainLimitReached, license.CodeEntitlementMissing,
			license.CodeOverage, license.CodeGrace,
		},
	}
	q.check(t)

	q.request.Fingerprint, q.request.Domain = nil, nil
	q.plan = func(p *license.Plan) { p.RequireFingerprint, p.RequireDomain = new(true), new(true) }
	q.license = nil
	q.want = []license.Code{license.CodeFingerprintRequired, license.CodeDomainRequired, license.CodeEntitlementMissing}
	q.check(t)
}

// Every launch of every program asks.
func TestAYesAllocatesNothing(t *testing.T) {
	plan := planned(func(p *license.Plan) {
		p.MaxMachines, p.LeaseDuration, p.Grace, p.RequireProduct = new(2), lasting("PT2H"), lasting("P14D"), true
		p.Entitlements = entitlements(10)
	})
	l, product := issued(t, plan, license.IssueSpec{}), acme()
	seated(t, l, plan, machine("a"), noon)
	r := license.Request{Product: "acme", Fingerprint: new(machine("a")), Entitlements: []string{"e1", "e9"}}
	if d := license.Decide(l, plan, product, r, noon); !d.Valid {
		t.Fatal(d.Code)
	}
	if n := testing.AllocsPerRun(100, func() { license.Decide(l, plan, product, r, noon) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestTheListOfCodesIsTheContracts(t *testing.T) {
	want := []license.Code{
		"KEY_MALFORMED", "NOT_FOUND", "PRODUCT_REQUIRED", "PRODUCT_MISMATCH", "REVOKED", "SUSPENDED", "SCHEDULED", "EXPIRED",
		"FINGERPRINT_REQUIRED", "DOMAIN_REQUIRED", "DOMAIN_NOT_ALLOWED",
		"MACHINE_LIMIT_REACHED", "DOMAIN_LIMIT_REACHED", "NOT_ACTIVATED", "CHECKED_OUT",
		"ENTITLEMENT_MISSING", "OVERAGE", "GRACE", "VALID",
	}
	if diff := cmp.Diff(want, license.Codes()); diff != "" {
		t.Error(diff)
	}
}

func TestAKeyThatLeadsNowhereIsRefused(t *testing.T) {
	for _, code := range []license.Code{license.CodeKeyMalformed, license.CodeNotFound} {
		d := license.Refused(code)
		if d.Valid || d.Code != code || !slices.Equal(codes(d), []license.Code{code}) || !d.Reasons[0].Blocking || d.Reasons[0].Message == "" ||
			!d.GoodUntil.IsZero() || !d.RefreshAt(noon, time.Hour).Equal(noon.Add(time.Minute)) {
			t.Errorf("%s is %+v", code, d)
		}
	}
}
