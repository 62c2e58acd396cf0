package license

import (
	"fmt"
	"slices"
	"time"
)

// How long a yes stands under a plan without checkInInterval.
const goodWithoutCheckIn = 24 * time.Hour

// Request is what a program asks of a license.
type Request struct {
	Product      string   // the code of the program's own product; empty: not said
	Fingerprint  *Subject // nil: not said
	Domain       *Subject
	Entitlements []string // codes that the license must hold
	// KeyEndsAt is the end of the key that asks; none for the current one.
	KeyEndsAt time.Time
	// LeasesAt, where set, is the time by which leases are judged: of data that
	// cannot be read anew, when it was read.
	LeasesAt time.Time
}

// Decide judges every rule and gives every broken one as a reason, each code
// at most once a subject. It changes nothing and takes no seat.
func Decide(l *License, plan *Plan, product *Product, r Request, now time.Time) Decision {
	j := judge{license: l, plan: plan, now: now, leasesAt: r.LeasesAt}
	if j.leasesAt.IsZero() {
		j.leasesAt = now
	}
	j.tallies = l.tallies(plan, j.leasesAt)
	j.goodFor()
	j.ends(r.KeyEndsAt)
	j.product(product, r.Product)
	j.life()
	j.subject(Machine, r.Fingerprint)
	j.subject(Domain, r.Domain)
	for i, code := range r.Entitlements {
		if !slices.Contains(r.Entitlements[:i], code) {
			j.entitlement(code)
		}
	}
	j.overage(Machine)
	j.overage(Domain)
	j.conclude()
	return j.Decision
}

// judge is a Decision in the making.
type judge struct {
	Decision
	license       *License
	plan          *Plan
	now, leasesAt time.Time
	tallies       tallies
}

// find notes a reason. The pointer is good until the next one.
func (j *judge) find(code Code, format string, args ...any) *Reason {
	j.Reasons = append(j.Reasons, Reason{
		Code: code, Message: fmt.Sprintf(format, args...), Blocking: code.blocking(),
	})
	return &j.Reasons[len(j.Reasons)-1]
}

// until says when a reason ends by itself; none: it does not.
func (j *judge) until(r *Reason, t time.Time) {
	if !t.IsZero() {
		r.Until = new(t)
		j.changes(t)
	}
}

// changes notes a time at which the answer may change.
func (j *judge) changes(t time.Time) {
	if t.After(j.now) {
		j.ChangesAt = sooner(j.ChangesAt, t)
	}
}

// ends notes a time, or none, at which a yes ends.
func (j *judge) ends(t time.Time) {
	j.GoodUntil = later(j.now, sooner(j.GoodUntil, t))
	j.changes(t)
}

func (j *judge) goodFor() {
	if j.plan.CheckInInterval != nil {
		j.GoodUntil = j.plan.CheckInInterval.AddTo(j.now)
	} else {
		j.GoodUntil = j.now.Add(goodWithoutCheckIn)
	}
	j.ends(j.license.lastGood(j.plan, j.now))
}

func (j *judge) product(product *Product, asked string) {
	switch {
	case asked == "" && j.plan.RequireProduct:
		j.find(CodeProductRequired, "The request must name the product that asks.")
	case asked != "" && asked != product.Code:
		j.find(CodeProductMismatch, "The license is for another product than %s.", asked).Subject = new(asked)
	}
}

func (j *judge) life() {
	l := j.license
	switch l.State {
	case Revoked:
		j.find(CodeRevoked, "The license has been revoked.")
	case Suspended:
		j.find(CodeSuspended, "The license is suspended.")
	}
	if l.scheduledAt(j.now) {
		j.until(j.find(CodeScheduled, "The license starts at %s.", written(l.StartsAt)), l.StartsAt)
	}
	if !l.expiredAt(j.now) {
		j.changes(l.ExpiresAt)
		return
	}
	if grace := l.GraceUntil(j.plan); j.now.Before(grace) {
		j.until(j.find(CodeGrace, "The license expired at %s and works until %s: renew it.", written(l.ExpiresAt), written(grace)), grace)
	} else {
		j.find(CodeExpired, "The license expired at %s.", written(l.ExpiresAt))
	}
}

// subject judges who asks, nil where the request does not say.
func (j *judge) subject(kind SeatKind, s *Subject) {
	if s == nil {
		if !j.license.needs(kind, j.plan) {
			return
		}
		if kind == Domain {
			j.find(CodeDomainRequired, "The request must name the domain that asks.")
		} else {
			j.find(CodeFingerprintRequired, "The request must name the machine that asks, by its fingerprint.")
		}
		return
	}
	if kind == Domain && !j.license.Allows(s.Domain) {
		j.find(CodeDomainNotAllowed, "The license is not for the domain %s.", s.Domain).Subject = &s.Text
	}
	j.seat(kind, s)
}

// seat judges whether the subject has the seat that it needs; it needs one
// where its kind has a limit.
func (j *judge) seat(kind SeatKind, s *Subject) {
	seat := j.license.SeatOf(*s)
	held := seat != nil && seat.HeldAt(j.plan, j.leasesAt)
	if held && j.Seat == nil {
		j.Seat = seat
	}
	bound, limited := j.license.bound(kind, j.plan)
	if !limited {
		return
	}
	if held {
		j.ends(seat.endsAt(j.plan))
		return
	}
	j.LeaseRanOut = j.LeaseRanOut || seat != nil
	if j.license.room(kind, j.plan, j.tallies) {
		j.find(CodeNotActivated, "%s holds no seat of the license: activate it first.", s.called()).Subject = &s.Text
		return
	}
	own := j.tallies.of(kind)
	code := CodeMachineLimitReached
	if kind == Domain {
		code = CodeDomainLimitReached
	}
	r := j.find(code, "%s holds no seat of the license, and none is left: %d of %d are taken.", s.called(), own.held, bound)
	r.Subject, r.Limit, r.Actual = &s.Text, new(bound), new(own.held)
	j.until(r, own.next)
}

func (j *judge) entitlement(code string) {
	granted := j.license.entitlement(j.plan, code)
	switch {
	case granted == nil:
		j.find(CodeEntitlementMissing, "The license does not include %s.", code).Subject = new(code)
	case granted.ExpiresAt.IsZero():
	case j.now.Before(granted.ExpiresAt):
		j.ends(granted.ExpiresAt)
	default:
		j.find(CodeEntitlementMissing, "The license included %s until %s.", code, written(granted.ExpiresAt)).Subject = new(code)
	}
}

// overage warns while more seats are held than the limit without overage. The
// kind of seat is the reason's subject, since there may be one of each.
func (j *judge) overage(kind SeatKind) {
	limit := j.license.Limit(kind, j.plan)
	own := j.tallies.of(kind)
	if limit == nil || own.held <= *limit {
		return
	}
	r := j.find(CodeOverage, "%d seats are held where the license has %d.", own.held, *limit)
	r.Subject, r.Limit, r.Actual = new(string(kind)), new(*limit), new(own.held)
	j.until(r, own.next)
}

// called names the subject in a sentence.
func (s Subject) called() string {
	if s.Kind == Domain {
		return "The domain " + s.Domain
	}
	return "The machine"
}

// written is a time in a message.
func written(t time.Time) string { return t.Format(time.RFC3339) }
