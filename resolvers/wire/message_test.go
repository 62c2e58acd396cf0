package wire_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/keywright/keywright/resolvers/wire"
)

// A message is what an object of the same members is to encoding/json, and of a
// type that there is; its problem repeats nothing of it.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		greeting, `{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`, `{"type":"connection_init","payload":{"authorization":null}}`,
		`{"id":"a","type":"subscribe","payload":{"query":"{ __typename }","variables":{"a":[1]}}}`, `{"type":"complete","id":"\u0061"}`,
		`{"type":"ping","payload":null}`, `{"type":"pong","payload":{}}`, `{"type":"ping","Type":"pong"}`, `{"type":"ping","type":"pong"}`,
		`{"type":"ping"}x`, `[]`, `{"type":["ping"]}`, "{\"type\":\"ping\",\"id\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	kinds := map[string]bool{"connection_init": true, "ping": true, "pong": true, "subscribe": true, "complete": true}
	f.Fuzz(func(t *testing.T, text []byte) {
		kind, id, payload, problem := wire.ParseMessage(text)
		if problem != "" {
			return
		}
		var want map[string]json.RawMessage
		if !utf8.Valid(text) || json.Unmarshal(text, &want) != nil || !kinds[kind] {
			t.Fatalf("%q is a message", text)
		}
		for name, got := range map[string]string{"type": kind, "id": id} {
			var text string
			if raw := want[name]; raw != nil && json.Unmarshal(raw, &text) != nil || text != got {
				t.Fatalf("%q has the %s %q", text, name, got)
			}
		}
		if raw := string(want["payload"]); raw != string(payload) && (raw != "null" || payload != nil) {
			t.Fatalf("%q has the payload %q", text, payload)
		}
		if kind == "connection_init" {
			wantCredential(t, payload)
		}
	})
}

func wantCredential(t *testing.T, payload []byte) {
	t.Helper()
	header, plain := wire.Credential(payload)
	members := map[string]json.RawMessage{}
	if payload != nil {
		if err := json.Unmarshal(payload, &members); err != nil {
			t.Fatal(err)
		}
	}
	texts, all := []string{}, true
	for _, name := range []string{"Authorization", "authorization"} {
		var text *string
		all = all && (members[name] == nil || json.Unmarshal(members[name], &text) == nil)
		if text != nil {
			texts = append(texts, *text)
		}
	}
	switch {
	case plain != (all && len(texts) < 2):
		t.Fatalf("%s is taken: %v", payload, plain)
	case plain && len(texts) == 1 && header != texts[0], plain && len(texts) == 0 && header != "":
		t.Fatalf("%s has %q", payload, header)
	}
}
