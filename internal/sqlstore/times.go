package sqlstore

import (
	"math"

	"github.com/keywright/keywright/storage"
)

// Span is what lies between two times, neither included.
type Span struct{ After, Before int64 }

// unbounded is the span of all times.
var unbounded = Span{math.MinInt64, math.MaxInt64}

// BoundedBelow reports whether anything comes before the span.
func (s Span) BoundedBelow() bool { return s.After != unbounded.After }

// BoundedAbove reports whether anything comes behind the span.
func (s Span) BoundedAbove() bool { return s.Before != unbounded.Before }

// Times is what a list says about times: its records come behind a place, and
// lie in spans. The bound at which the order begins is in the place alone.
type Times struct {
	Behind             Place
	Created, Ends, Due Span
}

// TimesOf gives the times of a page that begins behind a place.
func TimesOf(f storage.Filter, o Order, after Place) Times {
	created, ends, due := spansOf(f)
	switch {
	case o.Newest:
		after = o.later(after, Place{created.Before, math.MinInt64})
		created.Before = unbounded.Before
	case o.Column == "created":
		after = o.later(after, Place{created.After, math.MaxInt64})
		created.After = unbounded.After
	case o.Column == "ends":
		after = o.later(after, Place{ends.After, math.MaxInt64})
		ends.After = unbounded.After
	}
	return Times{Behind: after, Created: created, Ends: ends, Due: due}
}

// spansOf gives the bounds that f sets. A bound on either side leaves out what
// has no such time; OpenAt does not.
func spansOf(f storage.Filter) (created, ends, due Span) {
	created, ends, due = unbounded, unbounded, unbounded
	if !f.CreatedAfter.IsZero() {
		created.After = f.CreatedAfter.UnixMilli()
	}
	if !f.CreatedBefore.IsZero() {
		created = Span{max(created.After, NeverCreated), f.CreatedBefore.UnixMilli()}
	}
	if !f.EndsAfter.IsZero() {
		ends = Span{f.EndsAfter.UnixMilli(), NeverEnds}
	}
	if !f.EndsBefore.IsZero() {
		ends.Before = f.EndsBefore.UnixMilli()
	}
	if !f.OpenAt.IsZero() {
		ends.After = max(ends.After, f.OpenAt.UnixMilli())
	}
	if !f.DueBefore.IsZero() {
		due.Before = f.DueBefore.UnixMilli()
	}
	return created, ends, due
}
