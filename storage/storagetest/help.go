package storagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// second gives a fixed time, n seconds after others.
func second(n int) time.Time {
	return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

// license is a record of that kind in version 0, made at second 0.
func license(id string) storage.Record {
	return storage.Record{
		Kind: storage.License, ID: id, Body: bodyOf("of", id),
		Index: storage.Index{Product: "prd_1", Plan: "pln_1", State: "issued", Created: second(0)},
	}
}

// change wraps a record and gives it an attempt.
func change(r storage.Record) storage.Change {
	return storage.Change{Record: r, Attempt: fmt.Sprintf("attempt-%s-%d", r.ID, r.Version)}
}

func entry(id string) storage.Entry {
	return storage.Entry{ID: id, Type: "license.updated", Actor: "USER a", Product: "prd_1", Subjects: []string{"lic_1"}, Body: []byte("entry " + id)}
}

func seat(id string, lease time.Time) storage.Seat {
	return storage.Seat{ID: id, Lease: lease, Seen: second(0), Body: bodyOf("seat", id)}
}

func bodyOf(name, text string) []byte {
	body, err := json.Marshal(map[string]string{name: text})
	if err != nil {
		panic(err) // strings can be encoded
	}
	return body
}

func pointer(t time.Time) *time.Time { return &t }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit applies c, which must succeed, and gives the record as it then is.
func commit(t testing.TB, s storage.Store, c storage.Change) *storage.Stored {
	t.Helper()
	must(t, s.Commit(t.Context(), c))
	return get(t, s, c.Record.ID)
}

// get gives a record that must be there.
func get(t testing.TB, s storage.Store, id string) *storage.Stored {
	t.Helper()
	found, err := s.Get(t.Context(), id)
	must(t, err)
	if len(found) != 1 || found[0] == nil {
		t.Fatalf("Get(%q) = %v, want one record", id, found)
	}
	return found[0]
}

func refused(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

// unchanged fails if the record differs from what it was.
func unchanged(t testing.TB, s storage.Store, was *storage.Stored) {
	t.Helper()
	equal(t, get(t, s, was.ID), was)
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, alike...); diff != "" {
		t.Fatalf("differs from what was wanted (-want +got):\n%s", diff)
	}
}

// alike compares what stores answer: a body as the JSON that it is, whatever
// form an engine keeps it in, and a journal entry, which is none, by its bytes.
var alike = []cmp.Option{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(isBody, cmp.Transformer("JSON", func(body []byte) string {
		if plain, ok := plainJSON(body); ok {
			return plain
		}
		return string(body)
	})),
}

func isBody(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Name() == "Body"
}

func pending(t testing.TB, s storage.Store, limit int) []storage.Entry {
	t.Helper()
	waiting, err := s.Pending(t.Context(), limit)
	must(t, err)
	var entries []storage.Entry
	for _, p := range waiting {
		entries = append(entries, p.Entry)
	}
	return entries
}

func ended(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
