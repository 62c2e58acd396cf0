package journal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"github.com/keywright/keywright/journal"
)

// odd is JSON of every kind, and what is none.
var odd = []string{
	`{}`, `{"a":1}`, `{"b":1,"a":2}`, `{"b":{"d":[3,{"f":null,"e":true}],"c":false},"a":"x"}`, `{"aa":1,"a":2,"":3}`,
	`{"a":0}`, `{"a":-0}`, `{"a":-1}`, `{"a":01}`, `{"a":1.0}`, `{"a":1e2}`, `{"a":1E2}`, `{"a":-}`,
	`{"a":999999999999999}`, `{"a":9999999999999999}`, `{"a":123456789012345678901234567890}`,
	`{"a":"\u003c"}`, `{"a":"<"}`, `{"a":"é"}`, `{"é":1,"a":2}`, `{"€":1,"😀":2,"דּ":3}`, "{\"a\":\"\x7f\"}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
	`{"a":1,"a":2}`, `{"a":1,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1}}`, `{"a":1} `, ` {"a":1}`, `{"a": 1}`, `{"a":[1,]}`, `{"a":[,1]}`,
	`{"a":[]}`, `{"a":tru}`, `{"a":truefalse}`, `{"a":"`, `{"a":nul`, `[]`, `[1]`, `"a"`, `1`, ``, `{`, `{"`, `{"a":{"b":1,"b":1}}`, `{"a":1"b":2}`,
	strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), strings.Repeat(`{"a":[`, 20) + strings.Repeat(`]}`, 20),
}

// wantAsJCS fails unless the canonical form is that of another implementation.
func wantAsJCS(t *testing.T, plain []byte) {
	t.Helper()
	want, bad := jcs.Transform(plain)
	got, err := journal.Canonical(plain)
	if (err == nil) != (bad == nil) || !bytes.Equal(got, want) {
		t.Errorf("%q becomes %q, %v; want %q, %v", plain, got, err, want, bad)
	}
}

func TestPlainJSONIsSortedAsAnotherImplementationDoes(t *testing.T) {
	sorted := 0
	for _, text := range odd {
		wantAsJCS(t, []byte(text))
		if _, ok := journal.SortPlain([]byte(text)); ok {
			sorted++
		}
	}
	if sorted < 12 {
		t.Errorf("%d of %d are sorted without jcs", sorted, len(odd))
	}
	many := map[string]int{}
	for i := range 100 {
		many[strings.Repeat("x", i%7)+string(rune('a'+i%26))] = i
	}
	plain, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	wantAsJCS(t, plain)
}

func FuzzCanonical(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		if !json.Valid(plain) { // jcs is lax where encoding/json is not, and no such text comes here
			if _, ok := journal.SortPlain(plain); ok {
				t.Errorf("%q passes for JSON", plain)
			}
			return
		}
		wantAsJCS(t, plain)
	})
}
