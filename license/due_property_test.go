package license_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

// A clock that goes by steps of days and some hours, and sometimes back.
func step() *rapid.Generator[time.Duration] {
	return rapid.Custom(func(t *rapid.T) time.Duration {
		long := time.Duration(rapid.IntRange(0, 40).Draw(t, "days"))*aDay + time.Duration(rapid.IntRange(0, 36).Draw(t, "hours"))*time.Hour
		if rapid.IntRange(0, 9).Draw(t, "exact") > 0 {
			long += time.Duration(rapid.IntRange(0, 59_999).Draw(t, "milliseconds")) * time.Millisecond
		}
		return long
	})
}

func anyNotices() *rapid.Generator[[]int] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]int{1, 2, 3, 7, 14, 30, 90}), 0, 4, rapid.ID)
}

// dueTerms draws what announcements go by of a plan.
func dueTerms(t *rapid.T, p *license.Plan) {
	p.Grace = someOf("PT0S", "P3D", "P1M").Draw(t, "grace")
	p.CheckInInterval = someOf("PT1M", "P2D", "P1M", "P1M3DT4H").Draw(t, "check-in")
}

// anyDueLicense gives a license in the middle of its life, part of which was
// announced.
func anyDueLicense(t *rapid.T, plan *license.Plan, notices []int) (*license.License, time.Time) {
	spec := license.IssueSpec{}
	if rapid.Bool().Draw(t, "starts") {
		spec.StartsAt = new(noon.Add(step().Draw(t, "start")))
	}
	if rapid.Bool().Draw(t, "ends") {
		spec.ExpiresAt = new(noon.Add(step().Draw(t, "end") + time.Second))
		spec.StartsAt = nil
	}
	l := issued(t, plan, spec)
	now := noon
	for range rapid.IntRange(0, 4).Draw(t, "looks") {
		now = now.Add(step().Draw(t, "step"))
		if rapid.Bool().Draw(t, "used") {
			l.MarkActivated(plan, now)
			l.LastValidatedAt = now
		}
		l.Announce(plan, notices, now)
	}
	l.State = rapid.SampledFrom([]license.State{license.Issued, license.Issued, license.Issued, license.Suspended, license.Revoked}).Draw(t, "state")
	return l, now
}

// The property that the scheduler stands on: whatever it is not woken for is
// nothing.
func TestThereIsNoNewsBeforeALicenseIsDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		dueTerms(t, plan)
		notices := anyNotices().Draw(t, "notices")
		l, now := anyDueLicense(t, plan, notices)
		due := l.NextDue(plan, notices, now)
		if news := copied(t, l).Announce(plan, notices, now); len(news) > 0 && (due.IsZero() || due.After(now)) {
			t.Fatalf("due at %s, and at %s there is %+v", due, now, news)
		}
		l.Announce(plan, notices, now)
		due = l.NextDue(plan, notices, now)
		if !due.IsZero() && !due.After(now) {
			t.Fatalf("all is announced at %s, and it is due at %s", now, due)
		}
		for range 4 {
			now = now.Add(step().Draw(t, "later"))
			if !due.IsZero() && rapid.Bool().Draw(t, "just before") {
				now = due.Add(-time.Millisecond)
			}
			if !due.IsZero() && !now.Before(due) {
				return
			}
			if !l.ActivatedAt.IsZero() && rapid.Bool().Draw(t, "used") { // which changes no record
				l.LastValidatedAt = now
			}
			if news := copied(t, l).Announce(plan, notices, now); len(news) > 0 {
				t.Fatalf("due at %s, and at %s there is %+v", due, now, news)
			}
		}
	})
}

// life is a license under staff, uses and two schedulers: one looks when the
// license is due, the other at every step.
type life struct {
	plan    *license.Plan
	notices []int
	now     time.Time
	highest time.Time // that the clock has shown
	l, twin *license.License
	looks   int
	news    []license.Announcement
	ends    int
}

func (f *life) both(change func(*license.License) error) {
	if errL, errTwin := change(f.l), change(f.twin); (errL == nil) != (errTwin == nil) {
		panic("the twins differ")
	}
	f.l.Due = f.l.NextDue(f.plan, f.notices, f.now)
}

// end draws an end that there was not before.
func (f *life) end(t *rapid.T) time.Time {
	f.ends++
	return f.now.Add(step().Draw(t, "end") - 10*aDay + time.Duration(f.ends)*time.Millisecond)
}

func (f *life) step(t *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		f.both(func(l *license.License) error { return l.Suspend("", f.now) })
	case 1:
		f.both(func(l *license.License) error { return l.Reinstate("", f.now) })
	case 2:
		until := f.end(t)
		f.both(func(l *license.License) error { return l.Renew(f.plan, &until, f.now) })
	case 3:
		end := f.end(t)
		f.both(func(l *license.License) error {
			return l.Update(f.plan, license.Update{ExpiresAt: &end}, f.now)
		})
	case 4:
		dueTerms(t, f.plan)
		f.both(func(*license.License) error { return nil }) // the pass over the plan's licenses
	case 5:
		if f.now.Before(f.highest) { // uses are counted by their latest time
			return
		}
		if f.l.MarkActivated(f.plan, f.now) {
			f.twin.MarkActivated(f.plan, f.now)
			f.l.Due = f.l.NextDue(f.plan, f.notices, f.now)
		}
		f.l.LastValidatedAt, f.twin.LastValidatedAt = f.now, f.now
	case 6:
		f.now = f.now.Add(-time.Duration(rapid.IntRange(0, 48).Draw(t, "back")) * time.Hour)
	default:
		f.now = f.now.Add(step().Draw(t, "step"))
	}
}

