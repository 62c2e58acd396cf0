package test_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/license/key"
)

// unknownKey gives the n-th key of the demo product's shape that nobody has.
func unknownKey(t *testing.T, n int) string {
	t.Helper()
	k, err := key.New("ACME", [key.Length]byte{byte(n >> 5 & 31), byte(n & 31)})
	if err != nil {
		t.Fatal(err)
	}
	return k.String()
}

// unknownUntilLimited asks for unknown keys until it is refused, and says how
// many of them it was told of.
func unknownUntilLimited(t *testing.T, c client) int {
	t.Helper()
	for n := range 1_000 {
		code, _, err := c.validate(unknownKey(t, n))
		var refused *refusal
		switch {
		case err == nil && code == "NOT_FOUND":
			continue
		case errors.As(err, &refused) && refused.Extensions.Code == "RATE_LIMITED" && refused.Extensions.RetryAfterSeconds > 0:
			return n
		}
		t.Fatalf("%s, %v", code, err)
	}
	t.Fatal("1,000 unknown keys were told of")
	return 0
}

func validates(t *testing.T, c client, keyText string) {
	t.Helper()
	if code, _, err := c.validate(keyText); err != nil || code != "VALID" {
		t.Errorf("a good key is %s, %v", code, err)
	}
}

func TestUnknownKeysAreLimitedByAddressAndKnownOnesAreNot(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	dev, staff := serveDev(t, data)
	var issued struct{ IssueLicense struct{ Key string } }
	if err := staff.ask(`mutation { issueLicense(input: {plan: "acme/professional"}) { key } }`, nil, &issued); err != nil {
		t.Fatal(err)
	}
	keyText := issued.IssueLicense.Key
	if told := unknownUntilLimited(t, staff); told < 10 { // more where that took longer than six seconds
		t.Errorf("refused after %d unknown keys, want 10", told)
	}
	validates(t, staff, keyText)
	if err := errors.Join(dev.stop(), quiet(dev)); err != nil {
		t.Error(err)
	}

	// Behind a proxy it is the proxy's clients that are told apart.
	s, err := start("", devEnv(), "serve", "--storage=sqlite:"+filepath.Join(data, "keywright.db"),
		"--secret-file="+filepath.Join(data, "secret"), "--listen=127.0.0.1:0", "--ops-listen=off", "--log-level=error",
		"--trusted-proxies=127.0.0.1", "--unknown-keys-per-minute=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	for _, network := range [][]string{{"2001:db8:1:2::1", "2001:db8:1:2:ffff::1"}, {"192.0.2.1", "::ffff:192.0.2.1"}, {"192.0.2.2"}} {
		for i, address := range network {
			c := client{url: s.URL, headers: []string{"X-Forwarded-For", "198.51.100.1, " + address}}
			if told := unknownUntilLimited(t, c); i == 0 && told == 0 {
				t.Errorf("%s is refused at once", address)
			} else if i > 0 && told > 0 {
				t.Errorf("%s is told of %d unknown keys after another address of its network was refused", address, told)
			}
			validates(t, c, keyText)
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
