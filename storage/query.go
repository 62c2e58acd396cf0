package storage

import "time"

// Order is the order of a list.
type Order string

// The orders. In EndsSoonest records without an end come last.
const (
	CreatedNewest Order = "created-newest"
	CreatedOldest Order = "created-oldest"
	EndsSoonest   Order = "ends-soonest"
)

// Query asks for a page of records of one kind. All that Filter names must
// hold. Any combination is answered rightly; an index serves these, each
// alone, with one product, or (the last two lines also) with one plan:
//
//	any order: nothing, product, plan
//	CreatedNewest, CreatedOldest: ExternalID, CustomerEmail,
//	    CustomerExternalID
//	CreatedNewest, CreatedOldest: CreatedAfter and CreatedBefore; State
//	EndsSoonest: EndsAfter and EndsBefore, OpenAt, each also with State
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
