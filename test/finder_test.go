package test_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A canary is a text that is confided to the server, and must turn up nowhere
// but where it was asked for.
type canary struct {
	name   string
	traces []string // parts of it, as bare gives them
	lists  []string // parts of it, as lists of numbers
}

// Of so many letters and digits, or numbers, in a row each gives a canary away.
const (
	longTrace = 12
	longList  = 6
)

func newCanary(name, text string) canary {
	return canary{name: name}.spelt(text).listed([]byte(text))
}

// newKey is the canary of a license key, which may be listed by the values of
// its characters, too.
func newKey(text string) canary {
	c := newCanary("a key", text)
	_, symbols, ours := strings.Cut(text, "-")
	if !ours {
		return c
	}
	var values []byte
	for _, symbol := range bare(symbols) {
		values = append(values, byte(strings.IndexRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", symbol)))
	}
	return c.listed(values)
}

// newSecret is the canary of a server's secret, by its line.
func newSecret(line string) canary {
	c := newCanary("the secret", line)
	raw, err := hex.DecodeString(line)
	if err != nil {
		panic(err)
	}
	c.lists = append(c.lists, string(raw[:longList]), string(raw[len(raw)-longList:]))
	return c.spelt(base64.StdEncoding.EncodeToString(raw)).listed(raw)
}

// spelt adds the traces of a text, of its bytes in hexadecimal and in base 64.
func (c canary) spelt(text string) canary {
	for _, spelling := range []string{text, hex.EncodeToString([]byte(text)), base64.StdEncoding.EncodeToString([]byte(text))} {
		spelling = bare(spelling)
		for i := 0; i+longTrace <= len(spelling); i += 4 {
			c.traces = append(c.traces, spelling[i:i+longTrace])
		}
	}
	return c
}

// listed adds the lists that %v and %#v make of values, and a crash of arrays.
func (c canary) listed(values []byte) canary {
	for i := 0; i+longList <= len(values); i += 4 {
		decimal, hexadecimal := lists(values[i : i+longList])
		c.lists = append(c.lists, decimal, strings.ReplaceAll(decimal, " ", ","), hexadecimal)
	}
	return c
}

// lists writes values as fmt does, "1 10" and "0x1, 0xa".
func lists(values []byte) (decimal, hexadecimal string) {
	decimal, hexadecimal = fmt.Sprint(values), fmt.Sprintf("%#v", values)
	return strings.Trim(decimal, "[]"), strings.TrimSuffix(strings.TrimPrefix(hexadecimal, "[]byte{"), "}")
}

// bare gives the letters and digits of a text, in upper case.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, text)
}

// flock is canaries.
type flock []canary

// in names the canaries of which the text holds a part, in any spelling.
func (f flock) in(text string) []string {
	var found []string
	naked := bare(text)
	for _, c := range f {
		spelt := slices.ContainsFunc(c.traces, func(trace string) bool { return strings.Contains(naked, trace) })
		listed := slices.ContainsFunc(c.lists, func(list string) bool { return strings.Contains(text, list) })
		if spelt || listed {
			found = append(found, c.name)
		}
	}
	return found
}

func TestACanaryIsFoundInAnySpelling(t *testing.T) {
	const key, line = "ACME-7ZK2M-Q9XWT-4B0RD-HJ6VN-3CYPE-8FGS5", "8f3b0c7e51d2a6944ce0b7f81a2d6395c4e87b10f6d93a5270be41c98d5f2a36"
	raw, err := hex.DecodeString(line)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(map[string]any{"error": map[string]string{"message": "no such key: " + key}})
	if err != nil {
		t.Fatal(err)
	}
	symbols := []byte{7, 31, 19, 2, 20, 23, 9, 29, 28, 26, 4, 11, 0, 24, 13, 17, 18, 6, 27, 21, 3, 12, 30, 22, 14, 8, 15, 16, 25, 5}
	_, crashed := lists(symbols[:longList+1])
	all := flock{newKey(key), newSecret(line), newCanary("a fingerprint", "fp-9Qm2vX7tLr4Wz8Kb3Hd6")}
	for _, c := range []struct{ text, want string }{
		{`time=12:00 level=INFO msg=request key=` + key + ` status=200`, "a key"},
		{strings.ToLower(key), "a key"},
		{bare(key), "a key"},
		{strings.ReplaceAll(key, "-", " "), "a key"},
		{"7ZK2MQ9XWT4B0RDHJ6VN3CYPE8", "a key"},
		{key[len(key)-17:], "a key"},
		{string(quoted), "a key"},
		{fmt.Sprintf("%x", key), "a key"},
		{fmt.Sprintf("% X", key), "a key"},
		{base64.RawURLEncoding.EncodeToString([]byte(key)), "a key"},
		{fmt.Sprint([]byte(key)), "a key"},
		{fmt.Sprint(symbols), "a key"},
		{fmt.Sprintf("main.f({0x41, 0x43, 0x4d, 0x45, %s, ...})", crashed), "a key"},
		{line, "the secret"},
		{strings.ToUpper(line[:20]), "the secret"},
		{string(raw), "the secret"},
		{fmt.Sprint(raw), "the secret"},
		{fmt.Sprintf("%#v", raw), "the secret"},
		{base64.StdEncoding.EncodeToString(raw), "the secret"},
		{`machine "FP_9qm2VX7TLR4WZ8KB3HD6"`, "a fingerprint"},
		{`level=INFO msg=request path=/graphql hint=8FGS5 license=lic_1f5rch22sgbwm4rqtnrp6tr2fy`, ""},
	} {
		if got := strings.Join(all.in(c.text), " "); got != c.want {
			t.Errorf("%q: found %q, want %q", c.text, got, c.want)
		}
	}
}
