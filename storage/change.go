package storage

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keywright/keywright/fault"
)

// The bounds of a Change.
const (
	MaxEntry = 64 << 10 // bytes of an Entry's body
	MaxID    = 64       // bytes of an id
	MaxWord  = 1 << 10  // bytes of a word of an Index
	MaxWords = 32       // of one Index
)

// Change is one atomic change of one record.
type Change struct {
	Record  Record    // inserted at version 0, or else its own fields replaced, all of them
	Attempt string    // random, new for each call; stored with the record
	Put     []Seat    // inserted; if a seat of this id is there its fields are replaced, and its lease only moves forward, from none to any
	Remove  []Removal // of a seat that is not there: nothing
	Entries []Entry   // pending until the journal takes them
}

// Removal removes a seat. IfLease, where not nil, is the lease that was read
// and is the reason: one that has moved since is a Conflict.
type Removal struct {
	ID      string
	IfLease *time.Time
}

// Lease asks to move the end of a seat's lease.
type Lease struct {
	Record string
	Seat   string
	At     time.Time // when it was asked: a lease that ended by then is not moved
	Until  time.Time
}

// Check refuses a Change that is not well-formed: without kind, id, attempt
// or body, with an id that is too long, with text that IsText refuses, with a
// body that is not as Record says, with words that are too many, too long, out
// of order or of more than one line, with a seat that is named twice, or with
// an entry that lacks id or type, is larger than MaxEntry, or concerns ids that
// are too many or out of order. Every driver calls it first.
func (c Change) Check() error {
	if c.Record.Version < 0 || c.Attempt == "" {
		return fault.Errorf(fault.InvalidInput, "a change needs an attempt and a version that was read")
	}
	if err := checkText(c.Attempt); err != nil {
		return err
	}
	if err := c.Record.check(); err != nil {
		return err
	}
	named := make(map[string]bool, len(c.Put)+len(c.Remove))
	name := func(id string) bool {
		ok := id != "" && len(id) <= MaxID && !named[id]
		named[id] = true
		return ok
	}
	for _, s := range c.Put {
		if !name(s.ID) {
			return fault.Errorf(fault.InvalidInput, "a change puts a seat without id, or names one twice")
		}
		if err := checkText(s.ID); err != nil {
			return err
		}
		if err := checkBody(s.Body); err != nil {
			return err
		}
	}
	for _, s := range c.Remove {
		if !name(s.ID) {
			return fault.Errorf(fault.InvalidInput, "a change removes a seat without id, or names one twice")
		}
		if err := checkText(s.ID); err != nil {
			return err
		}
	}
	return checkEntries(c.Entries)
}

func (r Record) check() error {
	if r.Kind == "" || r.ID == "" || len(r.ID) > MaxID {
		return fault.Errorf(fault.InvalidInput, "a record needs a kind and an id of at most %d bytes", MaxID)
	}
	x := r.Index
	if err := checkText(string(r.Kind), r.ID, x.Product, x.Plan, x.State, x.ExternalID, x.CustomerEmail, x.CustomerExternalID); err != nil {
		return err
	}
	for _, o := range r.Done {
		if err := checkText(o.Name, o.Key, o.Actor, o.Digest); err != nil {
			return err
		}
	}
	if err := checkBody(r.Body); err != nil {
		return err
	}
	return checkWords(x.Words)
}

func checkWords(words []string) error {
	if len(words) > MaxWords {
		return fault.Errorf(fault.InvalidInput, "a record has at most %d words", MaxWords)
	}
	for i, word := range words {
		bad := !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl)
		if bad || word == "" || len(word) > MaxWord || i > 0 && words[i-1] >= word {
			return fault.Errorf(fault.InvalidInput, "words have 1 to %d bytes of text each and are sorted, each once", MaxWord)
		}
	}
	return nil
}
