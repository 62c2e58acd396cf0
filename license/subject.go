package license

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/keywright/keywright/fault"
)

// MaxSubject bounds a fingerprint or domain as it is sent, in bytes.
const MaxSubject = 200

// The longest name of a host, in bytes. In A-labels one may be longer than as
// it was sent.
const maxHostName = 253

// Subject is a machine or a domain that holds a seat, or asks.
type Subject struct {
	Kind   SeatKind
	Text   string // as the client sent it
	Domain string // of a domain, its normal form
}

// Identity is what a subject is compared by, and its activation id made of:
// the normal form of a domain, and a fingerprint as it was sent.
func (s Subject) Identity() string {
	if s.Kind == Domain {
		return s.Domain
	}
	return s.Text
}

// ParseFingerprint reads a machine's fingerprint: 1 to MaxSubject bytes of
// printable text, taken as it is.
func ParseFingerprint(text string) (Subject, error) {
	if !printable(text, MaxSubject) {
		return Subject{}, fault.Invalid("fingerprint", "fingerprint must have 1 to %d printable bytes", MaxSubject)
	}
	return Subject{Kind: Machine, Text: text}, nil
}

// ParseDomain reads the name of a host, with or without port and trailing dot,
// in any script and case.
func ParseDomain(text string) (Subject, error) {
	domain, ok := normalDomain(text)
	if !ok || len(text) > MaxSubject {
		return Subject{}, fault.Invalid("domain", "domain must be a host name such as www.example.com, of at most %d bytes", MaxSubject)
	}
	return Subject{Kind: Domain, Text: text, Domain: domain}, nil
}

// ParseDomainPattern gives the normal form of a pattern of allowed domains: a
// host name, or *. and a host name, where the star stands for one label.
func ParseDomainPattern(text string) (string, error) {
	star, name := "", text
	if rest, ok := strings.CutPrefix(text, anyLabel); ok {
		star, name = anyLabel, rest
	}
	domain, ok := normalDomain(name)
	if !ok {
		return "", fault.Invalid("allowedDomains", "an allowed domain is a host name such as www.example.com or *.example.com")
	}
	return star + domain, nil
}

// NormalPatterns gives the normal form of each pattern. One that is none stays
// as it is, for Check to name.
func NormalPatterns(texts []string) []string {
	if texts == nil {
		return nil
	}
	normal := make([]string, len(texts))
	for i, text := range texts {
		normal[i] = text
		if pattern, err := ParseDomainPattern(text); err == nil {
			normal[i] = pattern
		}
	}
	return normal
}

// Allows reports whether a domain, in normal form, may hold a seat.
func (l *License) Allows(domain string) bool {
	if l.AllowedDomains == nil {
		return true
	}
	for _, pattern := range l.AllowedDomains {
		if covers(pattern, domain) {
			return true
		}
	}
	return false
}

const anyLabel = "*."

func covers(pattern, domain string) bool {
	parent, wild := strings.CutPrefix(pattern, anyLabel)
	if !wild {
		return pattern == domain
	}
	_, rest, found := strings.Cut(domain, ".")
	return found && rest == parent
}

// The profile of UTS #46 for looking names up, without the rule on hyphens,
// which names in use break (r3---sn-4g5e6nz7.example.com).
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true), idna.CheckHyphens(false))

// normalDomain gives lower-case A-labels without port or trailing dot.
func normalDomain(text string) (string, bool) {
	if !printable(text, maxHostName+len(".:65535")) {
		return "", false
	}
	name := text
	if host, port, found := strings.Cut(text, ":"); found {
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return "", false
		}
		name = host
	}
	if end, size := utf8.DecodeLastRuneInString(name); strings.ContainsRune(".。．｡", end) { // the dots of UTS #46
		name = name[:len(name)-size]
	}
	domain, err := hostNames.ToASCII(name)
	return domain, err == nil && !strings.HasSuffix(domain, ".") // idna lets one empty label pass, at the end
}

func printable(text string, most int) bool {
	if text == "" || len(text) > most || !utf8.ValidString(text) {
		return false
	}
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
