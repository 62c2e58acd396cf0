package journal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// plainEntry is one that is read without Decode.
func plainEntry() journal.Entry {
	e := suspended()
	e.Digest = bytes.Repeat([]byte{7}, 16)
	return e
}

// factsOf gives what Decode says of an entry.
func factsOf(stored storage.Entry) (journal.Facts, error) {
	e, err := journal.Decode(stored)
	if err != nil {
		return journal.Facts{}, err
	}
	again, err := e.Encode()
	if err != nil {
		return journal.Facts{}, err
	}
	f := journal.Facts{
		Type: string(e.Type), Actor: string(e.Actor.Kind) + " " + e.Actor.ID, Product: e.Product, License: e.License,
		Record: e.Record(), Subjects: again.Subjects, Digest: make([]byte, 16),
	}
	if len(e.Digest) == 16 {
		f.Digest = e.Digest
	}
	return f, nil
}

func TestWhatMostEntriesAreIsReadWithoutDecode(t *testing.T) {
	least := plainEntry()
	least.License, least.Product, least.Touches, least.Request, least.Revision, least.Data = "", "", nil, "", 0, nil
	product := plainEntry()
	product.Type, product.Subject, product.License, product.Product = journal.ProductUpdated, "prod_0", "", "prod_0"
	own := plainEntry()
	own.Subject = own.License
	system := plainEntry()
	system.Actor = actor.Actor{Kind: actor.System, ID: "scheduler"}
	system.Data = json.RawMessage(`{"a":[true,false,null,-1,0,12],"b":{"c":"é<&>"}}`)
	for name, e := range map[string]journal.Entry{"all": plainEntry(), "the least": least, "a product's": product, "a license's": own, "system": system} {
		stored := encoded(t, e)
		want, err := factsOf(stored)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := journal.Scan(stored)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %t\n%s", name, ok, diff)
		}
		if field := journal.Differs(stored); field != "" {
			t.Errorf("%s: differs in its %s", name, field)
		}
	}
}

func TestAnEntryThatIsFoundByWhatItDoesNotSayIsNamed(t *testing.T) {
	for field, change := range map[string]func(*storage.Entry){
		"type":       func(e *storage.Entry) { e.Type = "license.suspende" },
		"actor":      func(e *storage.Entry) { e.Actor += "8" },
		"actor ":     func(e *storage.Entry) { e.Actor = "" },
		"product":    func(e *storage.Entry) { e.Product = "" },
		"subjects":   func(e *storage.Entry) { e.Subjects = e.Subjects[1:] },
		"subjects ":  func(e *storage.Entry) { e.Subjects = append(e.Subjects[:len(e.Subjects):len(e.Subjects)], "z") },
		"subjects  ": func(e *storage.Entry) { e.Subjects = []string{"act_0", "lic_0", "plan_1"} },
	} {
		e := encoded(t, plainEntry())
		change(&e)
		if got := journal.Differs(e); got != strings.TrimSpace(field) {
			t.Errorf("%s: differs in %q", field, got)
		}
	}
}

func FuzzABodyIsReadAsDecodeDoes(f *testing.F) {
	whole, err := plainEntry().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole.ID, whole.Body)
	const least = `{"actor":{"id":"a","kind":"USER"},"at":"2026-11-21T12:00:00.000Z","digest":"AAAAAAAAAAAAAAAAAAAAAA==","id":"e","subject":"s","type":"t","version":1}`
	f.Add("e", []byte(least))
	for _, change := range [][2]string{
		{`"at"`, `"At"`}, {`T12`, `T24`}, {`T12`, `T1x`}, {`.000Z`, `,000Z`}, {`11-21`, `11-31`}, {`2026`, `0000`}, {`AA==`, `AB==`}, {`AA==`, `A===`},
		{`"version":1`, `"version":0`}, {`"version":1`, `"version":1.0`}, {`"version":1`, `"version":9999999999`}, {`"type":"t"`, `"type":""`},
		{`"type":"t"`, `"type":"license.x"`}, {`"type":"t"`, `"type":"product.x"`}, {`"subject":"s","type":"t"`, `"license":"s","subject":"s","type":"license"`},
		{`"subject":"s","type":"t"`, `"license":"l","subject":"s","type":"license.x"`}, {`"subject":"s","type":"t"`, `"product":"s","subject":"s","type":"product.x"`},
		{`"subject":"s"`, `"revision":0,"subject":"s"`}, {`"subject":"s"`, `"subject":"s","touches":[]`}, {`"subject":"s"`, `"subject":"s","touches":["b","a","s"]`},
		{`"digest"`, `"data":null,"digest"`}, {`"digest"`, `"data":{},"digest"`}, {`"digest"`, `"data":{"":1},"digest"`}, {`"digest"`, `"data":{"b":1,"a":2},"digest"`}, {`"digest"`, `"data":[{"a":-0}],"digest"`}, {`"digest"`, `"data":"\u003c","digest"`},
		{`"digest"`, `"data":{"é":1},"digest"`}, {`"id":"a"`, `"id":""`}, {`"id":"a",`, ``}, {`"id":"e"`, `"id":"e","license":"l","product":"p","request":"r","revision":7`}, {`1}`, `1} `}, {`"version"`, `"unknown":1,"version"`},
	} {
		f.Add("e", []byte(strings.Replace(least, change[0], change[1], 1)))
	}
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		stored := storage.Entry{ID: id, Body: body}
		want, bad := factsOf(stored)
		if got, ok := journal.Scan(stored); ok && (bad != nil || !cmp.Equal(want, got)) {
			t.Fatalf("%s is scanned as %+v; Decode says %+v, %v", body, got, want, bad)
		}
		got, err := journal.Read(stored)
		if (err == nil) != (bad == nil) || bad == nil && !cmp.Equal(want, got) {
			t.Fatalf("%s is read as %+v, %v; Decode says %+v, %v", body, got, err, want, bad)
		}
	})
}
