package journal

import (
	"fmt"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Event is an entry in the log, decoded. It is shared: nobody changes one.
type Event struct {
	Index  int64
	Logged time.Time // when its block was made
	Entry
}

// EventOf decodes an entry of the log. Errors: Internal.
func EventOf(l storage.Logged) (*Event, error) {
	e, err := Decode(l.Entry)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, fmt.Sprintf("the journal's entry at %d cannot be read", l.Index))
	}
	return &Event{Index: l.Index, Logged: l.At, Entry: e}, nil
}