// tick lets both schedulers look.
func (f *life) tick(t *rapid.T) {
	f.highest = latestOf(f.highest, f.now)
	want := f.twin.Announce(f.plan, f.notices, f.now)
	var got []license.Announcement
	if !f.l.Due.IsZero() && !f.now.Before(f.l.Due) {
		f.looks++
		got = f.l.Announce(f.plan, f.notices, f.now)
		if f.l.Due = f.l.NextDue(f.plan, f.notices, f.now); !f.l.Due.IsZero() && !f.l.Due.After(f.now) {
			t.Fatalf("looked at %s, and still due at %s", f.now, f.l.Due)
		}
	}
	if d := diff(want, got); d != "" {
		t.Fatalf("at %s, due or not (-looked at +when due): %s", f.now, d)
	}
	f.news = append(f.news, got...)
	f.check(t, got)
}

// check judges what is announced at a time.
func (f *life) check(t *rapid.T, news []license.Announcement) {
	if len(news) > 0 && f.l.State != license.Issued {
		t.Fatalf("what is %s has the news %+v", f.l.State, news)
	}
	for _, n := range news {
		left := n.ExpiresAt.Sub(f.now)
		switch n.News {
		case license.Expiring:
			nearest := slices.MinFunc(f.notices, func(a, b int) int { return rankOf(a, left) - rankOf(b, left) })
			if f.l.Announced.Days != nearest || left <= 0 || time.Duration(n.DaysLeft)*aDay < left || n.DaysLeft > nearest {
				t.Fatalf("%s before the end the notice of %d days is given as %+v, of %v", left, f.l.Announced.Days, n, f.notices)
			}
		case license.Expired:
			if left > 0 {
				t.Fatalf("%s before the end: %+v", left, n)
			}
		case license.Lapsed:
			if want := latestOf(f.l.ExpiresAt, f.l.GraceUntil(f.plan)); !n.GraceUntil.Equal(want) || f.now.Before(want) {
				t.Fatalf("at %s, lapsing at %s: %+v", f.now, want, n)
			}
		case license.Overdue:
			if f.now.Before(n.CheckInInterval.AddTo(n.LastSeenAt)) {
				t.Fatalf("at %s: %+v", f.now, n)
			}
		}
	}
}

// rankOf orders notices: those that are due first, the nearest of them first.
func rankOf(days int, left time.Duration) int {
	if time.Duration(days)*aDay < left {
		return 1000
	}
	return days
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestEachAnnouncementIsMadeOnceAndOnTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		dueTerms(t, plan)
		f := &life{plan: plan, notices: anyNotices().Draw(t, "notices"), now: noon}
		f.l = issued(t, plan, license.IssueSpec{ExpiresAt: rapid.Ptr(rapid.Just(f.end(t)), true).Draw(t, "ends")})
		f.twin = copied(t, f.l)
		f.l.Due = f.l.NextDue(plan, f.notices, noon)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			f.step(t)
			f.tick(t)
		}
		f.wantOnce(t)
		f.settle(t)
	})
}

// wantOnce fails where anything was announced twice: of one end, of one
// silence.
func (f *life) wantOnce(t *rapid.T) {
	type about struct {
		license.News
		of time.Time
	}
	last := map[about]int{}
	for _, n := range f.news {
		key := about{n.News, latestOf(n.ExpiresAt, n.LastSeenAt)}
		if before, twice := last[key]; twice && (n.News != license.Expiring || n.DaysLeft > before) {
			t.Fatalf("announced twice: %+v in %+v", n, f.news)
		}
		last[key] = n.DaysLeft
	}
}

// settle lets a license that ends run out: in the end it has expired and
// lapsed, each announced once unless it was over when it was issued.
func (f *life) settle(t *rapid.T) {
	if f.l.ExpiresAt.IsZero() || f.l.State != license.Issued {
		return
	}
	passed := f.l.Announced
	f.now = latestOf(f.now, f.l.ExpiresAt.AddDate(1, 0, 0))
	f.tick(t)
	had := func(news license.News) bool {
		return slices.ContainsFunc(f.news, func(n license.Announcement) bool {
			return n.News == news && n.ExpiresAt.Equal(f.l.ExpiresAt)
		})
	}
	over := passed.End.Equal(f.l.ExpiresAt)
	if !had(license.Expired) && !(over && passed.Expired) || !had(license.Lapsed) && !(over && passed.Lapsed) {
		t.Fatalf("it ended at %s, and was announced %+v", f.l.ExpiresAt, f.news)
	}
	f.wantOnce(t)
}
