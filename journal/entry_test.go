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
	least.Product, least.Touches, least.Revision, least.Request, least.Data = "", nil, 0, "", nil
	own := suspended()
	own.Subject = own.License
	product := suspended()
	product.Type, product.License, product.Subject, product.Product = journal.ProductUpdated, "", "prod_0", "prod_0"
	odd := suspended()
	odd.At = noon.Add(7 * time.Millisecond)
	odd.Data = changed(journal.Changes{"emptied": {From: json.RawMessage(`null`)}, "": {}})
	for name, want := range map[string]journal.Entry{
		"whole": suspended(), "least": least, "of the license": own, "of a product": product, "odd": odd,
	} {
		got, err := journal.Decode(encoded(t, want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnEntryNamesItsLicenseOrProductWhereTheSubjectIsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		change                func(*journal.Entry)
		license, product      string
		written, other, found string
	}{
		"a license's own": {func(e *journal.Entry) { e.Subject = "lic_0" }, "lic_0", "prod_0", `"license"`, `"product"`, "lic_0 plan_0"},
		"not said":        {func(e *journal.Entry) { e.Subject, e.License = "lic_0", "" }, "lic_0", "prod_0", `"license"`, `"product"`, "lic_0 plan_0"},
		"a product's own": {
			func(e *journal.Entry) { e.Type, e.Subject, e.License = journal.ProductUpdated, "prod_0", "" },
			"", "prod_0", `"product"`, `"subject"`, "plan_0 prod_0",
		},
	} {
		e := suspended()
		tt.change(&e)
		stored := encoded(t, e)
		got, err := journal.Decode(stored)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.License != tt.license || got.Product != tt.product || stored.Product != tt.product {
			t.Errorf("%s: of license %q and product %q, stored under %q", name, got.License, got.Product, stored.Product)
		}
		if found := strings.Join(stored.Subjects, " "); found != tt.found {
			t.Errorf("%s: found by %s", name, found)
		}
		if strings.Contains(string(stored.Body), tt.written+`:`) || !strings.Contains(string(stored.Body), tt.other+`:`) {
			t.Errorf("%s: written as %s", name, stored.Body)
		}
	}
}

func TestDataIsAnObjectAndNoneIsTheEmptyOne(t *testing.T) {
	e := suspended()
	e.Data = nil
	want := string(encoded(t, e).Body)
	for _, none := range []string{"{}", " { } "} {
		e.Data = json.RawMessage(none)
		if diff := cmp.Diff(want, string(encoded(t, e).Body)); diff != "" {
			t.Errorf("%q: %s", none, diff)
		}
	}
	for _, bad := range []string{"null", "[]", `"a"`, "1", " 1", "true", "{", "}", "{]"} {
		e.Data = json.RawMessage(bad)
		if stored, err := e.Encode(); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s is encoded as %s, %v", bad, stored.Body, err)
		}
	}
	for _, bad := range []string{"{}}", "{{}", "{]}", `{"a":1,"a":2}`, "{} {}"} {
		e.Data = json.RawMessage(bad)
		if stored, err := e.Encode(); err == nil {
			t.Errorf("%s is encoded as %s", bad, stored.Body)
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
	ofPlan := bare
	ofPlan.Type, ofPlan.Product = journal.PlanCreated, "prod_0"
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
		"of a plan": {ofPlan, `{"actor":{"id":"setup","kind":"SYSTEM"},"at":"2026-11-21T12:00:00.005Z","digest":"CQ==",` +
			`"id":"evt_016qtkzzr07agh12h3apy1j2hh","product":"prod_0","subject":"prod_0","type":"plan.created","version":1}`},
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
		"data that is none":     replaced(`"data":{"changes":{"state":{"from":"issued","to":"suspended"},"statusReason":{"to":{"hmac":"AAEC"}}}}`, `"data":{}`),
		"data that is null":     replaced(`"data":{"changes":{"state":{"from":"issued","to":"suspended"},"statusReason":{"to":{"hmac":"AAEC"}}}}`, `"data":null`),
		"data that is a list":   replaced(`"data":{"changes":{"state":{"from":"issued","to":"suspended"},"statusReason":{"to":{"hmac":"AAEC"}}}}`, `"data":[]`),
		"data in another order": replaced(`"from":"issued","to":"suspended"`, `"to":"suspended","from":"issued"`),
		"what the subject says": replaced(`"subject":"act_0"`, `"subject":"lic_0"`),
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
