package secret_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/secret"
)

func parse(t testing.TB, text string) *secret.List {
	t.Helper()
	l, err := secret.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// random gives the same bytes in every run.
func random() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func TestNewMakesALineForParse(t *testing.T) {
	source := random()
	first, err := secret.New(source)
	if err != nil {
		t.Fatal(err)
	}
	second, err := secret.New(source)
	if err != nil {
		t.Fatal(err)
	}
	l := parse(t, "# made today\r\n\r\n"+first+"\r\n  "+strings.ToUpper(second)+"  \n# end")
	var ids []string
	for _, s := range l.All() {
		ids = append(ids, s.ID())
	}
	want := []string{parse(t, first).First().ID(), parse(t, second).First().ID()}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	if l.First() != l.All()[0] || l.ByID(want[1]) != l.All()[1] || l.ByID("0000000000000000") != nil {
		t.Error("First, All and ByID differ")
	}
	if text, err := secret.New(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Errorf("New without random bytes made %s", text)
	}
}

func TestParseRefusesWithoutTellingWhatItRead(t *testing.T) {
	one := strings.Repeat("5a", 32)
	var many strings.Builder
	for i := range secret.MaxSecrets + 1 {
		fmt.Fprintf(&many, "%064x\n", i)
	}
	tests := map[string]struct{ text, message string }{
		"empty":      {"", "there is no secret: it is a line of 64 hexadecimal digits"},
		"comments":   {"# " + one + "\n\n", "there is no secret: it is a line of 64 hexadecimal digits"},
		"short":      {one[1:], "line 1 of the secrets is not 64 hexadecimal digits"},
		"long":       {"\n" + one + "5", "line 2 of the secrets is not 64 hexadecimal digits"},
		"no digits":  {one + "\n" + strings.Repeat("5g", 32), "line 2 of the secrets is not 64 hexadecimal digits"},
		"twice":      {one + "\n" + strings.ToUpper(one), "line 2 of the secrets is there twice"},
		"seventeen":  {many.String(), "there are more than 16 secrets"},
		"two a line": {one + " " + one, "line 1 of the secrets is not 64 hexadecimal digits"},
	}
	for name, test := range tests {
		l, err := secret.Parse([]byte(test.text))
		if l != nil || !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v, %v", name, l, err)
			continue
		}
		if err.Error() != test.message {
			t.Errorf("%s: %q, want %q", name, err, test.message)
		}
	}
}

func TestParseTakesSixteenSecrets(t *testing.T) {
	var text strings.Builder
	for i := range secret.MaxSecrets {
		fmt.Fprintf(&text, "%064x\n", i)
	}
	if n := len(parse(t, text.String()).All()); n != secret.MaxSecrets {
		t.Errorf("there are %d secrets", n)
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	v, l := load(t)
	s := l.First()
	around := struct {
		Secret *secret.Secret
		hidden *secret.Secret
		list   *secret.List
	}{s, s, l}
	// Copied as no caller should, and hidden where fmt asks no method.
	copied := struct{ hidden secret.Secret }{*s}

	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"}
	for _, verb := range verbs[:8] { // %p asks no method
		if got := fmt.Sprintf(verb, s); got != "secret "+v.SecretID {
			t.Errorf("%s shows %s", verb, got)
		}
	}

	var shown bytes.Buffer
	for _, value := range []any{s, *s, l, *l, around, &around, copied, &copied, l.All()} {
		for _, verb := range verbs {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(text)
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("seen", "value", value)
		slog.New(slog.NewTextHandler(&shown, nil)).Info("seen", "value", value)
	}

	for name, hidden := range v.Uses {
		if name == "id" {
			hidden = hidden[16:]
		}
		refuseShown(t, name, shown.String(), hidden)
	}
	refuseShown(t, "secret", shown.String(), v.Secret)
	if !strings.Contains(shown.String(), `"secret `+v.SecretID+`"`) {
		t.Error("the id is not shown in JSON")
	}
}

// refuseShown fails if text holds the first eight bytes of hidden, in
// hexadecimal or as fmt prints bytes.
func refuseShown(t *testing.T, name, text, hidden string) {
	t.Helper()
	raw, err := hex.DecodeString(hidden[:16])
	if err != nil {
		t.Fatal(err)
	}
	forms := []string{
		hidden[:16], strings.ToUpper(hidden[:16]), string(raw),
		strings.Trim(fmt.Sprintf("%d", raw), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			t.Errorf("%s is shown as %q", name, form)
		}
	}
}

func TestPartsAreKeptApart(t *testing.T) {
	s := parse(t, strings.Repeat("5a", 32)).First()
	long := strings.Repeat("x", 1000) // longer than what is hashed at once
	lists := [][]string{
		{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}, {long}, {long[1:], "x"}, {long + "x"},
		{"a", "\x00\x00\x00\x01b"}, {"a\x00\x00\x00\x01b"},
	}
	seen := map[[32]byte][]string{}
	for _, parts := range lists {
		digest := s.Digest(parts...)
		if other, ok := seen[digest]; ok {
			t.Errorf("%q and %q have one digest", parts, other)
		}
		seen[digest] = parts
	}
	if s.Lookup("a") == s.LookupImported("a") {
		t.Error("a key of ours and an imported one have one lookup")
	}
	if s.Derive("a", "", "", "k", 1) == s.Derive("", "a", "", "k", 1) || s.Derive("a", "", "", "k", 1) == s.Derive("a", "", "", "k1", 0) {
		t.Error("two operations make one key")
	}
}

func TestASecretServesManyAtOnce(t *testing.T) {
	s := parse(t, strings.Repeat("5a", 32)).First()
	want := s.Lookup("0123456789ABCDEFGHJKMNPQRS")
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 200 {
				s.Digest("other", "work")
				if s.Lookup("0123456789ABCDEFGHJKMNPQRS") != want {
					t.Error("another lookup")
					return
				}
			}
		})
	}
	callers.Wait()
}

func BenchmarkLookup(b *testing.B) {
	s := parse(b, strings.Repeat("5a", 32)).First()
	b.ReportAllocs()
	for b.Loop() {
		s.Lookup("0123456789ABCDEFGHJKMNPQRS")
	}
}

func BenchmarkDerive(b *testing.B) {
	s := parse(b, strings.Repeat("5a", 32)).First()
	b.ReportAllocs()
	for b.Loop() {
		s.Derive("issueLicense", "prod_dhq5yt7y2z4measrnkdfsp32rh", "", "order-1001", 0)
	}
}
