package license_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

// ledger counts seats by itself: when each subject's lease ends, none for a
// seat that is kept.
type ledger map[license.Subject]time.Time

func (l ledger) held(kind license.SeatKind, plan *license.Plan, now time.Time) (n int) {
	for s, end := range l {
		if s.Kind == kind && (plan.LeaseDuration == nil || end.IsZero() || end.After(now)) {
			n++
		}
	}
	return n
}

// most gives how many seats of a kind there may be, a great many without limit.
func most(l *license.License, kind license.SeatKind, plan *license.Plan) int {
	terms := l.Terms(plan)
	limit := terms.MaxMachines
	if kind == license.Domain {
		limit = terms.MaxDomains
	}
	if limit == nil {
		return license.MaxSeats
	}
	return *limit * (100 + plan.OveragePercent) / 100
}

// bench is a license that seats come and go on, as storage keeps them.
type bench struct {
	*rapid.T
	plan   *license.Plan
	l      *license.License
	ledger ledger
	now    time.Time
}

func TestSeatsNeverExceedLimitAndOverageInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		b := &bench{T: t, plan: plan, l: issued(t, plan, license.IssueSpec{}), ledger: ledger{}, now: noon}
		t.Repeat(map[string]func(*rapid.T){
			"activate":   b.activate,
			"deactivate": b.deactivate,
			"heartbeat":  b.heartbeat,
			"replan":     b.replan,
			"wait": func(t *rapid.T) {
				b.now = b.now.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "minutes")) * 10 * time.Minute)
			},
			"": b.agrees,
		})
	})
}

func (b *bench) activate(t *rapid.T) {
	s := anySubject().Draw(t, "subject")
	held := b.ledger.held(s.Kind, b.plan, b.now)
	end, recorded := b.ledger[s]
	own := recorded && (b.plan.LeaseDuration == nil || end.IsZero() || end.After(b.now))
	asked := from(s)
	asked.Product = "acme"
	decision := license.Decide(b.l, b.plan, acme(), asked, b.now)

	got, err := b.l.Activate(b.plan, s, "act_"+s.Text, "", "", b.now)
	if room := held < most(b.l, s.Kind, b.plan); (err == nil) != (own || room) {
		t.Fatalf("%v holds a seat: %v, %d are held, %v", s, own, held, err)
	}
	if decision.AllowsActivation(s) != (err == nil) && b.l.StatusAt(b.now) == license.StatusActive {
		t.Fatalf("Decide says %v, and Activate %v", codes(decision), err)
	}
	if err != nil {
		return
	}
	if got.Created == own {
		t.Fatalf("created %v, and it held a seat: %v", got.Created, own)
	}
	for _, r := range got.Removed {
		subject := license.Subject{Kind: r.Kind, Text: r.Subject, Domain: r.Domain}
		if end := b.ledger[subject]; end.IsZero() || end.After(b.now) || !end.Equal(r.LeaseUntil) {
			t.Fatalf("%s is removed by its lease until %s, and has one until %s", r.Subject, r.LeaseUntil, end)
		}
		delete(b.ledger, subject)
	}
	b.ledger[s] = got.Seat.LeaseUntil
	recordedNow := 0
	for other := range b.ledger {
		if other.Kind == s.Kind {
			recordedNow++
		}
	}
	if got.Created && recordedNow > most(b.l, s.Kind, b.plan) {
		t.Fatalf("%d are on record: a late heartbeat could revive one too many", recordedNow)
	}
}

func (b *bench) deactivate(t *rapid.T) {
	s := anySubject().Draw(t, "subject")
	removed, refusal := b.l.Deactivate("act_"+s.Text, b.now)
	if _, recorded := b.ledger[s]; recorded != (removed != nil) || refusal != nil {
		t.Fatalf("on record %v, removed %v, %v", recorded, removed, refusal)
	}
	delete(b.ledger, s)
}

func (b *bench) heartbeat(t *rapid.T) {
	s := anySubject().Draw(t, "subject")
	h := b.l.Heartbeat(b.plan, s, b.now)
	end, recorded := b.ledger[s]
	if held := recorded && (b.plan.LeaseDuration == nil || end.IsZero() || end.After(b.now)); held != (h.Seat != nil) {
		t.Fatalf("%v holds a seat: %v, and its heartbeat finds %v", s, held, h.Seat)
	}
	if h.Write {
		b.ledger[s] = h.Until
		b.l.SeatOf(s).LeaseUntil = h.Until
	}
}

// replan lets the plan change under the license, as updatePlan does.
func (b *bench) replan(t *rapid.T) {
	other := anyPlan().Draw(t, "plan")
	b.plan.MaxMachines, b.plan.MaxDomains, b.plan.OveragePercent = other.MaxMachines, other.MaxDomains, other.OveragePercent
	b.plan.LeaseDuration = other.LeaseDuration
}

func (b *bench) agrees(t *rapid.T) {
	for _, kind := range []license.SeatKind{license.Machine, license.Domain} {
		if got, want := b.l.Count(kind, b.plan, b.now), b.ledger.held(kind, b.plan, b.now); got != want {
			t.Fatalf("%d seats of %s are held, want %d", got, kind, want)
		}
	}
	if len(b.l.Seats) != len(b.ledger) {
		t.Fatalf("%d seats are on record, want %d", len(b.l.Seats), len(b.ledger))
	}
}
