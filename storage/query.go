package storage

import (
	"time"

	"github.com/keywright/keywright/fault"
)

// Order is the order of a list.
type Order string

// The orders. In EndsSoonest records without an end come last.
const (
	CreatedNewest Order = "created-newest"
	CreatedOldest Order = "created-oldest"
	EndsSoonest   Order = "ends-soonest"
	DueSoonest    Order = "due-soonest" // leaves out what has no due
)

// Query asks for a page of records of one kind. All that Filter names must
// hold. Any combination is answered rightly; an index serves these, each
// alone, with one product, or (times and State also) with one plan:
//
//	any order but DueSoonest: nothing, product, plan
//	CreatedNewest, CreatedOldest: ExternalID, CustomerEmail,
//	    CustomerExternalID
//	CreatedNewest, CreatedOldest: CreatedAfter and CreatedBefore; State
//	EndsSoonest: EndsAfter and EndsBefore, OpenAt, each also with State
//	DueSoonest: nothing, DueBefore; neither with one product or plan
//
// Several products cost as much as a page of each.
type Query struct {
	Kind   Kind
	Filter Filter
	Order  Order
	First  int   // at most so many records, at least 1
	After  Place // empty for the first page
}

// Filter narrows a list. What is empty, nil or the zero time does not. After
// and before are strict: a time is neither after nor before itself.
type Filter struct {
	Products           []string // one of these ids; nil is all, empty is none
	Plan               string
	State              string
	ExternalID         string
	CustomerEmail      string
	CustomerExternalID string
	CreatedAfter       time.Time
	CreatedBefore      time.Time
	EndsAfter          time.Time // a record without an end ends neither after nor before anything
	EndsBefore         time.Time
	DueBefore          time.Time // a record without a due is due before nothing
	OpenAt             time.Time // started by then, or without a start, and not ended by then, or without an end
}

// Place is where a page ends, in a driver's own terms.
type Place string

// Page is a part of a list.
type Page struct {
	Records []*Stored
	End     Place // behind the last record; empty on an empty page
	More    bool  // whether anything lies behind it
}

// SearchQuery asks for the records of one kind that have a word which begins
// with a prefix. An index serves it while one kind alone has words, whatever
// the prefix and however few of the records are of these products: it costs a
// seek for each product, or for each that there is.
type SearchQuery struct {
	Kind     Kind
	Prefix   string   // plain text: no character in it stands for another
	Products []string // one of these ids; nil is all, empty is none
	First    int      // at most so many records, at least 1
}

// Check refuses a SearchQuery that is not well-formed. Every driver calls it
// first.
func (q SearchQuery) Check() error {
	switch {
	case q.Prefix == "" || len(q.Prefix) > MaxWord:
		return fault.Invalid("text", "text must have 1 to %d bytes", MaxWord)
	case q.First < 1:
		return fault.Invalid("first", "first must be at least 1")
	}
	return nil
}
