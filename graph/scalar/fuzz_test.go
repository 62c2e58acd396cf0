package scalar_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/graph/scalar"
)

// What is read as a Time is one that storage and JSON keep, and is read the
// same when it comes back.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		"2026-11-21T12:00:00Z", "2026-11-21T12:00:00.12345+02:00", "1970-01-01T00:00:00-00:00", "9999-12-31T23:59:59.999Z",
		"2026-11-21T3:00:00Z", "2026-11-21t12:00:00z", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := scalar.UnmarshalTime(text)
		if err != nil {
			return
		}
		if at.Location() != time.UTC || at.Year() < 1970 || at.Year() > 9999 || !at.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%q is read as %v", text, at)
		}
		out := written(scalar.MarshalTime(at))
		again, err := scalar.UnmarshalTime(strings.Trim(out, `"`))
		if err != nil || !again.Equal(at) {
			t.Fatalf("%q is read as %v, written as %s, and read as %v, %v", text, at, out, again, err)
		}
	})
}

// What is read as Metadata is an object within 16 KiB, and stays itself.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1.50}`, `{"b":{"c":[1,"x",null]},"a":true}`, `{"a":"\ud83d\ude00\u2028<"}`, `{"a":1e999}`, `{"a":"\u0000"}`, `[1]`, `{"a":1,"a":2}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		decode := func(text []byte) (v any, err error) {
			in := json.NewDecoder(bytes.NewReader(text))
			in.UseNumber()
			err = in.Decode(&v)
			return v, err
		}
		v, err := decode([]byte(text))
		if err != nil {
			return
		}
		raw, err := scalar.UnmarshalMetadata(v)
		if err != nil {
			return
		}
		if len(raw) > 16<<10 || raw[0] != '{' || written(scalar.MarshalMetadata(raw)) != string(raw) {
			t.Fatalf("%q is read as %q", text, raw)
		}
		back, err := decode(raw)
		if err != nil {
			t.Fatalf("%q is read as %q, which is no JSON: %v", text, raw, err)
		}
		if again, err := scalar.UnmarshalMetadata(back); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%q is read as %q and then as %q, %v", text, raw, again, err)
		}
	})
}
