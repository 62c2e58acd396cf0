package license_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
)

func TestAHolderFreesItsSeat(t *testing.T) {
	plan := floating(func(p *license.Plan) { p.MaxMachines = new(3) })
	l := issued(t, plan, license.IssueSpec{})
	for _, m := range []string{"a", "b", "c"} {
		seated(t, l, plan, machine(m), noon)
	}
	shared := l.Seats
	removed, refusal := l.Deactivate("act_b", noon)
	if removed == nil || removed.ID != "act_b" || refusal != nil {
		t.Errorf("removed %v, %v", removed, refusal)
	}
	if removed, refusal = l.Deactivate("act_b", noon); removed != nil || refusal != nil {
		t.Errorf("a seat that is gone: removed %v, %v", removed, refusal)
	}
	if d := cmp.Diff([]string{"act_a", "act_c"}, ids(l.Seats)) + cmp.Diff([]string{"act_a", "act_b", "act_c"}, ids(shared)); d != "" {
		t.Error(d)
	}
}

func TestASeatWithASignedLicenseOutIsFreedByStaffOnly(t *testing.T) {
	plan := floating(nil)
	l := issued(t, plan, license.IssueSpec{})
	seated(t, l, plan, machine("a"), noon)
	out := noon.Add(24 * time.Hour)
	l.Seats[0].OfflineUntil = out
	removed, refusal := l.Deactivate("act_a", out.Add(-1))
	want := &license.Reason{
		Code: license.CodeCheckedOut, Message: "A signed license is out for this seat until 2026-11-22T12:00:00Z.",
		Blocking: true, Subject: new("a"), Until: &out,
	}
	if d := cmp.Diff(want, refusal); d != "" || removed != nil || len(l.Seats) != 1 {
		t.Errorf("removed %v, %s", removed, d)
	}
	if removed = l.RemoveSeat("act_a"); removed == nil || len(l.Seats) != 0 {
		t.Errorf("staff removed %v", removed)
	}
	if removed = l.RemoveSeat("act_a"); removed != nil {
		t.Errorf("staff removed %v again", removed)
	}
}

func TestTheHolderFreesASeatWhenTheSignedLicenseEnds(t *testing.T) {
	l := issued(t, floating(nil), license.IssueSpec{})
	seated(t, l, floating(nil), machine("a"), noon)
	l.Seats[0].OfflineUntil = noon.Add(time.Hour)
	if removed, refusal := l.Deactivate("act_a", noon.Add(time.Hour)); removed == nil || refusal != nil {
		t.Errorf("removed %v, %v", removed, refusal)
	}
}

func TestAHeartbeatRenewsALeaseOfWhichAThirdIsGone(t *testing.T) {
	type outcome struct {
		Held  bool
		Until time.Time
		Write bool
	}
	hour := noon.Add(time.Hour)
	at := noon.Add
	kept := planned(func(p *license.Plan) { p.MaxMachines = new(1) })
	for _, c := range []struct {
		name   string
		taken  *license.Plan // under which the seat was taken at noon
		change func(*license.Activation)
		plan   *license.Plan
		who    string
		now    time.Time
		want   outcome
	}{
		{"at once", floating(nil), nil, floating(nil), "a", noon, outcome{true, hour, false}},
		{"with over two thirds left", floating(nil), nil, floating(nil), "a", at(20*time.Minute - 1), outcome{true, hour, false}},
		{"with two thirds left", floating(nil), nil, floating(nil), "a", at(20 * time.Minute), outcome{true, at(80 * time.Minute), true}},
		{"with nearly nothing left", floating(nil), nil, floating(nil), "a", at(time.Hour - time.Millisecond), outcome{true, at(2*time.Hour - time.Millisecond), true}},
		{"run out", floating(nil), nil, floating(nil), "a", hour, outcome{}},
		{"of another", floating(nil), nil, floating(nil), "b", noon, outcome{}},
		{"under a plan without leases", kept, nil, kept, "a", hour, outcome{Held: true}},
		{"run out, under a plan without leases", floating(nil), nil, kept, "a", hour, outcome{Held: true}},
		{"without a lease yet", kept, nil, floating(nil), "a", hour, outcome{true, at(2 * time.Hour), true}},
		{"with a signed license out for longer", floating(nil), func(a *license.Activation) { a.OfflineUntil = at(9 * time.Hour) }, floating(nil), "a", at(50 * time.Minute),
			outcome{true, at(9 * time.Hour), false}},
		{"held by a signed license alone", floating(nil), func(a *license.Activation) { a.OfflineUntil = at(61 * time.Minute) }, floating(nil), "a", hour,
			outcome{true, at(61 * time.Minute), false}},
		{"with a signed license out that ends before the new lease", floating(nil), func(a *license.Activation) { a.OfflineUntil = at(61 * time.Minute) }, floating(nil), "a", at(30 * time.Minute),
			outcome{true, at(90 * time.Minute), true}},
	} {
		l := issued(t, c.taken, license.IssueSpec{})
		seated(t, l, c.taken, machine("a"), noon)
		if c.change != nil {
			c.change(&l.Seats[0])
		}
		before := copied(t, l)
		got := l.Heartbeat(c.plan, machine(c.who), c.now)
		if d := cmp.Diff(c.want, outcome{got.Seat != nil, got.Until, got.Write}); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if d := diff(before, l); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestALeaseThatWasMovedIsSeenInANewLicenseAlone(t *testing.T) {
	plan := floating(func(p *license.Plan) { p.MaxMachines = new(2) })
	l := issued(t, plan, license.IssueSpec{})
	for _, m := range []string{"a", "b"} {
		seated(t, l, plan, machine(m), noon)
	}
	before := copied(t, l)
	seen, until := noon.Add(20*time.Minute), noon.Add(80*time.Minute)
	want := copied(t, l)
	want.Seats[1].LeaseUntil, want.Seats[1].LastSeenAt = until, seen
	if d := diff(want, l.WithLease("act_b", until, seen.Add(700*time.Microsecond))); d != "" {
		t.Error(d)
	}
	want.Seats[1].LastSeenAt = noon
	if d := diff(want, l.WithLease("act_b", until, noon.Add(-time.Minute))); d != "" {
		t.Errorf("by a clock that is behind: %s", d)
	}
	if d := diff(before, l); d != "" {
		t.Errorf("the license itself was changed: %s", d)
	}
}
