package journal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

func TestAnEntryDecodesToWhatWasEncoded(t *testing.T) {
	least := suspended()
	least.Product, least.Touches, least.Revision, least.Data = "", nil, 0, nil
	odd := suspended()
	odd.At = noon.Add(7 * time.Millisecond)
	odd.Data = changed(journal.Changes{"emptied": {From: json.RawMessage(`null`)}, "": {}})
	for name, want := range map[string]journal.Entry{"whole": suspended(), "least": least, "odd": odd} {
		got, err := journal.Decode(encoded(t, want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What stands here can never change: entries are hashed as bytes.
func TestTheEncodingIsFinal(t *testing.T) {
	whole := suspended()
	bare := journal.Entry{
		ID: "evt_016qtkzzr07agh12h3apy1j2hh", Type: journal.ProductCreated, Version: 1,
		At: noon.Add(5 * time.Millisecond), Actor: actor.Actor{Kind: actor.System, ID: "setup"},
		Subject: "prod_0", Digest: []byte{9},
	}
	text := bare
	text.Data = changed(journal.Changes{
		// Members sort by UTF-16 code units: U+1F600 (D83D DE00) before U+FB33.
		"\ufb33":     {To: json.RawMessage(`1`)},
		"\U0001f600": {To: json.RawMessage(`2`)},
		"name":       {From: json.RawMessage(`"a<b>&c"`), To: json.RawMessage("\"\u2028\\u2029 \\u00e9\\/\\n\\u0001\\\"\\\\\"")},
		"numbers":    {To: json.RawMessage(`[1.0, 1e21, 1E-7, -0, 4.50, 100000000000000000000]`)},
		"order":      {To: json.RawMessage(`{"b" : 1, "a" : [ true , null ], "A": {}}`)},
	})
	for name, tt := range map[string]struct {
		entry journal.Entry
		want  string
	}{
		"whole": {whole, `{"actor":{"id":"https://login.example|7","kind":"USER"},"at":"2026-11-21T12:00:00.000Z",` +
			`"data":{"changes":{"state":{"from":"issued","to":"suspended"},"statusReason":{"to":{"hmac":"AAEC"}}}},` +
			`"digest":"AAH+/w==","id":"evt_016qtkzzr07agh12h3apy1j2hh","license":"lic_0","product":"prod_0","request":"R7","revision":2,` +
			`"subject":"act_0","touches":["plan_0"],"type":"license.suspended","version":1}`},
		"bare": {bare, `{"actor":{"id":"setup","kind":"SYSTEM"},"at":"2026-11-21T12:00:00.005Z",` +
			`"digest":"CQ==","id":"evt_016qtkzzr07agh12h3apy1j2hh","subject":"prod_0","type":"product.created","version":1}`},
		"text": {text, `{"actor":{"id":"setup","kind":"SYSTEM"},"at":"2026-11-21T12:00:00.005Z",` +
			`"data":{"changes":{"name":{"from":"a<b>&c","to":"` + "\u2028\u2029 é" + `/\n\u0001\"\\"},` +
			`"numbers":{"to":[1,1e+21,1e-7,0,4.5,100000000000000000000]},` +
			`"order":{"to":{"A":{},"a":[true,null],"b":1}},` +
			`"` + "\U0001f600" + `":{"to":2},"` + "\ufb33" + `":{"to":1}}},` +
			`"digest":"CQ==","id":"evt_016qtkzzr07agh12h3apy1j2hh","subject":"prod_0","type":"product.created","version":1}`},
	} {
		got := encoded(t, tt.entry)
		if diff := cmp.Diff(tt.want, string(got.Body)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got.ID != tt.entry.ID {
			t.Errorf("%s is stored as %s", name, got.ID)
		}
		if _, err := journal.Decode(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTypesOfEntriesAreThoseOfTheContract(t *testing.T) {
	want := []journal.Type{
		"product.created", "product.updated", "plan.created", "plan.updated", "license.created",
		"license.activated", "license.suspended", "license.reinstated", "license.revoked", "license.key_revealed",
	}
	got := []journal.Type{
		journal.ProductCreated, journal.ProductUpdated, journal.PlanCreated, journal.PlanUpdated, journal.LicenseCreated,
		journal.LicenseActivated, journal.LicenseSuspended, journal.LicenseReinstated, journal.LicenseRevoked, journal.LicenseKeyRevealed,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefusesWhatEncodeDoesNotWrite(t *testing.T) {
	good := encoded(t, suspended())
	replaced := func(old, text string) storage.Entry {
		body := strings.Replace(string(good.Body), old, text, 1)
		if body == string(good.Body) {
			t.Fatalf("there is no %s to replace", old)
		}
		return storage.Entry{ID: good.ID, Body: []byte(body)}
	}
	for name, bad := range map[string]storage.Entry{
		"nothing":               {ID: good.ID},
		"no object":             {ID: good.ID, Body: []byte(`[]`)},
		"null":                  {ID: good.ID, Body: []byte(`null`)},
		"cut short":             {ID: good.ID, Body: good.Body[:len(good.Body)-1]},
		"more behind it":        {ID: good.ID, Body: append(bytes.Clone(good.Body), '\n')},
		"another id":            {ID: "evt_1", Body: good.Body},
		"white space":           replaced(`"version":1`, `"version": 1`),
		"another order":         replaced(`{"id":"https://login.example|7","kind":"USER"}`, `{"kind":"USER","id":"https://login.example|7"}`),
		"an unknown member":     replaced(`"version":1`, `"version":1,"zone":1`),
		"unknown in the actor":  replaced(`"kind":"USER"`, `"kind":"USER","name":"Ada"`),
		"a member twice":        replaced(`"version":1`, `"version":1,"version":1`),
		"another case":          replaced(`"version":1`, `"Version":1`),
		"an escaped character":  replaced(`"issued"`, `"\u0069ssued"`),
		"an empty member":       replaced(`"product":"prod_0"`, `"product":""`),
		"another number":        replaced(`"version":1`, `"version":1.0`),
		"time without decimals": replaced(`12:00:00.000Z`, `12:00:00Z`),
		"time with an offset":   replaced(`12:00:00.000Z`, `12:00:00.000+00:00`),
		"time with a comma":     replaced(`12:00:00.000Z`, `12:00:00,000Z`),
		"a time that is none":   replaced(`12:00:00.000Z`, `25:00:00.000Z`),
		"digest without base64": replaced(`AAH+/w==`, `AAH-_w==`),
		"digest not canonical":  replaced(`AAH+/w==`, `AAH+/x==`),
		"no digest":             replaced(`"digest":"AAH+/w==",`, ``),
		"no actor":              replaced(`{"id":"https://login.example|7","kind":"USER"}`, `{"id":"","kind":""}`),
		"too large":             {ID: good.ID, Body: bytes.Repeat([]byte(" "), storage.MaxEntry+1)},
	} {
		if e, err := journal.Decode(bad); err == nil {
			t.Errorf("%s: decoded as %+v", name, e)
		} else if fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: what is wrong in the log is told as %s: %v", name, fault.CodeOf(err), err)
		}
	}
}

func TestAnEntryWithoutWhatItNeedsIsNotEncoded(t *testing.T) {
	for name, spoil := range map[string]func(*journal.Entry){
		"no id":      func(e *journal.Entry) { e.ID = "" },
		"no type":    func(e *journal.Entry) { e.Type = "" },
		"no version": func(e *journal.Entry) { e.Version = 0 },
		"no actor":   func(e *journal.Entry) { e.Actor = actor.Actor{} },
		"no subject": func(e *journal.Entry) { e.Subject = "" },
		"no digest":  func(e *journal.Entry) { e.Digest = nil },
	} {
		e := suspended()
		spoil(&e)
		if _, err := e.Encode(); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEntryHasAtMost64KiB(t *testing.T) {
	e := suspended()
	padded := func(n int) journal.Entry {
		e.Data = changed(journal.Changes{"name": {To: json.RawMessage(`"` + strings.Repeat("<", n) + `"`)}})
		return e
	}
	most := storage.MaxEntry - len(encoded(t, padded(0)).Body)
	if got := len(encoded(t, padded(most)).Body); got != storage.MaxEntry {
		t.Errorf("the largest entry has %d bytes, want %d", got, storage.MaxEntry)
	}
	if _, err := padded(most + 1).Encode(); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestATimeIsEncodedInUTC(t *testing.T) {
	e := suspended()
	e.At = noon.In(time.FixedZone("east", 3600)).Add(999 * time.Microsecond)
	if diff := cmp.Diff(string(encoded(t, suspended()).Body), string(encoded(t, e).Body)); diff != "" {
		t.Error(diff)
	}
}
