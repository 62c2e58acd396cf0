package license_test

import (
	"testing"
	"time"

	"github.com/keywright/keywright/license"
)

const aDay = 24 * time.Hour

// told gives the news of a license at a time, as if it had been looked at then
// for the first time.
func told(l *license.License, plan *license.Plan, now time.Time) []license.News {
	var all []license.News
	for _, n := range new(*l).Announce(plan, license.DefaultNotices(), now) {
		all = append(all, n.News)
	}
	return all
}

func wantNews(t *testing.T, l *license.License, plan *license.Plan, now time.Time, want ...license.Announcement) {
	t.Helper()
	if d := diff(want, l.Announce(plan, license.DefaultNotices(), now)); d != "" {
		t.Errorf("at %s: %s", now, d)
	}
}

func expiring(end time.Time, daysLeft int) license.Announcement {
	return license.Announcement{News: license.Expiring, ExpiresAt: end, DaysLeft: daysLeft}
}

func expired(end time.Time) license.Announcement {
	return license.Announcement{News: license.Expired, ExpiresAt: end}
}

func lapsed(end, grace time.Time) license.Announcement {
	return license.Announcement{News: license.Lapsed, ExpiresAt: end, GraceUntil: grace}
}

func overdue(seen time.Time, interval string) license.Announcement {
	return license.Announcement{News: license.Overdue, LastSeenAt: seen, CheckInInterval: *lasting(interval)}
}

func TestALicenseIsAnnouncedAtEachNoticeAtItsEndAndAfterItsGrace(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.Grace = lasting("P10D") })
	l := issued(t, plan, license.IssueSpec{})
	end := l.ExpiresAt
	for _, step := range []struct {
		at   time.Time
		want []license.Announcement
	}{
		{noon, nil},
		{end.Add(-14*aDay - time.Millisecond), nil},
		{end.Add(-14 * aDay), []license.Announcement{expiring(end, 14)}},
		{end.Add(-14 * aDay), nil},
		{end.Add(-7*aDay + time.Hour), []license.Announcement{expiring(end, 7)}},
		{end.Add(-6 * aDay), nil},
		{end.Add(-aDay), []license.Announcement{expiring(end, 1)}},
		{end.Add(-time.Millisecond), nil},
		{end, []license.Announcement{expired(end)}},
		{end, nil},
		{end.Add(10*aDay - time.Millisecond), nil},
		{end.Add(10 * aDay), []license.Announcement{lapsed(end, end.Add(10*aDay))}},
		{end.Add(1000 * aDay), nil},
		{noon, nil}, // the clock was set back
		{end, nil},
	} {
		wantNews(t, l, plan, step.at, step.want...)
	}
	if due := l.NextDue(plan, license.DefaultNotices(), noon); !due.IsZero() {
		t.Errorf("all was announced, and it is due at %s", due)
	}
}

func TestAfterAGapTheNearestNoticeIsGivenAlone(t *testing.T) {
	plan := planned(nil)
	l := issued(t, plan, license.IssueSpec{})
	end := l.ExpiresAt
	wantNews(t, l, plan, end.Add(-3*aDay), expiring(end, 3))
	wantNews(t, l, plan, end.Add(-2*aDay))
	wantNews(t, l, plan, end.Add(-time.Hour), expiring(end, 1))
	wantNews(t, l, plan, end.Add(time.Hour), expired(end), lapsed(end, end))
}

// So that one event tells of every license that stops to validate.
func TestALicenseWithoutGraceLapsesAtItsEnd(t *testing.T) {
	for _, grace := range []*license.Duration{nil, lasting("PT0S")} {
		plan := planned(func(p *license.Plan) { p.Grace = grace })
		l := issued(t, plan, license.IssueSpec{})
		end := l.ExpiresAt
		wantNews(t, l, plan, end, expired(end), lapsed(end, end))
	}
}

