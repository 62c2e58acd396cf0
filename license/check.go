package license

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keywright/keywright/fault"
)

// The bounds of what staff write, in characters where nothing else is said.
const (
	maxName       = 200
	maxExternalID = 200
	maxEmail      = 320
	maxReason     = 1000

	maxEntitlements     = 100
	maxEntitlementCode  = 64
	maxEntitlementValue = 1 << 10 // bytes
	maxAllowedDomains   = 100
	maxSeatedDomains    = 100      // at issue
	maxContent          = 24 << 10 // bytes of metadata, entitlements and allowed domains together

	// MaxOverage is the greatest overagePercent: eleven times the limit.
	MaxOverage = 1000

	leastLease    = 10 * time.Second
	leastDuration = time.Minute
)

// CheckReason checks why somebody did something: at most 1,000 characters, and
// it may be empty.
func CheckReason(field, text string) error {
	var bad problems
	bad.text(field, text, optional, maxReason)
	return bad.err()
}

// problems are the bad fields of an input.
type problems []error

func (p *problems) err() error { return errors.Join(*p...) }

func (p *problems) take(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

func (p *problems) add(field, format string, args ...any) {
	p.take(fault.Invalid(field, format, args...))
}

type presence bool

const (
	optional presence = false
	needed   presence = true
)

// text checks a text of one line.
func (p *problems) text(field, text string, must presence, most int) {
	switch {
	case must == needed && strings.TrimSpace(text) == "":
		p.add(field, "%s must not be empty", field)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		p.add(field, "%s must not contain control characters, such as line breaks", field)
	case utf8.RuneCountInString(text) > most:
		p.add(field, "%s must have at most %d characters", field, most)
	}
}

func (p *problems) limit(field string, limit *int) {
	if limit != nil && (*limit < 0 || *limit > MaxSeats) {
		p.add(field, "%s must be from 0 to %d", field, MaxSeats)
	}
}

func (p *problems) duration(field string, d *Duration, least time.Duration) {
	if d != nil && !d.AtLeast(least) {
		p.add(field, "%s must be at least %s", field, Duration{seconds: int64(least / time.Second)})
	}
}

// time checks a time that may be none.
func (p *problems) time(field string, t time.Time) {
	if !t.IsZero() && (t.Year() < 1970 || t.After(latest())) {
		p.add(field, "%s must lie in the years from 1970 to 9999", field)
	}
}

// given checks that a time that is given is none that passes for none.
func (p *problems) given(field string, t *time.Time) {
	if t != nil && stored(*t).IsZero() {
		p.add(field, "%s must lie in the years from 1970 to 9999", field)
	}
}

func (p *problems) entitlements(granted []Entitlement) {
	if len(granted) > maxEntitlements {
		p.add("entitlements", "there may be at most %d entitlements", maxEntitlements)
		return
	}
	seen := make(map[string]bool, len(granted))
	for i, e := range granted {
		field := fmt.Sprintf("entitlements.%d.", i)
		p.text(field+"code", e.Code, needed, maxEntitlementCode)
		if seen[e.Code] {
			p.add(field+"code", "%scode %s is there twice", field, e.Code)
		}
		seen[e.Code] = true
		if len(e.Value) > 0 {
			if fail := valueRules.check(e.Value); fail != "" {
				p.add(field+"value", "%svalue %s", field, fail)
			}
		}
		p.time(field+"expiresAt", e.ExpiresAt)
	}
}

// content checks what metadata, entitlements and allowed domains come to, and
// blames the largest of them.
func (p *problems) content(metadata Metadata, granted []Entitlement, domains []string) {
	names := [...]string{"metadata", "entitlements", "allowedDomains"}
	sizes := [...]int{len(metadata), 0, 0}
	for _, e := range granted {
		sizes[1] += len(e.Code) + len(e.Value)
	}
	for _, d := range domains {
		sizes[2] += len(d)
	}
	largest, sum := 0, 0
	for i, size := range sizes {
		sum += size
		if size > sizes[largest] {
			largest = i
		}
	}
	if sum > maxContent {
		p.add(names[largest], "metadata, entitlements and allowed domains may have %d bytes together, and have %d", maxContent, sum)
	}
}
