package license_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

func TestFingerprintsAreTakenAsTheyAre(t *testing.T) {
	for _, text := range []string{"m", "AA:BB:cc", " a b ", "münchen", "A:1", strings.Repeat("x", 200), strings.Repeat("ü", 100)} {
		got, err := license.ParseFingerprint(text)
		if diff := cmp.Diff(license.Subject{Kind: license.Machine, Text: text}, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
}

func TestIdentityIsWhatIsCompared(t *testing.T) {
	if got := machine("A:1").Identity(); got != "A:1" {
		t.Errorf("a machine's is %s", got)
	}
	if got := domain(t, "A.com:1").Identity(); got != "a.com" {
		t.Errorf("a domain's is %s", got)
	}
}

func TestFingerprintsThatDoNotPrintAreRefused(t *testing.T) {
	for _, text := range []string{"", "a\x00b", "a\nb", "\t", "a\x7f", "\xff", "a\u200bb", "a\u202eb", strings.Repeat("x", 201), strings.Repeat("ü", 101)} {
		_, err := license.ParseFingerprint(text)
		wantFields(t, err, "fingerprint")
	}
}

func TestDomainsAreComparedInNormalForm(t *testing.T) {
	for text, want := range map[string]string{
		"example.com":             "example.com",
		"WWW.Example.COM":         "www.example.com",
		"example.com.":            "example.com",
		"example.com:8080":        "example.com",
		"Example.com.:443":        "example.com",
		"localhost":               "localhost",
		"127.0.0.1:3000":          "127.0.0.1",
		"Bücher.example":          "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":   "xn--bcher-kva.example",
		"bu\u0308cher.example":    "xn--bcher-kva.example",
		"faß.de":                  "xn--fa-hia.de",
		"例え。テスト。":                 "xn--r8jz45g.xn--zckzah",
		"r3---sn-4g5e6nz7.test":   "r3---sn-4g5e6nz7.test",
		"a." + label(63) + ".com": "a." + label(63) + ".com",
	} {
		got, err := license.ParseDomain(text)
		if diff := cmp.Diff(license.Subject{Kind: license.Domain, Text: text, Domain: want}, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
}

func TestADomainMayBeLongerInNormalFormThanAsItIsSent(t *testing.T) {
	text := strings.Repeat("ü.", 28) + "example"
	s := domain(t, text)
	if len(s.Domain) <= license.MaxSubject {
		t.Fatalf("%s has %d bytes only", s.Domain, len(s.Domain))
	}
	if again, err := license.ParseDomainPattern(s.Domain); err != nil || again != s.Domain {
		t.Errorf("as a pattern it is %s, %v", again, err)
	}
}

func label(n int) string { return strings.Repeat("x", n) }

func TestWhatIsNoHostNameIsNoDomain(t *testing.T) {
	for _, text := range []string{
		"", ".", "..", "a..b", ".example.com", "example.com..", ":80", "example.com:", "example.com:port", "example.com:123456", "a:1:2",
		"http://example.com", "example.com/path", "user@example.com", "*.example.com", "*", "exa mple.com", "a_b.com",
		"[::1]", "::1", "example\x00.com", "example.com\n", "xn--zzzzzzz!.com", "xn--a", "a." + label(64) + ".com", strings.Repeat("abc.", 50) + "a", "\xff.com",
		"\u202eexample.com",
	} {
		got, err := license.ParseDomain(text)
		if err == nil {
			t.Errorf("%q is read as %q", text, got.Domain)
			continue
		}
		wantFields(t, err, "domain")
	}
}

func TestAStarCoversExactlyOneLabel(t *testing.T) {
	for _, c := range []struct {
		pattern string
		covered []string
		not     []string
	}{
		{"example.com", []string{"example.com", "EXAMPLE.com.:80"}, []string{"www.example.com", "example.org", "com"}},
		{"*.Example.com", []string{"www.example.com", "xn--bcher-kva.example.com", "bücher.example.com"},
			[]string{"example.com", "a.b.example.com", "wwwexample.com", "www.example.org", "com"}},
		{"*.Bücher.example.", []string{"shop.xn--bcher-kva.example"}, []string{"xn--bcher-kva.example"}},
		{"*.localhost", []string{"app.localhost"}, []string{"localhost"}},
	} {
		pattern, err := license.ParseDomainPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		l := &license.License{AllowedDomains: []string{pattern}}
		for _, text := range c.covered {
			if !l.Allows(domain(t, text).Domain) {
				t.Errorf("%s does not cover %s", pattern, text)
			}
		}
		for _, text := range c.not {
			if l.Allows(domain(t, text).Domain) {
				t.Errorf("%s covers %s", pattern, text)
			}
		}
	}
}

func TestPatternsThatAreNoneAreRefused(t *testing.T) {
	for _, text := range []string{"", "*", "*.", "**.example.com", "*.*.example.com", "www.*.com", "w*.example.com", "*example.com", "https://example.com"} {
		_, err := license.ParseDomainPattern(text)
		if !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNilAllowsAnyDomainAndAnEmptyListNone(t *testing.T) {
	l := &license.License{}
	if !l.Allows("example.com") {
		t.Error("nil does not allow any domain")
	}
	l.AllowedDomains = license.NormalPatterns([]string{})
	if l.Allows("example.com") {
		t.Error("an empty list allows a domain")
	}
	l.AllowedDomains = license.NormalPatterns([]string{"example.org", "Example.COM"})
	if !l.Allows("example.com") {
		t.Error("the second pattern does not count")
	}
}

// A domain's normal form must be a fixed point: it is compared with patterns
// and with what was stored by an earlier version of the tables.
func FuzzDomain(f *testing.F) {
	for _, text := range []string{
		"example.com", "Bücher.example:80", "例え。テスト", "xn--bcher-kva", "*.a", "a..b", "XN--A", "faß.de.", "\u0645\u062b\u0627\u0644.test",
		"xn--11b4d3a", "a\u200db.c", "１２.com", "ǅ.com", "xn--xn--a-0ea",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := license.ParseDomain(text)
		if err != nil {
			return
		}
		if s.Text != text || s.Domain != strings.ToLower(s.Domain) || strings.Trim(s.Domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" ||
			len(s.Domain) > 253 || strings.HasSuffix(s.Domain, ".") {
			t.Fatalf("%q has the normal form %q", text, s.Domain)
		}
		for _, form := range []string{text, s.Domain} {
			if pattern, err := license.ParseDomainPattern(form); err != nil || pattern != s.Domain {
				t.Fatalf("%q has the normal form %q, but %q as a pattern %q, %v", text, s.Domain, form, pattern, err)
			}
		}
	})
}
