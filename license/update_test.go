package license_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
)

// everything is an update of every field.
func everything() license.Update {
	return license.Update{
		ExternalID: new("order 7"), Customer: &license.Customer{Name: "Ada"},
		StartsAt: new(noon.Add(time.Hour)), ExpiresAt: new(noon.AddDate(2, 0, 0)),
		MaxMachines: &license.Limit{Max: new(7)}, MaxDomains: &license.Limit{}, Grace: lasting("P3D"),
		Entitlements: []license.Entitlement{{Code: "export"}}, AllowedDomains: []string{"Example.COM."},
		Metadata: json.RawMessage(`{"a":1}`),
	}
}

func updated(t *testing.T, l *license.License, u license.Update) {
	t.Helper()
	if err := l.Update(planned(nil), u, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
}

func TestAnUpdateReplacesWhatItGivesAndNothingElse(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{Customer: license.Customer{Email: "ada@example.com"}})
	want := copied(t, l)
	updated(t, l, license.Update{})
	want.UpdatedAt = noon.Add(time.Minute)
	if d := diff(want, l); d != "" {
		t.Errorf("nothing given: %s", d)
	}
	u := everything()
	updated(t, l, u)
	want.ExternalID, want.Customer, want.StartsAt, want.ExpiresAt = *u.ExternalID, *u.Customer, *u.StartsAt, *u.ExpiresAt
	want.Overrides = license.Overrides{MaxMachines: u.MaxMachines, MaxDomains: u.MaxDomains, Grace: u.Grace, Entitlements: u.Entitlements}
	want.AllowedDomains, want.Metadata = []string{"example.com"}, u.Metadata
	if d := diff(want, l); d != "" {
		t.Errorf("everything given: %s", d)
	}
}

func TestEachFieldIsEmptiedByItsName(t *testing.T) {
	for _, f := range license.ClearFields() {
		l := issued(t, planned(nil), license.IssueSpec{})
		updated(t, l, everything())
		want := copied(t, l)
		switch f {
		case license.ClearExternalID:
			want.ExternalID = ""
		case license.ClearCustomer:
			want.Customer = license.Customer{}
		case license.ClearStartsAt:
			want.StartsAt = time.Time{}
		case license.ClearExpiresAt:
			want.ExpiresAt = time.Time{}
		case license.ClearMaxMachines:
			want.Overrides.MaxMachines = nil
		case license.ClearMaxDomains:
			want.Overrides.MaxDomains = nil
		case license.ClearGrace:
			want.Overrides.Grace = nil
		case license.ClearEntitlements:
			want.Overrides.Entitlements = nil
		case license.ClearAllowedDomains:
			want.AllowedDomains = nil
		}
		updated(t, l, license.Update{Clear: []license.ClearField{f, f}})
		if d := diff(want, l); d != "" {
			t.Errorf("clear %s: %s", f, d)
		}
		u := everything()
		u.Clear = []license.ClearField{f}
		wantFields(t, l.Update(planned(nil), u, noon), "clear")
		if d := diff(want, l); d != "" {
			t.Errorf("%s both set and cleared: %s", f, d)
		}
	}
}

func TestAnEndThatIsSetOrClearedIsFinal(t *testing.T) {
	first := planned(func(p *license.Plan) { p.ExpiryBasis = license.FromFirstActivation })
	end := noon.AddDate(0, 1, 0)
	for _, c := range []struct {
		name    string
		u       license.Update
		awaits  bool
		ends    time.Time // before the first activation
		endsYet time.Time // after it, a day later
	}{
		{"nothing", license.Update{}, true, time.Time{}, noon.AddDate(1, 0, 1)},
		{"set", license.Update{ExpiresAt: &end}, false, end, end},
		{"cleared", license.Update{Clear: []license.ClearField{license.ClearExpiresAt}}, false, time.Time{}, time.Time{}},
		{"a start", license.Update{StartsAt: &end}, true, time.Time{}, end.AddDate(1, 0, 0)},
	} {
		l := issued(t, first, license.IssueSpec{})
		if err := l.Update(first, c.u, noon); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if l.AwaitsActivation != c.awaits || !l.ExpiresAt.Equal(c.ends) {
			t.Errorf("%s: awaits %t, ends %v", c.name, l.AwaitsActivation, l.ExpiresAt)
		}
		l.MarkActivated(first, noon.AddDate(0, 0, 1))
		if !l.ExpiresAt.Equal(c.endsYet) {
			t.Errorf("%s: activated, it ends %v, want %v", c.name, l.ExpiresAt, c.endsYet)
		}
	}
}

