package license

import "time"

// Status is what a license is at a time.
type Status string

// The values of Status. A license in grace is StatusExpired.
const (
	StatusScheduled Status = "SCHEDULED"
	StatusActive    Status = "ACTIVE"
	StatusSuspended Status = "SUSPENDED"
	StatusExpired   Status = "EXPIRED"
	StatusRevoked   Status = "REVOKED"
)

// StatusAt gives the status. Revoked and suspended win over what the clock
// says; at ExpiresAt itself the license is expired.
func (l *License) StatusAt(now time.Time) Status {
	switch {
	case l.State == Revoked:
		return StatusRevoked
	case l.State == Suspended:
		return StatusSuspended
	case l.scheduledAt(now):
		return StatusScheduled
	case l.expiredAt(now):
		return StatusExpired
	}
	return StatusActive
}

func (l *License) scheduledAt(now time.Time) bool { return now.Before(l.StartsAt) }

func (l *License) expiredAt(now time.Time) bool {
	return !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt)
}

// GraceUntil gives the end of the grace that follows ExpiresAt, none where the
// license has no end or no grace.
func (l *License) GraceUntil(plan *Plan) time.Time { return l.graceAfter(l.ExpiresAt, plan) }

func (l *License) graceAfter(end time.Time, plan *Plan) time.Time {
	grace := l.grace(plan)
	if end.IsZero() || grace == nil || grace.IsZero() {
		return time.Time{}
	}
	return grace.AddTo(end)
}

// firstEnd gives the end of a license whose duration begins with its first
// activation, if that were now.
func (l *License) firstEnd(plan *Plan, now time.Time) time.Time {
	if plan.Duration == nil {
		return time.Time{}
	}
	return plan.Duration.AddTo(later(l.StartsAt, now))
}

// lastGood gives the time at which the license stops to validate, grace
// included, if nobody changes it; none is never.
func (l *License) lastGood(plan *Plan, now time.Time) time.Time {
	end := l.ExpiresAt
	if l.AwaitsActivation {
		end = l.firstEnd(plan, now)
	}
	return later(end, l.graceAfter(end, plan))
}
