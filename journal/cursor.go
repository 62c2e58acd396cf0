package journal

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
)

// maxCursor bounds the text of a cursor, in bytes.
const maxCursor = 100

// Cursor is a place in the log: behind the entry of an index.
type Cursor struct {
	Log   string
	Epoch int64
	Index int64
}

// String gives the cursor as callers see it: opaque, and at most 100 bytes.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s.%d.%d", c.Log, c.Epoch, c.Index))
}

// ParseCursor reads a cursor that a caller sent. Errors: InvalidInput on the
// field after, for what String never gave.
func ParseCursor(text string) (Cursor, error) {
	if len(text) > maxCursor {
		return Cursor{}, errNoCursor()
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Cursor{}, errNoCursor()
	}
	parts := strings.Split(string(raw), ".")
	if len(parts) != 3 || !id.Valid(LogPrefix, parts[0]) {
		return Cursor{}, errNoCursor()
	}
	epoch, epochErr := strconv.ParseInt(parts[1], 10, 64)
	index, indexErr := strconv.ParseInt(parts[2], 10, 64)
	c := Cursor{Log: parts[0], Epoch: epoch, Index: index}
	// One cursor has one text: what lenient parsing let through ends here.
	if epochErr != nil || indexErr != nil || epoch < 1 || index < 0 || c.String() != text {
		return Cursor{}, errNoCursor()
	}
	return c, nil
}

func errNoCursor() error { return fault.Invalid("after", "after is not a cursor of the journal") }

// Place gives the index that a cursor stands for. Errors: InvalidInput on the
// field after, for a cursor of another log or epoch, or from beyond the log's
// end; Unavailable.
func (l *Log) Place(ctx context.Context, cursor string) (int64, error) {
	c, err := ParseCursor(cursor)
	if err != nil {
		return 0, err
	}
	if err := l.Ready(ctx); err != nil {
		return 0, err
	}
	s := l.State()
	if !c.within(s) { // another server may have given it just now
		if s, err = l.Sync(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case c.within(s):
		return c.Index, nil
	case c.Log == s.Log && c.Epoch == s.Epoch:
		return 0, fault.Invalid("after", "after lies beyond the end of the journal")
	}
	return 0, fault.Invalid("after", "after is a cursor of another journal, or from before it was restored")
}

func (c Cursor) within(s State) bool {
	return c.Log == s.Log && c.Epoch == s.Epoch && c.Index < s.Size
}

// CursorAt gives the cursor of the entry at an index, which this server must
// have read: the log has no name before.
func (l *Log) CursorAt(index int64) string {
	s := l.State()
	return Cursor{Log: s.Log, Epoch: s.Epoch, Index: index}.String()
}
