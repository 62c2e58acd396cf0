// Package journal is the one log of everything that changed: audit trail,
// event stream and outbox. It begins with the entry and its encoding, which
// is final: entries are kept as bytes, hashed as bytes, and never rewritten.
//
// An entry holds no personal value. Of those there are keyed digests alone,
// so that a customer can be forgotten without touching the log.
package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/storage"
)

// EventPrefix is the prefix of entries' ids.
const EventPrefix = "evt"

// Type says what happened, as subject.verb. events.json says which types there
// are and what the data of each is.
type Type string

//go:generate go run ./eventgen

// Entry is one thing that happened to one record.
//
// Its encoding is the JSON object of these fields under their names in the
// tags, as RFC 8785 (JSON Canonicalization Scheme) writes it: members sorted,
// no white space. An absent member is the zero value, save for two that are
// left out because the subject says them: the license of license.*, and the
// product of product.*.
type Entry struct {
	ID       string      `json:"id"`      // evt_ and a UUIDv7
	Type     Type        `json:"type"`    // license.created, ...
	Version  int         `json:"version"` // of the shape of Data, for this type
	At       time.Time   `json:"at"`      // RFC 3339 in UTC, always with three decimals
	Actor    actor.Actor `json:"actor"`
	Subject  string      `json:"subject"`            // the id of what it happened to
	Revision int64       `json:"revision,omitempty"` // of the record, after the change
	Product  string      `json:"product,omitempty"`  // the id of the product it belongs to
	License  string      `json:"license,omitempty"`  // the id of the license it belongs to, or is about
	Touches  []string    `json:"touches,omitempty"`  // other ids that it concerns, sorted
	Request  string      `json:"request,omitempty"`  // the id of the request that made it
	Digest   []byte      `json:"digest"`             // Digest of the record after the change, in base64
	// Data is a JSON object, of the shape that the type and its Version have:
	// see events.json. None is the empty object.
	Data json.RawMessage `json:"data,omitempty"`
}

// whole gives the entry with the id that its encoding leaves to the subject.
func (e Entry) whole() Entry {
	switch e.family() {
	case "license":
		e.License = cmp.Or(e.License, e.Subject)
	case "product":
		e.Product = cmp.Or(e.Product, e.Subject)
	}
	return e
}

// brief gives the entry without it.
func (e Entry) brief() Entry {
	switch family := e.family(); {
	case family == "license" && e.License == e.Subject:
		e.License = ""
	case family == "product" && e.Product == e.Subject:
		e.Product = ""
	}
	return e
}

// family is what the type says of the subject.
func (e Entry) family() string {
	family, _, _ := strings.Cut(string(e.Type), ".")
	return family
}

// Record is the id of the record that the entry was committed with: a
// license, whose seats are parts of it, or else its subject.
func (e Entry) Record() string { return cmp.Or(e.License, e.Subject) }

// foundBy gives the text that an actor's entries are found by.
func foundBy(a actor.Actor) string { return a.ID }

// subjects are all ids that the entry concerns, sorted.
func (e Entry) subjects() []string {
	all := append([]string{e.Subject}, e.Touches...)
	if e.License != "" {
		all = append(all, e.License)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Changes tells for each field that changed what it was and what it became. It
// is the member changes of an entry's data.
type Changes map[string]Change

// Change is what a field was and what it became. An absent From is a field
// that was empty, an absent To one that was emptied.
type Change struct {
	From json.RawMessage `json:"from,omitempty"`
	To   json.RawMessage `json:"to,omitempty"`
}

// NewID makes the id of an entry made at t: a UUIDv7 (RFC 9562, section 5.7)
// with 74 bits read from random.
func NewID(t time.Time, random io.Reader) (string, error) {
	var uuid [16]byte
	if _, err := io.ReadFull(random, uuid[6:]); err != nil {
		return "", fmt.Errorf("journal: reading randomness: %w", err)
	}
	ms := t.UnixMilli()
	for i := range 6 {
		uuid[i] = byte(ms >> (40 - 8*i))
	}
	uuid[6] = uuid[6]&0x0f | 0x70
	uuid[8] = uuid[8]&0x3f | 0x80
	return id.FromUUID(EventPrefix, uuid), nil
}

// timeFormat has exactly three decimals: one moment has one encoding.
const timeFormat = "2006-01-02T15:04:05.000Z"

// wire is an Entry as it is encoded.
type wire struct {
	Entry
	At string `json:"at"`
}

// Encode gives the entry for storage. Errors: InvalidInput where it is larger
// than storage.MaxEntry, has no id, type, actor, subject or digest, or data
// that is no object.
func (e Entry) Encode() (storage.Entry, error) {
	if e.ID == "" || e.Type == "" || e.Version < 1 || e.Actor.Nobody() || e.Subject == "" || len(e.Digest) == 0 {
		return storage.Entry{}, fault.Errorf(fault.InvalidInput, "a journal entry lacks its id, type, version, actor, subject or digest")
	}
	e = e.whole()
	b := e.brief()
	switch data := bytes.TrimSpace(b.Data); {
	case len(data) > 0 && (data[0] != '{' || data[len(data)-1] != '}'):
		return storage.Entry{}, fault.Errorf(fault.InvalidInput, "the data of a journal entry is no object")
	case len(data) > 0 && len(bytes.TrimSpace(data[1:len(data)-1])) == 0:
		b.Data = nil
	}
	plain, err := json.Marshal(wire{Entry: b, At: e.At.UTC().Format(timeFormat)})
	if err != nil {
		return storage.Entry{}, fmt.Errorf("journal: encoding an entry: %w", err)
	}
	body, err := canonical(plain)
	if err != nil {
		return storage.Entry{}, fmt.Errorf("journal: encoding an entry: %w", err)
	}
	if len(body) > storage.MaxEntry {
		return storage.Entry{}, fault.Errorf(fault.InvalidInput, "the change is too large for the journal: %d bytes, at most %d", len(body), storage.MaxEntry)
	}
	return storage.Entry{
		ID: e.ID, Type: string(e.Type), Actor: foundBy(e.Actor), Product: e.Product, Subjects: e.subjects(), Body: body,
	}, nil
}

// Decode reads an encoded entry. It refuses what Encode would not have
// written, to the byte: an entry has one encoding.
func Decode(stored storage.Entry) (Entry, error) {
	if len(stored.Body) > storage.MaxEntry {
		return Entry{}, fmt.Errorf("journal: entry of %d bytes", len(stored.Body))
	}
	dec := json.NewDecoder(bytes.NewReader(stored.Body))
	dec.DisallowUnknownFields()
	var w wire
	if err := dec.Decode(&w); err != nil {
		return Entry{}, fmt.Errorf("journal: decoding an entry: %w", err)
	}
	at, err := time.Parse(timeFormat, w.At)
	if err != nil {
		return Entry{}, fmt.Errorf("journal: decoding an entry: %w", err)
	}
	e := w.Entry
	e.At = at
	again, err := e.Encode()
	if err != nil { // not of this caller's input: the entry is stored
		return Entry{}, fault.Wrap(fault.Internal, err, "journal: decoding an entry")
	}
	if e.ID != stored.ID || !bytes.Equal(again.Body, stored.Body) {
		return Entry{}, fmt.Errorf("journal: entry %q is not in canonical form", stored.ID)
	}
	return e.whole(), nil
}
