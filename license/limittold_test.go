package license_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
)

func TestALimitIsToldOfOnceAnHourAndKind(t *testing.T) {
	var l license.License
	for _, step := range []struct {
		after time.Duration
		kind  license.SeatKind
		want  bool
	}{
		{0, license.Machine, true},
		{0, license.Machine, false},
		{time.Minute, license.Domain, true},
		{time.Hour - time.Millisecond, license.Machine, false},
		{time.Hour, license.Machine, true},
		{time.Hour, license.Domain, false},
		{time.Hour - time.Second, license.Machine, false}, // another server's clock
		{time.Hour + time.Minute, license.Domain, true},
		{-24 * time.Hour, license.Machine, true}, // a clock that was set back
		{-23 * time.Hour, license.Machine, true},
	} {
		if got := l.TellLimit(step.kind, noon.Add(step.after)); got != step.want {
			t.Errorf("%s after %v: told %t", step.kind, step.after, got)
		}
	}
	want := license.LimitTold{Machines: noon.Add(-23 * time.Hour), Domains: noon.Add(time.Hour + time.Minute)}
	if diff := cmp.Diff(want, l.LimitTold); diff != "" {
		t.Error(diff)
	}
}

func TestASeatIsLackingWhereNothingElseIsInTheWay(t *testing.T) {
	p := floating(func(p *license.Plan) { p.MaxMachines, p.MaxDomains = new(1), new(1) })
	for name, tt := range map[string]struct {
		held    []license.Subject
		subject license.Subject
		with    *license.Subject // what else the request names
		state   license.State
		want    []license.SeatKind
	}{
		"room":                 {nil, machine("a"), nil, license.Issued, nil},
		"its own":              {[]license.Subject{machine("a")}, machine("a"), nil, license.Issued, nil},
		"full":                 {[]license.Subject{machine("b")}, machine("a"), nil, license.Issued, []license.SeatKind{license.Machine}},
		"full and suspended":   {[]license.Subject{machine("b")}, machine("a"), nil, license.Suspended, nil},
		"the other kind":       {[]license.Subject{domain(t, "b.example")}, machine("a"), new(domain(t, "a.example")), license.Issued, []license.SeatKind{license.Domain}},
		"the other, not named": {[]license.Subject{domain(t, "b.example")}, machine("a"), nil, license.Issued, nil},
		"both": {
			[]license.Subject{machine("b"), domain(t, "b.example")}, machine("a"), new(domain(t, "a.example")), license.Issued,
			[]license.SeatKind{license.Machine, license.Domain},
		},
	} {
		l := issued(t, p, license.IssueSpec{})
		for _, s := range tt.held {
			if _, err := l.Activate(p, s, "act_"+s.Text, "", "", noon); err != nil {
				t.Fatal(err)
			}
		}
		l.State = tt.state
		r := license.Request{Product: acme().Code}
		for _, s := range []*license.Subject{&tt.subject, tt.with} {
			switch {
			case s == nil:
			case s.Kind == license.Domain:
				r.Domain = s
			default:
				r.Fingerprint = s
			}
		}
		d := license.Decide(l, p, acme(), r, noon)
		if diff := cmp.Diff(tt.want, d.LacksSeat(tt.subject)); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
		if d.AllowsActivation(tt.subject) && len(tt.want) > 0 {
			t.Errorf("%s: allowed all the same", name)
		}
	}
}
