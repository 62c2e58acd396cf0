package journal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// suspended gives an entry with every field set.
func suspended() journal.Entry {
	return journal.Entry{
		ID: "evt_016qtkzzr07agh12h3apy1j2hh", Type: journal.LicenseSuspended, Version: 1, At: noon,
		Actor:   actor.Actor{Kind: actor.User, ID: "https://login.example|7"},
		Subject: "act_0", License: "lic_0", Product: "prod_0", Touches: []string{"plan_0"}, Revision: 2, Request: "R7",
		Digest: []byte{0, 1, 254, 255},
		Data: changed(journal.Changes{
			"state":        {From: json.RawMessage(`"issued"`), To: json.RawMessage(`"suspended"`)},
			"statusReason": {To: json.RawMessage(`{"hmac":"AAEC"}`)},
		}),
	}
}

func changed(changes journal.Changes) json.RawMessage {
	data, err := json.Marshal(map[string]journal.Changes{"changes": changes})
	if err != nil {
		panic(err)
	}
	return data
}

func encoded(t *testing.T, e journal.Entry) storage.Entry {
	t.Helper()
	stored, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// secretOf gives a secret whose 32 bytes are all b.
func secretOf(t *testing.T, b string) *secret.Secret {
	t.Helper()
	list, err := secret.Parse([]byte(strings.Repeat(b, secret.Size)))
	if err != nil {
		t.Fatal(err)
	}
	return list.First()
}

func digest(t *testing.T, r storage.Record) []byte {
	t.Helper()
	sum, err := journal.Digest(secretOf(t, "01"), r)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// record gives a record with every field set.
func record() storage.Record {
	return storage.Record{
		Kind: storage.License, ID: "lic_0", Version: 3, Revision: 2, Attempt: "a",
		Index: storage.Index{
			Product: "prod_0", Plan: "plan_0", State: string(license.Issued),
			ExternalID: "order 7", CustomerEmail: "ada@example.com", CustomerExternalID: "customer 7",
			Created: noon, Starts: noon.Add(time.Hour), Ends: noon.Add(2 * time.Hour), Due: noon.Add(3 * time.Hour),
			Words: []string{"ada@example.com", "order 7"},
		},
		Done: []storage.Operation{{Name: "suspendLicense", Key: "k", Actor: "USER a", Digest: "d", At: noon}},
		Body: []byte(`{"a":1,"b":{"c":[1,2],"d":"x"}}`),
	}
}

// random gives the same bytes each time it is made.
func random(b byte) *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{b}, 64)) }
