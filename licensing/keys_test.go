package licensing_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/licensing"
)

func TestALicenseIsNamedByItsIDOrItsKey(t *testing.T) {
	s := newAcmeShop(t)
	for name, ref := range map[string]struct{ id, key *string }{"none": {}, "both": {ptr(s.id()), &s.issued.Key}} {
		_, err := s.License(as(ada), ref.id, ref.key)
		t.Run(name, func(t *testing.T) { wantFields(t, err, "id") })
	}
	for _, spelling := range []string{s.issued.Key, strings.ToLower(s.issued.Key), " " + strings.ReplaceAll(s.issued.Key, "-", " ")} {
		if got := must(s.License(as(ada), nil, &spelling))(t); got.ID() != s.id() {
			t.Errorf("%s is the key of %s", spelling, got.ID())
		}
	}
}

func TestAKeyThatLeadsNowhereIsNotFound(t *testing.T) {
	s := newAcmeShop(t)
	other := newShop(t)
	other.plan(t, "acme", "basic") // so that its randomness is not in step with ours
	foreign := other.issue(t, nil).Key
	for name, tt := range map[string]struct {
		key  string
		want fault.Code
	}{
		"of another server":  {foreign, fault.NotFound},
		"made elsewhere":     {"A-KEY-MADE-ELSEWHERE", fault.NotFound},
		"an MD5":             {"d41d8cd98f00b204e9800998ecf8427e", fault.NotFound},
		"a UUID":             {"3f333df6-90a4-4fda-8dd3-9485d27cee36", fault.NotFound},
		"mistyped":           {mistype(s.issued.Key), fault.InvalidInput},
		"5,000 characters":   {strings.Repeat("x", 5000), fault.InvalidInput},
		"NUL":                {"A-KEY-MADE\x00ELSEWHERE", fault.InvalidInput},
		"nothing":            {"", fault.InvalidInput},
		"another's prefix":   {"OTHER" + strings.TrimPrefix(s.issued.Key, "ACME"), fault.InvalidInput},
		"an unknown's":       {"NONE" + strings.TrimPrefix(s.issued.Key, "ACME"), fault.NotFound},
		"its id, not a key":  {s.id(), fault.NotFound},
		"a key with a quote": {`A-KEY-MADE-"ELSEWHERE`, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.License(as(ada), nil, &tt.key)
			wantCode(t, err, tt.want)
			if tt.key != "" && strings.Contains(err.Error(), tt.key) {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
}

func TestAGeneratedKeyIsMadeOfAllItsRandomness(t *testing.T) {
	s := newShop(t)
	for fill, want := range map[byte]string{0xff: "ACME-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-Z", 0x00: "ACME-00000-00000-00000-00000-00000-0"} {
		s.config.Random = iotest.OneByteReader(bytes.NewReader(bytes.Repeat([]byte{fill}, 1000)))
		s.restart(t, oldSecret)
		if got := s.issue(t, nil).Key; !strings.HasPrefix(got, want) {
			t.Errorf("%x makes %s", fill, got)
		}
	}
}

func TestWithoutRandomnessNothingIsIssued(t *testing.T) {
	s := newShop(t)
	before := s.dump(t)
	for enough := range 60 { // a key, a nonce, an id and an attempt take more
		s.config.Random = bytes.NewReader(make([]byte, enough))
		s.restart(t, oldSecret)
		_, err := s.IssueLicense(as(ada), proLicense(nil))
		wantCode(t, err, fault.Internal)
	}
	s.wantUnchanged(t, before)
}

// mistype changes one character of a key's data.
func mistype(key string) string {
	other := "2"
	if key[6] == '2' {
		other = "3"
	}
	return key[:6] + other + key[7:]
}

func TestABadKeyIsNotImported(t *testing.T) {
	s := newShop(t)
	generated := s.issue(t, nil).Key
	s.product(t, "other", "OTHER")
	s.plan(t, "other", "pro")
	before := s.dump(t)
	for name, key := range map[string]string{
		"mistyped":         mistype(generated),
		"a character less": generated[:len(generated)-1],
		"foreign prefix":   "OTHER" + strings.TrimPrefix(generated, "ACME"),
		"5,000 characters": strings.Repeat("x", 5000),
		"201 characters":   strings.Repeat("x", 201),
		"15 characters":    strings.Repeat("x", 15),
		"nothing":          "",
		"NUL":              "A-KEY-MADE\x00ELSEWHERE",
		"a line break":     "A-KEY-MADE\nELSEWHERE",
		"no UTF-8":         "A-KEY-MADE\xffELSEWHERE",
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []licensing.IssueLicenseInput{proLicense(nil), under("order 7", nil)} {
				in.Key = &key
				_, err := s.IssueLicense(as(ada), in)
				wantFields(t, err, "key")
			}
		})
	}
	other := must(s.IssueLicense(as(ada), licensing.IssueLicenseInput{Plan: "other/pro"}))(t).Key
	_, err := s.IssueLicense(as(ada), proLicense(func(in *licensing.IssueLicenseInput) { in.Key = &other }))
	wantFields(t, err, "key")
	if got, want := len(s.dump(t).Records), len(before.Records)+1; got != want {
		t.Errorf("%d records, want %d", got, want)
	}
}
