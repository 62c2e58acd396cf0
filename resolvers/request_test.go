package resolvers_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/keywright/keywright/resolvers"
)

// A request is what an object of the same members is to encoding/json, but that
// no name is taken in another case.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		typename, `{"query":"a","Query":"b","variables":{"x":[1.0,null]},"operationName":null}`, `{"query":"a",}`, `{"query":"a"} {}`, `{"query":1}`,
		`{"query" "a"}`, `{"query":"a","variables":[]}`, `null`, `[]`, `{`, `{"a":`, `{"query":"a","id":{"b":[}}`, `{"query":"a","extensions":{"a":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		query, variables, problem := resolvers.ParseRequest(text, 1_000)
		var members map[string]json.RawMessage
		err := json.Unmarshal(text, &members)
		if problem != "" {
			return
		}
		var want string
		var inside map[string]any
		if err != nil || members["query"] != nil && json.Unmarshal(members["query"], &want) != nil || want != query {
			t.Fatalf("%q is %q, and to encoding/json %q, %v", text, query, want, err)
		}
		if raw := members["variables"]; raw != nil {
			in := json.NewDecoder(bytes.NewReader(raw))
			in.UseNumber()
			if in.Decode(&inside) != nil || !sameJSON(variables, inside) {
				t.Fatalf("%q has the variables %v, and to encoding/json %v", text, variables, inside)
			}
		}
	})
}

func sameJSON(a, b any) bool {
	left, err := json.Marshal(a)
	right, also := json.Marshal(b)
	return err == nil && also == nil && bytes.Equal(left, right)
}