func TestWhatHadPassedWhenALicenseGotItsFirstEndIsNoNews(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.Grace = lasting("P10D") })
	t.Run("issued for three days", func(t *testing.T) {
		end := noon.Add(3 * aDay)
		l := issued(t, plan, license.IssueSpec{ExpiresAt: &end})
		wantNews(t, l, plan, noon)
		wantNews(t, l, plan, end.Add(-aDay-time.Millisecond))
		wantNews(t, l, plan, end.Add(-aDay), expiring(end, 1))
	})
	t.Run("issued for two weeks from its first activation", func(t *testing.T) {
		plan := planned(func(p *license.Plan) { p.Duration, p.ExpiryBasis = lasting("P14D"), license.FromFirstActivation })
		l := issued(t, plan, license.IssueSpec{})
		l.MarkActivated(plan, noon)
		wantNews(t, l, plan, noon)
		wantNews(t, l, plan, noon.Add(7*aDay), expiring(l.ExpiresAt, 7))
	})
	t.Run("in grace when it was imported", func(t *testing.T) {
		end := noon.Add(-3 * aDay)
		l := issued(t, plan, license.IssueSpec{ExpiresAt: &end})
		wantNews(t, l, plan, noon)
		wantNews(t, l, plan, noon.Add(7*aDay), lapsed(end, end.Add(10*aDay)))
	})
	t.Run("over when it was imported", func(t *testing.T) {
		end := noon.Add(-10 * aDay)
		l := issued(t, plan, license.IssueSpec{ExpiresAt: &end})
		wantNews(t, l, plan, noon)
		if due := l.NextDue(plan, license.DefaultNotices(), noon); !due.IsZero() {
			t.Errorf("due at %s", due)
		}
	})
	t.Run("but ended by staff later on", func(t *testing.T) {
		l := issued(t, plan, license.IssueSpec{})
		end := noon.Add(-aDay)
		if err := l.Update(plan, license.Update{ExpiresAt: &end}, noon); err != nil {
			t.Fatal(err)
		}
		wantNews(t, l, plan, noon, expired(end))
	})
	t.Run("but a notice for which staff move the end near is given", func(t *testing.T) {
		l := issued(t, plan, license.IssueSpec{})
		end := noon.Add(3 * aDay)
		if err := l.Update(plan, license.Update{ExpiresAt: &end}, noon); err != nil {
			t.Fatal(err)
		}
		wantNews(t, l, plan, noon, expiring(end, 3))
	})
}

// A time.Duration holds 292 years.
func TestALicenseThatEndsInFarCenturiesIsAnnouncedThen(t *testing.T) {
	end := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	plan := planned(nil)
	l := issued(t, plan, license.IssueSpec{ExpiresAt: &end})
	if due, want := l.NextDue(plan, license.DefaultNotices(), noon), end.Add(-14*aDay); !due.Equal(want) {
		t.Errorf("due at %s, want %s", due, want)
	}
	wantNews(t, l, plan, end.Add(-7*aDay), expiring(end, 7))
}

func TestNoNoticeIsGivenBeforeTheStart(t *testing.T) {
	plan := planned(nil)
	start, end := noon.Add(100*aDay), noon.Add(105*aDay)
	l := issued(t, plan, license.IssueSpec{StartsAt: &start, ExpiresAt: &end})
	wantNews(t, l, plan, start.Add(-time.Hour))
	wantNews(t, l, plan, start)
	wantNews(t, l, plan, end.Add(-aDay), expiring(end, 1))
}

func TestARenewalBeginsAnew(t *testing.T) {
	plan := planned(nil)
	l := issued(t, plan, license.IssueSpec{})
	first := l.ExpiresAt
	wantNews(t, l, plan, first, expired(first), lapsed(first, first))
	second := first.Add(30 * aDay)
	if err := l.Renew(plan, &second, first); err != nil {
		t.Fatal(err)
	}
	wantNews(t, l, plan, first)
	wantNews(t, l, plan, second.Add(-14*aDay), expiring(second, 14))
	wantNews(t, l, plan, second, expired(second), lapsed(second, second))
}

