package storage

import "time"

// Kind says what a record is. Ids are unique over all kinds together.
type Kind string

// The kinds of records.
const (
	Product Kind = "product"
	Plan    Kind = "plan"
	License Kind = "license"
	Alias   Kind = "alias"  // leads from the id that a key makes to a license of another id
	Denial  Kind = "denial" // what an actor was refused in an hour
	Cursor  Kind = "cursor" // where work that goes through many records stands
)

// Deleted is the Index.State of a record that is gone for its users and may
// be swept once it is old.
const Deleted = "deleted"

// Record is the envelope of whatever is stored.
//
// The body of a record, as that of a seat, is a JSON object: at most MaxLevels
// deep, without NUL and halves of surrogate pairs, escaped ones included, and
// with numbers that lie in the range of a double. That no object in it has a
// name twice is its owner's to see to. A driver gives it back as the same JSON,
// though perhaps not as the same text: the members of an object may come in
// another order, and a number in another form that is equal to the last digit,
// such as 100 for 1e2, 1 for 1.0 and 0 for -0.
type Record struct {
	Kind     Kind
	ID       string
	Version  int64  // storage's own: 0 before the first commit, then 1, 2, 3 and so on
	Revision int64  // counts the changes that staff made; storage only keeps it
	Attempt  string // of the commit that wrote it
	Index    Index
	Done     []Operation // what was done under an idempotency key
	Body     []byte      // the owner's; it need not repeat what Index says
}

// Index holds the fields that filters, orders and searches name. Empty text and the
// zero time are «none» and match no filter. Its JSON goes into the digests of
// records: names stay, and what is none is absent.
type Index struct {
	Product            string    `json:"product,omitempty"` // an id
	Plan               string    `json:"plan,omitempty"`    // an id
	State              string    `json:"state,omitempty"`
	ExternalID         string    `json:"externalId,omitempty"`
	CustomerEmail      string    `json:"customerEmail,omitempty"`
	CustomerExternalID string    `json:"customerExternalId,omitempty"`
	Created            time.Time `json:"created,omitzero"`
	Starts             time.Time `json:"starts,omitzero"`
	Ends               time.Time `json:"ends,omitzero"`
	Due                time.Time `json:"due,omitzero"`
	Words              []string  `json:"words,omitempty"` // what Search finds the record by, in byte order, each once
}

// Operation is a change that was made under an idempotency key. Which are
// kept and for how long is its owner's rule, not storage's.
type Operation struct {
	Name   string    `json:"name"`
	Key    string    `json:"key"`    // what tells the idempotency key, such as a hash of it
	Actor  string    `json:"actor"`  // who asked
	Digest string    `json:"digest"` // of the input
	At     time.Time `json:"at"`
}

// Seat is a part of a record with a lease of its own.
type Seat struct {
	ID    string    // unique in its record
	Lease time.Time // its end; none is a seat that is kept until it is removed
	Seen  time.Time
	Body  []byte // as a record's
}

// Stored is a record as it stands, with its seats in the order of their ids.
type Stored struct {
	Record
	Seats []Seat
	Total UsageTotal
}

// UsageTotal is the sum of all usage of a record.
type UsageTotal struct {
	Count int64
	Last  time.Time
}
