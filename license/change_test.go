package license_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
)

// inState gives a license in a state.
func inState(t *testing.T, state license.State) *license.License {
	t.Helper()
	l := issued(t, planned(nil), license.IssueSpec{})
	l.State = state
	if state != license.Issued {
		l.Reason = "before"
	}
	return l
}

func TestStatesChangeAsStaffExpect(t *testing.T) {
	suspend := func(l *license.License) error { return l.Suspend("now", noon.Add(time.Hour)) }
	revoke := func(l *license.License) error { return l.Revoke("now", noon.Add(time.Hour)) }
	reinstate := func(l *license.License) error { return l.Reinstate("now", noon.Add(time.Hour)) }
	for _, c := range []struct {
		name   string
		from   license.State
		change func(*license.License) error
		to     license.State // empty: refused
		reason string
	}{
		{"suspend", license.Issued, suspend, license.Suspended, "now"},
		{"suspend what is suspended", license.Suspended, suspend, "", ""},
		{"suspend what is revoked", license.Revoked, suspend, "", ""},
		{"revoke", license.Issued, revoke, license.Revoked, "now"},
		{"revoke what is suspended", license.Suspended, revoke, license.Revoked, "now"},
		{"revoke what is revoked", license.Revoked, revoke, "", ""},
		{"reinstate what is issued", license.Issued, reinstate, "", ""},
		{"reinstate what is suspended", license.Suspended, reinstate, license.Issued, "now"},
		{"reinstate what is revoked", license.Revoked, reinstate, license.Issued, "now"},
	} {
		l := inState(t, c.from)
		want := copied(t, l)
		err := c.change(l)
		if c.to == "" {
			wantState(t, err)
		} else {
			want.State, want.Reason, want.UpdatedAt = c.to, c.reason, noon.Add(time.Hour)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if d := diff(want, l); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestAReasonThatIsTooLongChangesNothing(t *testing.T) {
	long := strings.Repeat("x", 1001)
	for _, c := range []struct {
		from   license.State
		change func(*license.License) error
	}{
		{license.Issued, func(l *license.License) error { return l.Suspend(long, noon) }},
		{license.Suspended, func(l *license.License) error { return l.Revoke(long, noon) }},
		{license.Revoked, func(l *license.License) error { return l.Reinstate(long, noon) }},
	} {
		l := inState(t, c.from)
		before := copied(t, l)
		wantFields(t, c.change(l), "reason")
		if d := diff(before, l); d != "" {
			t.Errorf("%s: %s", c.from, d)
		}
	}
}

func TestReinstatingAnExpiredLicenseSaysToRenewIt(t *testing.T) {
	l := inState(t, license.Issued)
	err := l.Reinstate("", l.ExpiresAt)
	wantState(t, err)
	if !strings.Contains(err.Error(), "renew") {
		t.Error(err)
	}
}

func TestRenewAddsToTheEnd(t *testing.T) {
	expiry := planned(func(p *license.Plan) { p.RenewalBasis = license.FromExpiry })
	laterOf := planned(nil)
	endless := planned(func(p *license.Plan) { p.Duration = nil })
	end := instant("2027-02-28T00:00:00Z")
	for _, c := range []struct {
		name  string
		plan  *license.Plan
		until *time.Time
		now   time.Time
		want  time.Time
	}{
		{"from the end, before it", expiry, nil, noon, instant("2028-02-28T00:00:00Z")},
		{"from the end, long after it", expiry, nil, end.AddDate(2, 0, 0), instant("2028-02-28T00:00:00Z")},
		{"from the later, before the end", laterOf, nil, noon, instant("2028-02-28T00:00:00Z")},
		{"from the later, after the end", laterOf, nil, instant("2028-02-29T12:00:00Z"), instant("2029-02-28T12:00:00Z")},
		{"until a given time", laterOf, new(instant("2030-01-01T00:00:00+01:00")), noon, instant("2029-12-31T23:00:00Z")},
		{"until a given time, under a plan without a duration", endless, new(end.Add(time.Hour)), noon, end.Add(time.Hour)},
		{"until its end, as a retry does", laterOf, &end, noon, end},
	} {
		l := issued(t, laterOf, license.IssueSpec{ExpiresAt: &end})
		l.State, l.Reason = license.Suspended, "unpaid"
		want := copied(t, l)
		if !c.want.Equal(end) {
			want.ExpiresAt, want.UpdatedAt = c.want, c.now
		}
		if err := l.Renew(c.plan, c.until, c.now); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := diff(want, l); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestRenewIsRefusedWhereThereIsNothingToRenew(t *testing.T) {
	year := planned(nil)
	first := planned(func(p *license.Plan) { p.ExpiryBasis = license.FromFirstActivation })
	endless := planned(func(p *license.Plan) { p.Duration = nil })
	revoked := func(l *license.License) { l.State = license.Revoked }
	for _, c := range []struct {
		name   string
		issue  *license.Plan
		change func(*license.License)
		renew  *license.Plan
		until  *time.Time
		says   string
	}{
		{"revoked", year, revoked, year, nil, "reinstate"},
		{"revoked, until a time", year, revoked, year, new(noon.AddDate(9, 0, 0)), "reinstate"},
		{"without an end", endless, nil, year, nil, "never ends"},
		{"without an end, until a time", endless, nil, year, new(noon.AddDate(9, 0, 0)), "never ends"},
		{"not activated", first, nil, first, nil, "not activated"},
		{"by a plan without a duration", year, nil, endless, nil, "until when"},
	} {
		l := issued(t, c.issue, license.IssueSpec{})
		if c.change != nil {
			c.change(l)
		}
		before := copied(t, l)
		err := l.Renew(c.renew, c.until, noon)
		wantState(t, err)
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := diff(before, l); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestRenewDoesNotShortenALicense(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{})
	before := copied(t, l)
	wantFields(t, l.Renew(planned(nil), new(l.ExpiresAt.Add(-time.Millisecond)), noon), "until")
	wantFields(t, l.Renew(planned(nil), new(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)), noon), "until")
	wantFields(t, l.Renew(planned(nil), new(time.Time{}), noon), "until")
	if d := diff(before, l); d != "" {
		t.Error(d)
	}
}
