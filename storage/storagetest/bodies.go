package storagetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/keywright/keywright/storage"
)

var bodyClauses = []clause{
	{"HaveTextsOfAnyKindAsNamesAndValues", func(t testing.TB, s storage.Store) {
		members := map[string]any{"": "", "deep": map[string]any{}}
		for _, text := range traps() {
			members[text] = text
			members["deep"].(map[string]any)[text] = []any{text, map[string]any{text: nil}}
		}
		body, err := json.Marshal(members)
		must(t, err)
		keepsBody(t, s, string(body))
	}},
	{"HaveEscapesAndEmptyParts", func(t testing.TB, s storage.Store) {
		keepsBody(t, s, `{"a":"\u0001\u001f\ud83d\ude00\uffff\/\"\\u0000","b":{},"c":[],"d":[[],{},null,"",false,true],"\u00e9":"e\u0301"}`)
	}},
	{"AreAsLargeAsTheyNeedToBe", func(t testing.TB, s storage.Store) {
		keepsBody(t, s, `{"text":"`+strings.Repeat("x", 16<<10)+`"}`)
		keepsBody(t, s, `{"text":"`+strings.Repeat("\U0001f600", 16<<10)+`"}`)
	}},
	{"AreAsDeepAsTheyMayBe", func(t testing.TB, s storage.Store) {
		levels := storage.MaxLevels - 1
		keepsBody(t, s, `{"a":`+strings.Repeat(`[`, levels)+strings.Repeat(`]`, levels)+`}`)
		keepsBody(t, s, strings.Repeat(`{"a":`, levels)+`{}`+strings.Repeat(`}`, levels))
	}},
	{"KeepNumbersToTheLastDigit", func(t testing.TB, s storage.Store) {
		keepsBody(t, s, `{"n":[0,-0,1.0,1e2,-1E+2,9007199254740993,9223372036854775807,9223372036854775808,-9223372036854775809,18446744073709551617,
			0.1,0.30000000000000004,3.141592653589793238462643383279502884197,1.7976931348623157e308,4.9e-324,-2.5e-10,123456789012345678901234567890123456789012345678901234567890]}`)
	}},
}

// keepsBody has a record and a seat with this body, and with another before.
func keepsBody(t testing.TB, s storage.Store, body string) {
	t.Helper()
	var r storage.Record
	for version, one := range []string{`{"n":1}`, body, `{}`, body} {
		if found, err := s.Get(t.Context(), "lic_a"); err == nil && found[0] != nil {
			r = found[0].Record
		} else {
			r = license("lic_a")
		}
		r.Body = []byte(one)
		c := change(r)
		c.Put = []storage.Seat{{ID: "act_a", Body: []byte(one)}}
		got := commit(t, s, c)
		if !sameJSON(got.Body, one) || !sameJSON(got.Seats[0].Body, one) {
			t.Fatalf("change %d: the body %s is now %s, and the seat's %s", version, one, got.Body, got.Seats[0].Body)
		}
	}
}

// sameJSON reports whether two texts are the same JSON, whatever the order of
// members and the form of numbers.
func sameJSON(a []byte, b string) bool {
	plain, ok := plainJSON(a)
	other, also := plainJSON([]byte(b))
	return ok && also && plain == other
}

// plainJSON writes JSON in the one form that all texts of it have.
func plainJSON(text []byte) (string, bool) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	var value any
	if in.Decode(&value) != nil || in.More() {
		return "", false
	}
	out, err := json.Marshal(exact(value)) // members in the order of their names
	return string(out), err == nil
}

// exact has a number be the fraction that it is.
func exact(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = exact(v[name])
		}
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case json.Number:
		n, ok := new(big.Rat).SetString(v.String())
		return map[string]string{"number": fmt.Sprint(n.RatString(), ok)}
	}
	return value
}
