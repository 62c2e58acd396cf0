package strict_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/keywright/keywright/resolvers/strict"
)

// reference looks for the same faults as Decode, by a walk of encoding/json's.
type reference struct {
	in               *json.Decoder
	values           int
	twice, deep, bad bool
}

func (r *reference) value(level int) {
	token, err := r.in.Token()
	if err != nil {
		r.bad = true
		return
	}
	r.values++
	open, isOpen := token.(json.Delim)
	if !isOpen {
		return
	}
	r.deep = r.deep || level > 32
	seen := map[string]bool{}
	for r.in.More() && !r.bad {
		if open == '{' {
			name, err := r.in.Token()
			text, isText := name.(string)
			if err != nil || !isText {
				r.bad = true
				return
			}
			r.twice = r.twice || seen[text]
			seen[text] = true
		}
		r.value(level + 1)
	}
	if _, err := r.in.Token(); err != nil {
		r.bad = true
	}
}

// Decode takes what is one JSON value in UTF-8 without an object that has a
// name twice, of at most 32 levels and so many values, and nothing else.
func FuzzDecodeIsStrict(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{ __typename }","variables":{"a":[1,"2",null,{"b":true}]}}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"a":{}},"b":{"a":1}}`,
		`[[[[]]]]`, `[`, `"\"`, `{"a\\":1,"a\\":2}`, `{"":"":"":}`, `{"a" : 1 , "a" : 2}`, "{\"\xff\":1}", `{"\ud800":1,"\ufffd":2}`, `1 2`, ` `, `]`, `{"a":":,{[","b":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const values = 100
		var got any
		problem := strict.Decode(text, strict.Bounds{Values: values, Levels: strict.MaxLevels}, &got)
		if !json.Valid(text) || !utf8.Valid(text) {
			if problem == "" {
				t.Fatalf("%q is let through", text)
			}
			return
		}
		r := reference{in: json.NewDecoder(bytes.NewReader(text))}
		r.value(1)
		if want := r.twice || r.deep; want && problem == "" || problem != "" && !want && r.values <= values/3 {
			t.Fatalf("%q: %q; twice %v, deep %v, %d values", text, problem, r.twice, r.deep, r.values)
		}
		var want any
		in := json.NewDecoder(bytes.NewReader(text))
		in.UseNumber()
		if problem == "" && (in.Decode(&want) != nil || !sameJSON(got, want)) {
			t.Fatalf("%q is %v", text, got)
		}
	})
}

func sameJSON(a, b any) bool {
	left, err := json.Marshal(a)
	right, also := json.Marshal(b)
	return err == nil && also == nil && bytes.Equal(left, right)
}
