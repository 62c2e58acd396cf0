package license_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
)

// floating gives a plan of one machine at a time, save for what change makes
// of it, with a lease of an hour.
func floating(change func(*license.Plan)) *license.Plan {
	return planned(func(p *license.Plan) {
		p.MaxMachines, p.LeaseDuration = new(1), lasting("PT1H")
		if change != nil {
			change(p)
		}
	})
}

func ids(seats []license.Activation) []string {
	var all []string
	for _, a := range seats {
		all = append(all, a.ID)
	}
	return all
}

func TestActivateTakesASeat(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  *license.Plan
		lease time.Time
	}{
		{"kept until released", planned(func(p *license.Plan) { p.MaxMachines = new(1) }), time.Time{}},
		{"with a lease", floating(nil), noon.Add(time.Hour)},
		{"where none is needed", planned(nil), time.Time{}},
	} {
		l := issued(t, c.plan, license.IssueSpec{})
		got, err := l.Activate(c.plan, machine("a"), "act_a", "Ann's", "linux", noon.Add(300*time.Microsecond))
		if err != nil {
			t.Fatal(err)
		}
		seat := license.Activation{
			ID: "act_a", Kind: license.Machine, Subject: "a", Name: "Ann's", Platform: "linux",
			CreatedAt: noon, LastSeenAt: noon, LeaseUntil: c.lease,
		}
		if d := diff(license.ActivateResult{Seat: &seat, Created: true}, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if d := diff([]license.Activation{seat}, l.Seats); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestActivateFindsTheSeatThatIsHeld(t *testing.T) {
	l := issued(t, floating(nil), license.IssueSpec{})
	if _, err := l.Activate(floating(nil), machine("a"), "act_a", "Ann's", "linux", noon); err != nil {
		t.Fatal(err)
	}
	now := noon.Add(time.Minute)
	got, err := l.Activate(floating(nil), machine("a"), "act_other", "", "plan9", now)
	if err != nil {
		t.Fatal(err)
	}
	want := license.Activation{
		ID: "act_a", Kind: license.Machine, Subject: "a", Name: "Ann's", Platform: "plan9",
		CreatedAt: noon, LastSeenAt: now, LeaseUntil: now.Add(time.Hour),
	}
	if d := diff(license.ActivateResult{Seat: &want}, got); d != "" {
		t.Error(d)
	}
	if d := diff([]license.Activation{want}, l.Seats); d != "" {
		t.Error(d)
	}
}

func TestASeatThatRanOutIsTakenAnewUnderItsID(t *testing.T) {
	l := issued(t, floating(nil), license.IssueSpec{})
	seated(t, l, floating(nil), machine("a"), noon)
	now := noon.Add(2 * time.Hour)
	got, err := l.Activate(floating(nil), machine("a"), "act_other", "", "", now)
	if err != nil {
		t.Fatal(err)
	}
	want := license.Activation{
		ID: "act_a", Kind: license.Machine, Subject: "a", CreatedAt: now, LastSeenAt: now, LeaseUntil: now.Add(time.Hour),
	}
	if d := diff(license.ActivateResult{Seat: &want, Created: true}, got); d != "" || len(l.Seats) != 1 {
		t.Errorf("%d seats %s", len(l.Seats), d)
	}
}

func TestActivateNeverShortensALease(t *testing.T) {
	l := issued(t, floating(nil), license.IssueSpec{})
	seated(t, l, floating(nil), machine("a"), noon)
	short := floating(func(p *license.Plan) { p.LeaseDuration = lasting("PT10S") })
	got := seated(t, l, short, machine("a"), noon.Add(time.Second))
	if !got.Seat.LeaseUntil.Equal(noon.Add(time.Hour)) {
		t.Errorf("the lease ends at %s", got.Seat.LeaseUntil)
	}
	l.Seats[0].OfflineUntil = noon.Add(5 * time.Hour)
	if got = seated(t, l, short, machine("a"), noon.Add(time.Second)); !got.Seat.LeaseUntil.Equal(noon.Add(5 * time.Hour)) {
		t.Errorf("the lease ends at %s, before the signed license", got.Seat.LeaseUntil)
	}
}

func TestActivateIsRefusedWhereNoSeatIsLeft(t *testing.T) {
	none := planned(func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(0), 1000 })
	half := planned(func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(2), 50 })
	for _, c := range []struct {
		name string
		plan *license.Plan
		held int
	}{
		{"one, and one is held", floating(nil), 1},
		{"none", none, 0},
		{"two and overage for one more", half, 3},
	} {
		l := issued(t, c.plan, license.IssueSpec{})
		for i := range c.held {
			seated(t, l, c.plan, machine("m"+itoa(i)), noon)
		}
		before := copied(t, l)
		got, err := l.Activate(c.plan, machine("a"), "act_a", "", "", noon)
		wantState(t, err)
		if d := diff(before, l) + diff(license.ActivateResult{}, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestActivateRefusesWhatDescribesASeatBadly(t *testing.T) {
	l := issued(t, floating(nil), license.IssueSpec{AllowedDomains: []string{"a.com"}})
	before := copied(t, l)
	_, err := l.Activate(floating(nil), machine("a"), "act_a", strings.Repeat("x", 201), strings.Repeat("x", 65), noon)
	wantFields(t, err, "name", "platform")
	_, err = l.Activate(floating(nil), machine("a"), "act_a", "a\n", "", noon)
	wantFields(t, err, "name")
	_, err = l.Activate(floating(nil), domain(t, "b.com"), "act_b", "", "", noon)
	wantState(t, err)
	if d := diff(before, l); d != "" {
		t.Error(d)
	}
}

func TestActivateRemovesJustTheRunOutSeatsThatItNeeds(t *testing.T) {
	two := floating(func(p *license.Plan) { p.MaxMachines = new(2) })
	three := floating(func(p *license.Plan) { p.MaxMachines = new(3) })
	late := noon.Add(3 * time.Hour)
	for _, c := range []struct {
		name    string
		plan    *license.Plan
		subject string
		want    []string
		left    []string
	}{
		{"none where there is place", three, "c", nil, []string{"act_b", "act_a", "act_c"}},
		{"the longest run out", two, "c", []string{"act_b"}, []string{"act_a", "act_c"}},
		{"not its own", two, "b", nil, []string{"act_a", "act_b"}},
		{"all where the limit was lowered", floating(nil), "c", []string{"act_b", "act_a"}, []string{"act_c"}},
		{"all but its own where the limit was lowered", floating(nil), "b", []string{"act_a"}, []string{"act_b"}},
	} {
		l := issued(t, two, license.IssueSpec{})
		seated(t, l, two, machine("b"), noon)
		seated(t, l, two, machine("a"), noon.Add(time.Minute))
		shared := l.Seats
		got := seated(t, l, c.plan, machine(c.subject), late)
		if d := cmp.Diff(c.want, ids(got.Removed)) + cmp.Diff(c.left, ids(l.Seats)); d != "" || !got.Created {
			t.Errorf("%s: created %v %s", c.name, got.Created, d)
		}
		for _, r := range got.Removed {
			if r.LeaseUntil.IsZero() || r.LeaseUntil.After(late) {
				t.Errorf("%s: %s is removed by its lease until %s", c.name, r.ID, r.LeaseUntil)
			}
		}
		if d := cmp.Diff([]string{"act_b", "act_a"}, ids(shared)); d != "" {
			t.Errorf("%s: the list that others may hold has changed: %s", c.name, d)
		}
	}
}

// full gives a license that n domains hold seats of.
func full(t *testing.T, n int) *license.License {
	t.Helper()
	l := issued(t, planned(nil), license.IssueSpec{})
	for i := range n {
		name := "d" + itoa(i)
		l.Seats = append(l.Seats, license.Activation{ID: "act_" + name, Kind: license.Domain, Subject: name, Domain: name})
	}
	return l
}

func TestSeatsWithoutALimitAreRecordedWhileThereIsPlace(t *testing.T) {
	plan := planned(nil)
	l := full(t, license.MaxSeats-1)
	if got := seated(t, l, plan, machine("a"), noon); got.Seat == nil || len(l.Seats) != license.MaxSeats {
		t.Fatalf("the last place is not taken: %v", got)
	}
	before := len(l.Seats)
	if got := seated(t, l, plan, machine("b"), noon); got.Seat != nil || got.Created || len(l.Seats) != before {
		t.Errorf("there is a seat beyond the last: %v", got.Seat)
	}
	if got := seated(t, l, plan, machine("a"), noon); got.Seat == nil || got.Created {
		t.Error("a seat that is held is not found any more")
	}
}

func TestSeatsWithoutALimitLeaveThePlacesOfThoseWithOne(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(2), 50 })
	l := full(t, license.MaxSeats-4)
	if got := seated(t, l, plan, domain(t, "x.com"), noon); got.Seat == nil {
		t.Error("a free place is not taken")
	}
	if got := seated(t, l, plan, domain(t, "y.com"), noon); got.Seat != nil {
		t.Error("a place that machines may need is taken")
	}
	for _, m := range []string{"a", "b", "c"} {
		seated(t, l, plan, machine(m), noon)
	}
	if len(l.Seats) != license.MaxSeats {
		t.Errorf("there are %d seats", len(l.Seats))
	}
}

func TestNoSeatIsLeftWhereTheRecordIsFull(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.MaxMachines = new(2) })
	l := full(t, license.MaxSeats)
	_, err := l.Activate(plan, machine("a"), "act_a", "", "", noon)
	wantState(t, err)
	if d := license.Decide(l, plan, acme(), from(machine("a")), noon); d.Code != license.CodeMachineLimitReached {
		t.Errorf("it is %s", d.Code)
	}
}

func TestARunOutSeatOfTheOtherKindMakesPlaceInAFullRecord(t *testing.T) {
	plan := floating(nil)
	l := full(t, license.MaxSeats)
	l.Seats[7].LeaseUntil = noon
	got := seated(t, l, plan, machine("a"), noon)
	if d := cmp.Diff([]string{"act_d7"}, ids(got.Removed)); d != "" || len(l.Seats) != license.MaxSeats {
		t.Errorf("%d seats, removed %s", len(l.Seats), d)
	}
}
