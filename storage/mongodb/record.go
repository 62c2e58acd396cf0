package mongodb

import (
	"encoding/json"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/keywright/keywright/storage"
)

// What stands for no time. One without a creation or a start is older than
// all, one without an end or a due comes behind all; of a lease, any is later
// than none.
const (
	before0 = int64(-1 << 62)
	never   = int64(1 << 62)
)

// recordDocument is a record with all that belongs to it. Times are
// milliseconds; the empty text and the constants above are «none».
type recordDocument struct {
	ID       string `bson:"_id"`
	Kind     string `bson:"kind"`
	Version  int64  `bson:"version"`
	Revision int64  `bson:"revision"`
	Attempt  string `bson:"attempt"`
	Born     string `bson:"born"` // made anew with each insert: another record of the same id has another
	Body     string `bson:"body"`
	Done     string `bson:"done"`

	Product            string   `bson:"product"`
	Plan               string   `bson:"plan"`
	State              string   `bson:"state"`
	ExternalID         string   `bson:"externalId"`
	CustomerEmail      string   `bson:"customerEmail"`
	CustomerExternalID string   `bson:"customerExternalId"`
	Created            int64    `bson:"created"`
	Starts             int64    `bson:"starts"`
	Ends               int64    `bson:"ends"`
	Due                int64    `bson:"due"`
	Words              []string `bson:"words"`

	WordSum    string `bson:"wordSum"`    // of all that stands in the word documents; see words.go
	Edition    string `bson:"edition"`    // theirs
	OldEdition string `bson:"oldEdition"` // of those before

	Gone  *int64 `bson:"gone,omitempty"`  // the due of a deleted record
	Dirty int    `bson:"dirty,omitempty"` // 1 while entries are pending, and at times somewhat longer

	Seats   seatDocuments              `bson:"seats"`
	Pending map[string]pendingDocument `bson:"pending"`
	Count   int64                      `bson:"count"`
	Last    int64                      `bson:"last"`
}

// entryDocument is a journal entry, pending or in a block.
type entryDocument struct {
	ID       string   `bson:"id"`
	Type     string   `bson:"type"`
	Actor    string   `bson:"actor,omitempty"`
	Product  string   `bson:"product,omitempty"`
	Subjects []string `bson:"subjects,omitempty"`
	Body     []byte   `bson:"body"`
}

// pendingDocument is an entry with its place among those of its record: by
// the commit, and in that.
type pendingDocument struct {
	Version int64         `bson:"version"`
	Place   int           `bson:"place"`
	Entry   entryDocument `bson:"entry"`
}

func newEntry(e storage.Entry) entryDocument {
	return entryDocument{ID: e.ID, Type: e.Type, Actor: e.Actor, Product: e.Product, Subjects: e.Subjects, Body: e.Body}
}

func (d entryDocument) entry() storage.Entry {
	return storage.Entry{ID: d.ID, Type: d.Type, Actor: d.Actor, Product: d.Product, Subjects: d.Subjects, Body: d.Body}
}

// pendingOf numbers the entries of a commit that makes a version.
func pendingOf(version int64, entries []storage.Entry) map[string]pendingDocument {
	pending := make(map[string]pendingDocument, len(entries))
	for place, e := range entries {
		pending[key(e.ID)] = pendingDocument{Version: version, Place: place, Entry: newEntry(e)}
	}
	return pending
}

// newDocument makes the document of a record, its words' edition left out.
func newDocument(r storage.Record) (recordDocument, error) {
	done := ""
	if len(r.Done) > 0 {
		encoded, err := json.Marshal(r.Done)
		if err != nil {
			return recordDocument{}, err
		}
		done = string(encoded)
	}
	x := r.Index
	d := recordDocument{
		ID: r.ID, Kind: string(r.Kind), Version: r.Version, Revision: r.Revision, Attempt: r.Attempt,
		Born: newID(), Body: string(r.Body), Done: done,
		Product: x.Product, Plan: x.Plan, State: x.State, ExternalID: x.ExternalID, CustomerEmail: x.CustomerEmail,
		CustomerExternalID: x.CustomerExternalID, Created: millis(x.Created, before0), Starts: millis(x.Starts, before0),
		Ends: millis(x.Ends, never), Due: millis(x.Due, never), Words: append([]string{}, x.Words...), WordSum: wordSum(r),
		Seats: seatDocuments{}, Pending: map[string]pendingDocument{}, Last: before0,
	}
	if x.State == storage.Deleted && !x.Due.IsZero() {
		d.Gone = &d.Due
	}
	return d, nil
}

// own gives the fields that a commit replaces, and those that it takes away.
func (d recordDocument) own() (set, unset bson.M) {
	set = bson.M{
		"version": d.Version, "revision": d.Revision, "attempt": d.Attempt, "body": d.Body, "done": d.Done,
		"product": d.Product, "plan": d.Plan, "state": d.State, "externalId": d.ExternalID, "customerEmail": d.CustomerEmail,
		"customerExternalId": d.CustomerExternalID, "created": d.Created, "starts": d.Starts, "ends": d.Ends, "due": d.Due,
		"words": d.Words, "wordSum": d.WordSum,
	}
	unset = bson.M{}
	if d.Gone == nil {
		unset["gone"] = ""
	} else {
		set["gone"] = *d.Gone
	}
	return set, unset
}

// stored gives the record of a document.
func (d recordDocument) stored() (*storage.Stored, error) {
	s := &storage.Stored{
		Record: storage.Record{
			Kind: storage.Kind(d.Kind), ID: d.ID, Version: d.Version, Revision: d.Revision, Attempt: d.Attempt, Body: []byte(d.Body),
			Index: storage.Index{
				Product: d.Product, Plan: d.Plan, State: d.State, ExternalID: d.ExternalID, CustomerEmail: d.CustomerEmail,
				CustomerExternalID: d.CustomerExternalID, Created: moment(d.Created), Starts: moment(d.Starts),
				Ends: moment(d.Ends), Due: moment(d.Due), Words: d.Words,
			},
		},
		Total: storage.UsageTotal{Count: d.Count, Last: moment(d.Last)},
	}
	if d.Done != "" {
		if err := json.Unmarshal([]byte(d.Done), &s.Done); err != nil {
			return nil, fmt.Errorf("the operations of %s: %w", d.ID, err)
		}
	}
	var err error
	if s.Seats, err = d.Seats.seats(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.ID, err)
	}
	return s, nil
}

// millis gives the milliseconds of a time, or what stands for none.
func millis(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return t.UnixMilli()
}

func moment(millis int64) time.Time {
	if millis == before0 || millis == never {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

func newID() string { return bson.NewObjectID().Hex() }
