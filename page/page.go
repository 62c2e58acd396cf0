// Package page holds keyset pages: forward, without counts, stable while
// records come and go. A cursor is opaque to callers; it carries the place to
// go on from and a digest of the question (what is listed, filter and order),
// and is refused under another question.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/keywright/keywright/fault"
)

// MaxFirst bounds Args.First.
const MaxFirst = 200

// Longest cursor that is looked at, in bytes.
const maxCursor = 1024

const digestSize = 8

// Args ask for a page: at most First nodes behind the cursor After, nil for
// the first page.
type Args struct {
	First int
	After *string
}

// Info says whether there is more and the cursor to go on from, nil on an
// empty page.
type Info struct {
	HasNextPage bool
	EndCursor   *string
}

// Connection is one page of T.
type Connection[T any] struct {
	Nodes    []T
	PageInfo Info
}

// Start checks args and gives the number of nodes and the place to go on
// from, empty for the first page. The question is any text that names what is
// listed, the filter and the order. Errors: InvalidInput on first and after.
func (a Args) Start(question string) (first int, place string, err error) {
	if a.First < 1 || a.First > MaxFirst {
		return 0, "", fault.Invalid("first", "first must be from 1 to %d", MaxFirst)
	}
	if a.After == nil {
		return a.First, "", nil
	}
	place, err = open(*a.After, question)
	return a.First, place, err
}

// New makes the page of nodes behind which place lies; more says whether
// anything does.
func New[T any](question string, nodes []T, place string, more bool) *Connection[T] {
	if nodes == nil {
		nodes = []T{}
	}
	c := &Connection[T]{Nodes: nodes, PageInfo: Info{HasNextPage: more}}
	if len(nodes) > 0 && place != "" {
		text := seal(place, question)
		c.PageInfo.EndCursor = &text
	}
	return c
}

func seal(place, question string) string {
	digest := sha256.Sum256([]byte(question))
	return base64.RawURLEncoding.EncodeToString(append(digest[:digestSize:digestSize], place...))
}

func open(cursor, question string) (string, error) {
	if len(cursor) > maxCursor {
		return "", fault.Invalid("after", "after is not a cursor")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	// Even strict decoding skips line breaks.
	if err != nil || len(raw) <= digestSize || strings.ContainsAny(cursor, "\r\n") {
		return "", fault.Invalid("after", "after is not a cursor")
	}
	digest := sha256.Sum256([]byte(question))
	if !strings.HasPrefix(string(raw), string(digest[:digestSize])) {
		return "", fault.Invalid("after", "after is a cursor of another filter or order; start again without it")
	}
	return string(raw[digestSize:]), nil
}
