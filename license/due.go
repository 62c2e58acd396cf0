package license

import "time"

// Announced is what was announced of a license, so that nothing is announced
// twice. What was announced of another end than the one that the license has
// by now does not count.
type Announced struct {
	End     time.Time `json:"end,omitzero"`   // that the next three are about
	Days    int       `json:"days,omitempty"` // the nearest notice that was given; none of so many days or more is given any more
	Expired bool      `json:"expired,omitempty"`
	Lapsed  bool      `json:"lapsed,omitempty"`
	Silent  time.Time `json:"silent,omitzero"` // the last use before the silence that was announced
}

// MaxNotice bounds the days before its end at which a license is announced.
const MaxNotice = 90

// DefaultNotices are the days before its end at which a license is announced.
func DefaultNotices() []int { return []int{14, 7, 1} }

// News is what the clock makes of a license.
type News string

// The values of News.
const (
	Expiring News = "expiring"
	Expired  News = "expired"
	Lapsed   News = "lapsed"  // it validates no more
	Overdue  News = "overdue" // it was in use once and is silent for longer than its plan's checkInInterval
)

// Announcement is news of a license. It says what the news is about and leaves
// the rest empty.
type Announcement struct {
	News
	ExpiresAt       time.Time
	DaysLeft        int       // begun days until ExpiresAt
	GraceUntil      time.Time // ExpiresAt itself where there is no grace
	LastSeenAt      time.Time
	CheckInInterval Duration
}

// uncounted is how long a use may wait to be counted: a license is not called
// silent before.
const uncounted = 10 * time.Second

// Announce gives what is to be announced now, and notes that it was. Notices
// are days before the end; of those that are due the nearest is given alone.
//
// A license without grace lapses at its end, and both are announced: so Lapsed
// tells of every license that stops to validate, whatever its plan. Each is
// announced once for each end, however its grace is changed. A license that is
// suspended or revoked has no news, and one that lapsed is not missed.
func (l *License) Announce(plan *Plan, notices []int, now time.Time) []Announcement {
	if l.State != Issued {
		return nil
	}
	now = stored(now)
	var news []Announcement
	if !l.ExpiresAt.IsZero() {
		news = l.announceEnd(plan, notices, now)
	}
	if at, seen := l.overdueAt(plan); !at.IsZero() && !now.Before(at) {
		l.Announced.Silent = seen
		news = append(news, Announcement{News: Overdue, LastSeenAt: seen, CheckInInterval: *plan.CheckInInterval})
	}
	return news
}

func (l *License) announceEnd(plan *Plan, notices []int, now time.Time) (news []Announcement) {
	noted := l.announcedOfEnd()
	switch nearest := l.nearest(noted, notices, now); {
	case l.expiredAt(now):
		if !noted.Expired {
			news = append(news, Announcement{News: Expired, ExpiresAt: l.ExpiresAt})
		}
		noted.Days, noted.Expired = 0, true
		if !noted.Lapsed && l.lapsedAt(plan, now) {
			news = append(news, Announcement{News: Lapsed, ExpiresAt: l.ExpiresAt, GraceUntil: l.lapsesAt(plan)})
			noted.Lapsed = true
		}
	case nearest > 0:
		news = append(news, Announcement{News: Expiring, ExpiresAt: l.ExpiresAt, DaysLeft: daysUntil(l.ExpiresAt, now)})
		noted.Days = nearest
	}
	if news != nil {
		l.Announced = noted
	}
	return news
}

// announcedOfEnd is what was announced, without what was of another end.
func (l *License) announcedOfEnd() Announced {
	if l.Announced.End.Equal(l.ExpiresAt) {
		return l.Announced
	}
	return Announced{End: l.ExpiresAt, Silent: l.Announced.Silent}
}

// noticeAt gives when a notice of so many days is to be given, none where it is
// not: it was, or a nearer one; the license has not started then, or is known
// to have ended, whatever the clock says by now.
func (l *License) noticeAt(noted Announced, days int) time.Time {
	at := l.ExpiresAt.Add(-time.Duration(days) * day)
	if noted.Expired || noted.Days != 0 && days >= noted.Days || !at.After(l.StartsAt) {
		return time.Time{}
	}
	return at
}

