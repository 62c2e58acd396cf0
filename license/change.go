package license

import (
	"time"

	"github.com/keywright/keywright/fault"
)

// The changes that staff make. Each changes nothing where it fails. Version
// and Revision are the caller's, who commits.

// Suspend stops a license until it is reinstated. The reason may be empty.
// Errors: InvalidInput on reason; Conflict State unless the license is issued.
func (l *License) Suspend(reason string, now time.Time) error {
	switch l.State {
	case Suspended:
		return clash("the license is suspended already")
	case Revoked:
		return clash("the license is revoked, which stops it already: reinstate it first")
	}
	return l.stop(Suspended, reason, now)
}

// Revoke ends a license, until somebody reinstates it. The reason may be
// empty. Errors: InvalidInput on reason; Conflict State if it is revoked.
func (l *License) Revoke(reason string, now time.Time) error {
	if l.State == Revoked {
		return clash("the license is revoked already")
	}
	return l.stop(Revoked, reason, now)
}

func (l *License) stop(state State, reason string, now time.Time) error {
	if err := CheckReason("reason", reason); err != nil {
		return err
	}
	l.State, l.Reason, l.UpdatedAt = state, reason, stored(now)
	return nil
}

// Reinstate takes back a suspension or a revocation; whether the caller may do
// the latter is not asked here. The reason may be empty, and takes the place
// of that for which it was stopped. Errors: InvalidInput on reason; Conflict
// State if it was not stopped.
func (l *License) Reinstate(reason string, now time.Time) error {
	if err := CheckReason("reason", reason); err != nil {
		return err
	}
	if l.State == Issued {
		if l.StatusAt(now) == StatusExpired {
			return clash("the license is not suspended or revoked: it has expired, so renew it")
		}
		return clash("the license is not suspended or revoked")
	}
	l.State, l.Reason, l.UpdatedAt = Issued, reason, stored(now)
	return nil
}

// Renew moves the end of a license: to until, or without one by the plan's
// duration, from where its renewal basis says. A suspended license stays
// suspended. An until that is the end already is a retry: it succeeds and
// changes nothing.
// Errors: InvalidInput on until if that is before the end; Conflict State
// for a license that never ends, awaits its first activation or is revoked,
// or if neither until nor the plan says how far.
func (l *License) Renew(plan *Plan, until *time.Time, now time.Time) error {
	switch {
	case l.State == Revoked:
		return clash("the license is revoked: reinstate it first")
	case l.AwaitsActivation:
		return clash("the license is not activated yet: its time has not begun")
	case l.ExpiresAt.IsZero():
		return clash("the license never ends: there is nothing to renew")
	case until == nil && plan.Duration == nil:
		return clash("the plan has no duration: say until when")
	}
	end, err := l.renewedEnd(plan, until, now)
	if err != nil || end.Equal(l.ExpiresAt) {
		return err
	}
	l.ExpiresAt, l.UpdatedAt = end, stored(now)
	return nil
}

func (l *License) renewedEnd(plan *Plan, until *time.Time, now time.Time) (time.Time, error) {
	if until == nil {
		from := l.ExpiresAt
		if plan.RenewalBasis == FromLaterOfExpiryAndNow {
			from = later(from, stored(now))
		}
		return plan.Duration.AddTo(from), nil
	}
	end := stored(*until)
	if end.Before(l.ExpiresAt) {
		return end, fault.Invalid("until", "until is before %s, when the license ends already", written(l.ExpiresAt))
	}
	var bad problems
	bad.time("until", end)
	return end, bad.err()
}

// MarkActivated notes the first use of a license and reports whether this was
// it. Where the license awaits it, its duration begins, as the plan has it now.
func (l *License) MarkActivated(plan *Plan, now time.Time) bool {
	if !l.ActivatedAt.IsZero() {
		return false
	}
	now = stored(now)
	if l.AwaitsActivation {
		l.AwaitsActivation, l.ExpiresAt = false, l.firstEnd(plan, now)
		l.passOver(plan, now)
	}
	l.ActivatedAt, l.UpdatedAt = now, now
	return true
}

func clash(format string, args ...any) error {
	return fault.Clash(fault.State, "", format, args...)
}
