package license

import (
	"slices"
	"time"
)

// Code says why a license does not validate, or what to warn of.
type Code string

// The codes, gravest first.
const (
	CodeKeyMalformed        Code = "KEY_MALFORMED"
	CodeNotFound            Code = "NOT_FOUND"
	CodeProductRequired     Code = "PRODUCT_REQUIRED"
	CodeProductMismatch     Code = "PRODUCT_MISMATCH"
	CodeRevoked             Code = "REVOKED"
	CodeSuspended           Code = "SUSPENDED"
	CodeScheduled           Code = "SCHEDULED"
	CodeExpired             Code = "EXPIRED"
	CodeFingerprintRequired Code = "FINGERPRINT_REQUIRED"
	CodeDomainRequired      Code = "DOMAIN_REQUIRED"
	CodeDomainNotAllowed    Code = "DOMAIN_NOT_ALLOWED"
	CodeMachineLimitReached Code = "MACHINE_LIMIT_REACHED"
	CodeDomainLimitReached  Code = "DOMAIN_LIMIT_REACHED"
	CodeNotActivated        Code = "NOT_ACTIVATED" // room is left: activate
	CodeCheckedOut          Code = "CHECKED_OUT"   // deactivate only
	CodeEntitlementMissing  Code = "ENTITLEMENT_MISSING"
	CodeOverage             Code = "OVERAGE" // a warning, as all below
	CodeGrace               Code = "GRACE"
	CodeValid               Code = "VALID" // no reason at all
)

// Codes lists them, gravest first.
func Codes() []Code {
	return []Code{
		CodeKeyMalformed, CodeNotFound, CodeProductRequired, CodeProductMismatch,
		CodeRevoked, CodeSuspended, CodeScheduled, CodeExpired,
		CodeFingerprintRequired, CodeDomainRequired, CodeDomainNotAllowed,
		CodeMachineLimitReached, CodeDomainLimitReached, CodeNotActivated, CodeCheckedOut,
		CodeEntitlementMissing, CodeOverage, CodeGrace, CodeValid,
	}
}

// blocking reports whether a reason of this code is a no.
func (c Code) blocking() bool { return c != CodeOverage && c != CodeGrace && c != CodeValid }

// Reason is one rule that is broken, or worth a warning.
type Reason struct {
	Code     Code
	Message  string // for whoever reads the answer
	Blocking bool   // false is a warning
	Subject  *string
	Limit    *int // the bound that was broken, and what stood against it
	Actual   *int
	// Until is when the reason ends by itself; nil: only somebody's act ends
	// it. Where a limit is reached or passed it is the next lease to end.
	Until *time.Time
}

// Decision is the answer to whether a license is good, here and now.
type Decision struct {
	Valid   bool     // no reason is blocking
	Code    Code     // of the gravest reason, a warning's too; CodeValid without any
	Reasons []Reason // gravest first
	// Seat is what the request's subject holds; of two, the machine's. It
	// points into the license.
	Seat *Activation
	// LeaseRanOut says that the subject has a seat on record whose lease seems
	// to have run out: newer data may know a later end.
	LeaseRanOut bool
	// GoodUntil is how long a yes stands where the server cannot be asked;
	// none for a no.
	GoodUntil time.Time
	// ChangesAt is the next time at which the answer may change by itself; none
	// where only somebody's act changes it.
	ChangesAt time.Time
}

// How soon to ask again after a no.
const refreshAfterNo = time.Minute

// RefreshAt gives when to ask again: after every for a yes, after a minute for
// a no, or when the answer may change by itself, if that is sooner.
func (d Decision) RefreshAt(now time.Time, every time.Duration) time.Time {
	if !d.Valid {
		every = min(every, refreshAfterNo)
	}
	return sooner(now.Add(every), d.ChangesAt)
}

// AllowsActivation reports whether the subject may take a seat, or find its
// own: nothing blocks, or only that it holds none. Seats are taken one subject
// at a time, so that the other kind is missing from the request blocks nothing.
func (d Decision) AllowsActivation(s Subject) bool {
	return !slices.ContainsFunc(d.Reasons, s.blockedBy)
}

// blockedBy reports whether a reason keeps the subject from taking a seat.
func (s Subject) blockedBy(r Reason) bool {
	missing := CodeDomainRequired
	if s.Kind == Domain {
		missing = CodeFingerprintRequired
	}
	return r.Blocking && r.Code != CodeNotActivated && r.Code != missing
}

// WrongProduct reports whether the request is not of the license's product, or
// does not say so where it must: then it is to change nothing at all.
func (d Decision) WrongProduct() bool {
	return slices.ContainsFunc(d.Reasons, func(r Reason) bool {
		return r.Code == CodeProductMismatch || r.Code == CodeProductRequired
	})
}

// With gives the decision with one more reason.
func (d Decision) With(r Reason) Decision {
	d.Reasons = append(slices.Clip(d.Reasons), r)
	d.conclude()
	return d
}

// Refused is the answer to a key that leads to no license: CodeKeyMalformed or
// CodeNotFound.
func Refused(code Code) Decision {
	message := "This is not a license key of this server."
	if code == CodeKeyMalformed {
		message = "The license key is mistyped: compare it with the original, character by character."
	}
	return Decision{}.With(Reason{Code: code, Message: message, Blocking: true})
}

// conclude puts the reasons in order and draws what follows from them.
func (d *Decision) conclude() {
	if len(d.Reasons) == 0 {
		d.Valid, d.Code = true, CodeValid
		return
	}
	order := Codes()
	slices.SortStableFunc(d.Reasons, func(a, b Reason) int {
		return slices.Index(order, a.Code) - slices.Index(order, b.Code)
	})
	d.Code = d.Reasons[0].Code
	d.Valid = !slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Blocking })
	if !d.Valid {
		d.GoodUntil = time.Time{}
	}
}
