// Package limit says how much of the server one GraphQL document may ask for.
// It is asked twice: Limits.CheckDocument before the rules of GraphQL, some of
// which cost more the more a document repeats, and Limits.CheckPrice for each
// request. Both are linear in the document's text, whatever it spreads.
package limit

import (
	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
)

// Limits bound a document.
type Limits struct {
	Bytes      int // of the text
	Tokens     int // of the text
	Parts      int // fields, fragments, arguments, values and directives, with each fragment written out wherever it is spread
	Depth      int // fields within fields; what introspection holds does not count
	RootFields int // of an operation
	Directives int
	Spreads    int // of fragments
	Objects    int // of the answer, by price
	Work       int // of the answer, by price: about the microseconds it takes
}

// The limits of callers with a credential, and of those without.
var (
	staff = Limits{
		Bytes: 256 << 10, Tokens: 5_000, Parts: 10_000, Depth: 12, RootFields: 20, Directives: 50, Spreads: 50,
		Objects: 5_000, Work: 18_000,
	}
	anyone = Limits{
		Bytes: 64 << 10, Tokens: 600, Parts: 1_200, Depth: 12, RootFields: 20, Directives: 50, Spreads: 50,
		Objects: 200, Work: 2_000,
	}
)

// MaxFields bounds the fields of one selection, with those that fragments add
// and those of all selections that are merged into it: gqlgen compares each
// with each.
const MaxFields = 100

// maxName bounds the names in a document, in bytes: messages repeat them.
const maxName = 100

// Of gives the limits of a caller.
func Of(who actor.Actor) Limits {
	if who.Nobody() {
		return anyone
	}
	return staff
}

// full is where counting ends, so that nothing overflows.
const full = 1_000_000_000

func plus(a, b int) int { return min(a+b, full) }

func times(a, b int) int {
	if a != 0 && b > full/a {
		return full
	}
	return a * b
}

// check fails where more is asked for than there may be.
func check(what string, asked, limit int) error {
	if asked <= limit {
		return nil
	}
	if asked >= full {
		return fault.Errorf(fault.InvalidInput, "%s: more than %d are asked for, at most %d are allowed", what, full-1, limit)
	}
	return fault.Errorf(fault.InvalidInput, "%s: %d are asked for, at most %d are allowed", what, asked, limit)
}

// first gives the first of several failures.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckText fails with InvalidInput if a document's text is too long.
func (l Limits) CheckText(text string) error {
	return check("bytes of the document", len(text), l.Bytes)
}

// TooManyTokens is the failure of a text with more tokens than the limit. They
// are not counted to the end.
func (l Limits) TooManyTokens() error {
	return fault.Errorf(fault.InvalidInput, "tokens of the document: more than %d are asked for, at most %[1]d are allowed", l.Tokens)
}
