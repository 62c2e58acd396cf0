package validation

import (
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

// maxText bounds the texts that an answer may repeat, in bytes: longer than
// any code there is.
const maxText = 256

// MaxEntitlementsAsked bounds the entitlements that one request names.
const MaxEntitlementsAsked = 100

// asked is what the inputs have in common, beside the key.
type asked struct {
	product, fingerprint, domain *string
	entitlements                 []string
}

// request checks what is asked.
func (a asked) request() (license.Request, error) {
	r := license.Request{Entitlements: a.entitlements}
	var problems []error
	subject := func(given *string, parse func(string) (license.Subject, error)) *license.Subject {
		if given == nil {
			return nil
		}
		parsed, err := parse(*given)
		problems = append(problems, err)
		return &parsed
	}
	r.Fingerprint = subject(a.fingerprint, license.ParseFingerprint)
	r.Domain = subject(a.domain, license.ParseDomain)
	if a.product != nil {
		if r.Product = *a.product; len(r.Product) > maxText {
			problems = append(problems, fault.Invalid("product", "product must have at most %d bytes", maxText))
		}
	}
	if len(a.entitlements) > MaxEntitlementsAsked {
		problems = append(problems, fault.Invalid("entitlements", "ask for at most %d entitlements", MaxEntitlementsAsked))
	}
	for i, code := range a.entitlements {
		if len(code) > maxText {
			problems = append(problems, fault.Invalid(fmt.Sprintf("entitlements.%d", i), "an entitlement's code must have at most %d bytes", maxText))
		}
	}
	return r, errors.Join(problems...)
}

// seatRequest checks what is asked of a seat, and gives whose it is.
func (a asked) seatRequest() (license.Request, license.Subject, error) {
	r, err := a.request()
	switch {
	case (a.fingerprint == nil) == (a.domain == nil):
		err = errors.Join(err, fault.Invalid("fingerprint", "give exactly one of fingerprint and domain"))
	case err != nil:
	case r.Fingerprint != nil:
		return r, *r.Fingerprint, nil
	default:
		return r, *r.Domain, nil
	}
	return r, license.Subject{}, err
}

// staleness gives how old the data of an answer may be.
func (s *Service) staleness(given *license.Duration, now time.Time) (time.Duration, error) {
	if given == nil {
		return s.MaxStaleness, nil
	}
	wanted := given.AddTo(now).Sub(now)
	if wanted < minStaleness {
		return 0, fault.Invalid("maxStaleness", "maxStaleness must be at least PT1S")
	}
	return min(s.MaxStaleness, wanted), nil
}
