package licensing_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/licensing"
)

// The short way reads what encoding/json reads, or leaves it to that.
func FuzzSeatBody(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"MACHINE","subject":"m-1","createdAt":"2026-11-21T12:00:00Z"}`,
		` { "createdAt" : "2026-11-21T12:00:00.123Z" , "kind" : "DOMAIN","domain":"example.com","offlineUntil":"2026-11-22T12:00:00Z"} `,
		`{"kind":"MACHINE","kind":"DOMAIN"}`, `{"Kind":"MACHINE"}`, `{"name":"a\"b"}`, `{"name":"ü"}`, `{"name":null}`, `{"new":1}`,
		`{}`, `{,}`, `{"kind":"a",}`, `{"kind":"a"}}`, `{"kind":"a"}x`, `{"createdAt":"today"}`, `{"kind" "a"}`, `{"kind":`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want licensing.SeatBody
		failed := json.Unmarshal(body, &want)
		if short, ok := licensing.PlainSeatBody(string(body)); ok && (failed != nil || cmp.Diff(want, short) != "") {
			t.Errorf("%q: %s, error %v", body, cmp.Diff(want, short), failed)
		}
		got, err := licensing.DecodeSeatBody(body)
		if (err == nil) != (failed == nil) || err == nil && cmp.Diff(want, got) != "" {
			t.Errorf("%q is read as %+v, %v", body, got, err)
		}
	})
}

func TestAPlainSeatTakesTheShortWay(t *testing.T) {
	for body, want := range map[string]bool{
		`{"kind":"MACHINE","subject":"m-1","name":"a b","platform":"linux","createdAt":"2026-11-21T12:00:00Z"}`:  true,
		`{"subject": "m-1", "kind": "DOMAIN", "domain": "example.com", "createdAt": "2026-11-21T12:00:00.001Z"}`: true,
		`{"kind":"MACHINE","subject":"\u0041","createdAt":"2026-11-21T12:00:00Z"}`:                               false,
	} {
		if _, ok := licensing.PlainSeatBody(body); ok != want {
			t.Errorf("%s: %t", body, ok)
		}
	}
}
