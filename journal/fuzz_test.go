package journal_test

import (
	"bytes"
	"testing"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

func FuzzWhatDecodesEncodesToItself(f *testing.F) {
	whole, err := suspended().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole.ID, whole.Body)
	f.Add("evt_0", []byte(`{"actor":{"id":"a","kind":"USER"},"at":"2026-11-21T12:00:00.000Z","digest":"CQ==","id":"evt_0","subject":"s","type":"t","version":1}`))
	f.Add("evt_0", []byte(`{"actor":{"id":"\u2028","kind":"\ud800"},"at":"10000-01-01T00:00:00.000Z","data":{"a":{"to":1e999}}}`))
	f.Add("", []byte(`{"data":{"a":{"from":{"a":{"b":[[[]]]}},"to":-0}}}`))
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		stored := storage.Entry{ID: id, Body: body}
		e, err := journal.Decode(stored)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatalf("%s decodes and does not encode: %v", body, err)
		}
		if again.ID != id || !bytes.Equal(again.Body, body) {
			t.Fatalf("%s encodes to %s", body, again.Body)
		}
	})
}