func TestWhatIsSuspendedHasNoNewsAndGoesOnWithTheNearest(t *testing.T) {
	plan := planned(nil)
	for _, stop := range []func(*license.License) error{
		func(l *license.License) error { return l.Suspend("", noon) },
		func(l *license.License) error { return l.Revoke("", noon) },
	} {
		l := issued(t, plan, license.IssueSpec{})
		end := l.ExpiresAt
		if err := stop(l); err != nil {
			t.Fatal(err)
		}
		wantNews(t, l, plan, end.Add(-14*aDay))
		if due := l.NextDue(plan, license.DefaultNotices(), noon); !due.IsZero() {
			t.Errorf("%s is due at %s", l.State, due)
		}
		if err := l.Reinstate("", noon); err != nil {
			t.Fatal(err)
		}
		wantNews(t, l, plan, end.Add(-5*aDay), expiring(end, 5))
		wantNews(t, l, plan, end.Add(-5*aDay))
	}
}

// An import of what lapsed years ago would else be announced with the first
// change of its plan.
func TestAGraceThatGrowsRevivesNoNews(t *testing.T) {
	plan := planned(nil)
	l := issued(t, plan, license.IssueSpec{})
	end := l.ExpiresAt
	wantNews(t, l, plan, end, expired(end), lapsed(end, end))
	plan.Grace = lasting("P10D")
	wantNews(t, l, plan, end.Add(10*aDay))
}

func TestALicenseIsOverdueOnceForEachSilence(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.Duration, p.CheckInInterval = nil, lasting("P1D") })
	l := issued(t, plan, license.IssueSpec{})
	wantNews(t, l, plan, noon.Add(9*aDay)) // never used
	used := noon.Add(10 * aDay)
	l.MarkActivated(plan, used)
	wantNews(t, l, plan, used.Add(aDay)) // a use may not be counted yet
	wantNews(t, l, plan, used.Add(aDay+10*time.Second), overdue(used, "P1D"))
	wantNews(t, l, plan, used.Add(5*aDay))
	l.LastValidatedAt = used.Add(6 * aDay)
	wantNews(t, l, plan, used.Add(7*aDay))
	wantNews(t, l, plan, used.Add(8*aDay), overdue(used.Add(6*aDay), "P1D"))
	wantNews(t, l, plan, used.Add(9*aDay))
}

func TestWhatLapsedIsNotMissed(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.CheckInInterval, p.Grace = lasting("P2D"), lasting("P1D") })
	l := issued(t, plan, license.IssueSpec{})
	end := l.ExpiresAt
	l.MarkActivated(plan, noon)
	l.LastValidatedAt = end.Add(-aDay)
	wantNews(t, l, plan, end.Add(-time.Hour), expiring(end, 1))
	wantNews(t, l, plan, end.Add(2*aDay), expired(end), lapsed(end, end.Add(aDay)))
	if due := l.NextDue(plan, license.DefaultNotices(), end.Add(2*aDay)); !due.IsZero() {
		t.Errorf("due at %s", due)
	}
}

func TestSilenceBeforeTheStartDoesNotCount(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.CheckInInterval = lasting("P1D") })
	l := issued(t, plan, license.IssueSpec{})
	l.MarkActivated(plan, noon)
	l.StartsAt = noon.Add(10 * aDay)
	if got := told(l, plan, noon.Add(10*aDay)); got != nil {
		t.Errorf("at its start it has the news %v", got)
	}
	wantNews(t, l, plan, noon.Add(11*aDay+10*time.Second), overdue(noon, "P1D"))
}

func TestALicenseThatNeverEndsAndIsNotMissedIsNeverDue(t *testing.T) {
	plan := planned(func(p *license.Plan) { p.Duration = nil })
	l := issued(t, plan, license.IssueSpec{})
	l.MarkActivated(plan, noon)
	if due := l.NextDue(plan, license.DefaultNotices(), noon); !due.IsZero() {
		t.Errorf("due at %s", due)
	}
}
