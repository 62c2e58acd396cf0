// Package journaltest holds entries to what events.json says of them, for the
// tests of whatever makes or shows entries.
package journaltest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// schemas are compiled from events.json: of entries, and of data by its type.
type schemas struct {
	entry *jsonschema.Schema
	data  map[journal.Type]*jsonschema.Schema
}

// compiled gives the schemas of what the journal holds, and of what is shown.
var compiled = sync.OnceValues(func() (held, shown schemas) {
	return compile(hideWherePersonal), compile(func(v any) any { return v })
})

func compile(change func(any) any) schemas {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(journal.Schema()))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("events.json", change(doc)); err != nil {
		panic(err)
	}
	s := schemas{entry: c.MustCompile("events.json#/$defs/entry"), data: map[journal.Type]*jsonschema.Schema{}}
	for _, t := range journal.Types() {
		s.data[t] = c.MustCompile("events.json#/events/" + string(t) + "/data")
	}
	return s
}

// hideWherePersonal gives the schema of what stands in the journal: a digest
// in the place of each personal value.
func hideWherePersonal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v["personal"] == true {
			return map[string]any{"$ref": "#/$defs/hidden"}
		}
		for name, part := range v {
			v[name] = hideWherePersonal(part)
		}
	case []any:
		for i, part := range v {
			v[i] = hideWherePersonal(part)
		}
	}
	return v
}

var (
	seenMu sync.Mutex
	seen   = map[journal.Type]bool{}
)

// NotSeen lists the types of which no entry was checked yet.
func NotSeen() []journal.Type {
	seenMu.Lock()
	defer seenMu.Unlock()
	return slices.DeleteFunc(journal.Types(), func(t journal.Type) bool { return seen[t] })
}

// Check fails unless the entry is one that events.json describes.
func Check(t testing.TB, stored storage.Entry) {
	t.Helper()
	e, err := journal.Decode(stored)
	if err != nil {
		t.Errorf("%v: %s", err, stored.Body)
		return
	}
	held, _ := compiled()
	validate(t, held.entry, e, stored.Body)
	if want := e.Type.Version(); e.Version != want {
		t.Errorf("an entry of %s has version %d, want %d", e.Type, e.Version, want)
	}
	checkData(t, held, e, e.Data)
	seenMu.Lock()
	defer seenMu.Unlock()
	seen[e.Type] = true
}

// CheckShown fails unless the data that is shown for the entry is what
// events.json describes.
func CheckShown(t testing.TB, e journal.Entry, data json.RawMessage) {
	t.Helper()
	_, shown := compiled()
	checkData(t, shown, e, data)
}

func checkData(t testing.TB, s schemas, e journal.Entry, data json.RawMessage) {
	t.Helper()
	schema := s.data[e.Type]
	if schema == nil {
		t.Errorf("%s is not in events.json", e.Type)
		return
	}
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	if validate(t, schema, e, data) {
		checkPayload(t, e, data)
	}
}

// checkPayload fails unless the Go type of the data loses nothing of it.
func checkPayload(t testing.TB, e journal.Entry, data json.RawMessage) {
	t.Helper()
	var again []byte
	payload, err := e.Type.Payload(data)
	if err == nil {
		again, err = json.Marshal(payload)
	}
	if err != nil {
		t.Errorf("%s: %v", e.Type, err)
		return
	}
	if !equalJSON(data, again) {
		t.Errorf("the Go type of %s makes\n%s of\n%s", e.Type, again, data)
	}
}

func equalJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func validate(t testing.TB, s *jsonschema.Schema, e journal.Entry, text json.RawMessage) bool {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = s.Validate(value)
	}
	if err != nil {
		t.Errorf("%s is not as events.json says: %v\n%s", e.Type, err, text)
	}
	return err == nil
}