// nearest gives the fewest days of the notices that are due, 0 where none is.
func (l *License) nearest(noted Announced, notices []int, now time.Time) (nearest int) {
	for _, days := range notices {
		at := l.noticeAt(noted, days)
		if !at.IsZero() && !now.Before(at) && (nearest == 0 || days < nearest) {
			nearest = days
		}
	}
	return nearest
}

// passOver notes, of a license that has its first end, what had passed by then
// and is not announced any more: whoever issues a license for three days, or
// one that has ended elsewhere, is not told so.
func (l *License) passOver(plan *Plan, now time.Time) {
	switch left := daysUntil(l.ExpiresAt, now); {
	case l.ExpiresAt.IsZero():
	case l.expiredAt(now):
		l.Announced = Announced{End: l.ExpiresAt, Expired: true, Lapsed: l.lapsedAt(plan, now)}
	case left <= MaxNotice:
		l.Announced = Announced{End: l.ExpiresAt, Days: left}
	}
}

// daysUntil counts the begun days until end.
func daysUntil(end, now time.Time) int {
	left := end.Sub(now) // the longest Duration where it is longer
	days := int(left / day)
	if left%day > 0 {
		days++
	}
	return days
}

// lapsesAt gives when the license stops to validate, none where it never ends.
func (l *License) lapsesAt(plan *Plan) time.Time { return later(l.ExpiresAt, l.GraceUntil(plan)) }

func (l *License) lapsedAt(plan *Plan, now time.Time) bool {
	at := l.lapsesAt(plan)
	return !at.IsZero() && !now.Before(at)
}

// missed reports whether the license is one that is to be in use: it was once,
// and has not lapsed.
func (l *License) missed(plan *Plan) bool {
	return plan.CheckInInterval != nil && !l.ActivatedAt.IsZero() && !l.announcedOfEnd().Lapsed
}

// overdueAt gives when the license is overdue if it stays as silent as it is,
// and when it was seen last; none where its silence was announced, or is none.
func (l *License) overdueAt(plan *Plan) (at, seen time.Time) {
	seen = later(l.ActivatedAt, l.LastValidatedAt)
	if !l.missed(plan) || !seen.After(l.Announced.Silent) {
		return time.Time{}, seen
	}
	return plan.CheckInInterval.AddTo(later(seen, l.StartsAt)).Add(uncounted), seen
}

// NextDue gives a time before which there is nothing to announce, however the
// license is used, unless it or its plan is changed; none: there never is. Of
// a license that has nothing to be announced now it is later than now.
func (l *License) NextDue(plan *Plan, notices []int, now time.Time) time.Time {
	if l.State != Issued {
		return time.Time{}
	}
	return sooner(l.endDue(plan, notices), l.silenceDue(plan, now))
}

func (l *License) endDue(plan *Plan, notices []int) time.Time {
	noted := l.announcedOfEnd()
	switch {
	case l.ExpiresAt.IsZero() || noted.Lapsed:
		return time.Time{}
	case noted.Expired:
		return l.lapsesAt(plan)
	}
	due := l.ExpiresAt
	for _, days := range notices {
		due = sooner(due, l.noticeAt(noted, days))
	}
	return due
}

// silenceDue goes by the uses that may come from now on, which are counted
// beside the license and change nothing of it.
func (l *License) silenceDue(plan *Plan, now time.Time) time.Time {
	if !l.missed(plan) {
		return time.Time{}
	}
	due := plan.CheckInInterval.noSooner(later(now, l.StartsAt)).Add(uncounted)
	if at, _ := l.overdueAt(plan); !at.IsZero() {
		due = earlier(due, at)
	}
	if lapse := l.lapsesAt(plan); !lapse.IsZero() && !due.Before(lapse) {
		return time.Time{}
	}
	return due
}

// DueAs reports whether licenses are due under p as they are under another
// state of the plan.
func (p *Plan) DueAs(other *Plan) bool {
	same := func(a, b *Duration) bool { return a == b || a != nil && b != nil && *a == *b }
	return same(p.Grace, other.Grace) && same(p.CheckInInterval, other.CheckInInterval)
}