func TestAnEndMustBeAfterTheStart(t *testing.T) {
	start, end := noon.AddDate(0, 1, 0), noon.AddDate(0, 2, 0)
	for _, c := range []struct {
		name string
		u    license.Update
		bad  string
	}{
		{"an end before the start", license.Update{ExpiresAt: new(start.Add(-1))}, "expiresAt"},
		{"an end at the start", license.Update{ExpiresAt: &start}, "expiresAt"},
		{"a start at the end", license.Update{StartsAt: &end}, "startsAt"},
		{"both", license.Update{StartsAt: &end, ExpiresAt: &start}, "expiresAt"},
		{"a start that is none", license.Update{StartsAt: new(time.Time{})}, "startsAt"},
		{"an end that is none", license.Update{ExpiresAt: new(time.Time{})}, "expiresAt"},
	} {
		l := issued(t, planned(nil), license.IssueSpec{StartsAt: &start, ExpiresAt: &end})
		before := copied(t, l)
		err := l.Update(planned(nil), c.u, noon)
		t.Run(c.name, func(t *testing.T) { wantFields(t, err, c.bad) })
		if d := diff(before, l); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		updated(t, l, license.Update{StartsAt: &end, Clear: []license.ClearField{license.ClearExpiresAt}})
	}
}

func TestABadUpdateNamesEachBadField(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{})
	before := copied(t, l)
	wantFields(t, l.Update(planned(nil), license.Update{
		ExternalID: new("\x00"), Customer: &license.Customer{Email: "nobody"}, MaxMachines: &license.Limit{Max: new(-1)},
		MaxDomains: &license.Limit{Max: new(license.MaxSeats + 1)}, Entitlements: []license.Entitlement{{}},
		AllowedDomains: []string{"a.example", "-/-"}, Metadata: json.RawMessage(`[]`),
	}, noon), "externalId", "customer.email", "maxMachines", "maxDomains", "entitlements.0.code", "allowedDomains.1", "metadata")
	if d := diff(before, l); d != "" {
		t.Error(d)
	}
}

func TestLimitsAreJudgedWhereAnUpdateChangesThemAlone(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{Overrides: license.Overrides{MaxMachines: &license.Limit{Max: new(6000)}}})
	outgrown := planned(func(p *license.Plan) { p.OveragePercent = 100 })
	if err := l.Update(outgrown, license.Update{ExternalID: new("7")}, noon); err != nil {
		t.Errorf("limits that stay as they are: %v", err)
	}
	wantFields(t, l.Update(outgrown, license.Update{MaxDomains: &license.Limit{Max: new(1)}}, noon), "maxMachines")
	to := planned(func(p *license.Plan) { p.ID, p.OveragePercent = "plan_y", 100 })
	fitting := license.Update{Plan: to, MaxMachines: &license.Limit{Max: new(5000)}}
	if err := l.Update(outgrown, fitting, noon); err != nil {
		t.Errorf("a plan with a limit that fits it: %v", err)
	}
}

func TestAChangeOfPlanKeepsEndAndSeats(t *testing.T) {
	small := planned(func(p *license.Plan) { p.MaxMachines = new(2) })
	smaller := planned(func(p *license.Plan) { p.ID, p.MaxMachines, p.Duration = "plan_y", new(1), lasting("P1D") })
	l := issued(t, small, license.IssueSpec{})
	seated(t, l, small, machine("a"), noon)
	seated(t, l, small, machine("b"), noon)
	want := copied(t, l)
	want.PlanID, want.UpdatedAt = "plan_y", noon.Add(time.Hour)
	if err := l.Update(small, license.Update{Plan: smaller}, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if d := diff(want, l); d != "" {
		t.Error(d)
	}
	if d := license.Decide(l, smaller, acme(), from(machine("b")), noon); !d.Valid || d.Code != license.CodeOverage {
		t.Errorf("a seat over the new limit is %s", d.Code)
	}
}

func TestAChangeOfPlanIsRefusedWhereItDoesNotFit(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{Overrides: license.Overrides{MaxMachines: &license.Limit{Max: new(6000)}}})
	before := copied(t, l)
	move := func(change func(*license.Plan)) error {
		return l.Update(planned(nil), license.Update{Plan: planned(change)}, noon)
	}
	wantFields(t, move(func(p *license.Plan) { p.ProductID = license.ProductID("other") }), "plan")
	wantFields(t, move(func(p *license.Plan) { p.ID, p.OveragePercent = "plan_y", 100 }), "maxMachines")
	wantState(t, move(func(p *license.Plan) { p.ID, p.Archived = "plan_y", true }))
	if d := diff(before, l); d != "" {
		t.Error(d)
	}
	if err := move(func(p *license.Plan) { p.Archived = true }); err != nil {
		t.Errorf("its own plan, archived: %v", err)
	}
}
