package storage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/fault"
)

// The bounds of a Block, and of what stands beside an entry.
const (
	MaxBlock    = 1000      // entries
	MaxBytes    = 8 << 20   // of all bodies of a block
	MaxHead     = 16 << 10  // bytes
	MaxSubjects = 16        // of one entry
	MaxName     = 400       // bytes of an entry's type or actor
	LastBlock   = int64(-1) // in place of an index: where the last block begins
)

// Entry is a journal entry, encoded, with what it is found by. Storage does
// not look inside the body.
type Entry struct {
	ID       string   // unique among all entries there will ever be
	Type     string   // words with dots between: license.created
	Actor    string   // who did it, as one text
	Product  string   // the id of the product that it belongs to; empty is none
	Subjects []string // the ids that it concerns, sorted, each once
	Body     []byte
}

// Pending is an entry that no block holds yet, as far as its storage knows.
type Pending struct {
	Record string // the id of the record that it was committed with
	Entry
}

// Block is a run of entries of the log: those that stand in it from the index
// First on, in order. Storage does not look into its head.
type Block struct {
	First   int64
	At      time.Time // when it was made
	Head    []byte    // what its maker says of the log up to its end
	Entries []Entry
}

// Next is the index behind a block.
func (b Block) Next() int64 { return b.First + int64(len(b.Entries)) }

// Check refuses a Block that is not well-formed. Every driver calls it first.
func (b Block) Check() error {
	if b.First < 0 || b.At.IsZero() || len(b.Head) == 0 || len(b.Head) > MaxHead || len(b.Entries) == 0 || len(b.Entries) > MaxBlock {
		return fault.Errorf(fault.InvalidInput, "a block needs an index, a time, a head of at most %d bytes and 1 to %d entries", MaxHead, MaxBlock)
	}
	size := 0
	for _, e := range b.Entries {
		size += len(e.Body)
	}
	if size > MaxBytes {
		return fault.Errorf(fault.InvalidInput, "the entries of a block have at most %d bytes", MaxBytes)
	}
	return checkEntries(b.Entries)
}

func checkEntries(entries []Entry) error {
	for _, e := range entries {
		if e.ID == "" || len(e.ID) > MaxID || len(e.Body) == 0 || len(e.Body) > MaxEntry {
			return fault.Errorf(fault.InvalidInput, "a journal entry needs an id and 1 to %d bytes", MaxEntry)
		}
		if e.Type == "" || len(e.Type) > MaxName || len(e.Actor) > MaxName || len(e.Product) > MaxID {
			return fault.Errorf(fault.InvalidInput, "a journal entry needs a type, and type and actor have at most %d bytes", MaxName)
		}
		if err := checkText(e.ID, e.Type, e.Actor, e.Product); err != nil {
			return err
		}
		if len(e.Subjects) > MaxSubjects {
			return fault.Errorf(fault.InvalidInput, "a journal entry concerns at most %d ids", MaxSubjects)
		}
		for i, id := range e.Subjects {
			if id == "" || len(id) > MaxID || i > 0 && e.Subjects[i-1] >= id {
				return fault.Errorf(fault.InvalidInput, "the ids that a journal entry concerns are sorted, each once")
			}
			if err := checkText(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// Logged is an entry in the log: its place, and when its block was made.
type Logged struct {
	Index int64
	At    time.Time
	Entry
}

// EntryFilter narrows entries of the log. All that it names must hold; what is
// empty, nil or the zero time narrows nothing.
type EntryFilter struct {
	Types    []string  // one of these; one that ends in .* is all that begin so
	Products []string  // of one of these; nil is all, and those of none; empty is none
	Subjects []string  // concerns all of these
	Actor    string    //
	From     time.Time // in a block made then or later
	To       time.Time // in a block made before
}

// Matches reports whether an entry is one that the filter leaves.
func (f EntryFilter) Matches(e Logged) bool {
	if f.Products != nil && (e.Product == "" || !slices.Contains(f.Products, e.Product)) {
		return false
	}
	for _, id := range f.Subjects {
		if !slices.Contains(e.Subjects, id) {
			return false
		}
	}
	return (f.Actor == "" || f.Actor == e.Actor) && f.matchesType(e.Type) &&
		(f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To))
}

func (f EntryFilter) matchesType(name string) bool {
	return len(f.Types) == 0 || slices.ContainsFunc(f.Types, func(t string) bool {
		family, isFamily := strings.CutSuffix(t, "*")
		return t == name || isFamily && strings.HasSuffix(family, ".") && strings.HasPrefix(name, family)
	})
}

// EntryQuery asks for a page of entries of the log by their index. An index
// serves Types, Products, both, Subjects and Actor, each with a time or
// without; of several Subjects one is looked up, and of Subjects or Actor with
// anything else the rest is passed over one by one.
type EntryQuery struct {
	Filter EntryFilter
	Newest bool   // the last first
	First  int    // at most so many, at least 1
	After  *int64 // only what lies behind this index, in the order asked for; nil is from the start
}

// Check refuses an EntryQuery that is not well-formed. Every driver calls it
// first.
func (q EntryQuery) Check() error {
	if q.First < 1 {
		return fault.Invalid("first", "first must be at least 1")
	}
	return nil
}

// EntryPage is a part of the log.
type EntryPage struct {
	Entries []Logged
	More    bool // whether anything that matches lies behind the last
}

// Misfit says where that which entries of the log are looked up by does not fit
// the log.
type Misfit struct {
	Index   int64  // the first entry that is concerned; below zero where it is none
	Problem string // in words for an operator
}

// Journal keeps the entries of all changes: those that are pending, and the
// log, which is made of blocks that are never changed.
type Journal interface {
	// Pending gives at most limit entries that were committed and not settled
	// since. Of one record the older commit's come first, and of one commit
	// they come in its order; between records there is no order. Every entry
	// that was pending when the call began and is not settled meanwhile is
	// given, or limit others are.
	Pending(ctx context.Context, limit int) ([]Pending, error)

	// Settle ends that these entries are pending; those that are not pending
	// are passed over. It changes no version. While it runs, and after an
	// error, it may have been done for some and not for others.
	Settle(ctx context.Context, entries []Pending) error

	// AppendBlock adds a block to the log, all of it or nothing. It fails with
	// Conflict if there is a block with the same First, however long, and with
	// InvalidInput if b is not well-formed (see Block.Check). Once it returns
	// nil, the block survives a crash; any other error leaves open whether it
	// was added. That b follows the last block, and is not older than that, is
	// its caller's to see to.
	AppendBlock(ctx context.Context, b Block) error

	// Blocks gives the blocks from the one that holds the index from on, in
	// order, at most limit and as they were appended; fewer where they are
	// large, but two at least: whoever begins with the last one it knows takes
	// that alone for the end. From may be LastBlock. None is no error. It
	// sees every block whose AppendBlock returned before it began. Where one
	// of them is damaged so that it cannot be read, those before it are given
	// together with Unavailable: without that, they are all there is.
	Blocks(ctx context.Context, from int64, limit int) ([]Block, error)

	// Entries gives one page of the log. No match is an empty page. An entry is
	// found from the moment that its block is appended.
	Entries(ctx context.Context, q EntryQuery) (EntryPage, error)

	// CheckEntries makes all that Entries looks entries up by anew from the
	// log, compares the two as they are at one moment of the call, and gives
	// the first Misfit: an entry that a filter which leaves it would not find,
	// one that would be found and is not in the log, or something to be looked
	// up that leads to nothing that it says. Nil is none. It reads the whole
	// log; appending goes on beside it. Damage is told by Unavailable, as Blocks
	// does. What its engine keeps in order by itself a driver may trust; one
	// whose Entries looks nothing up has nothing to compare.
	CheckEntries(ctx context.Context) (*Misfit, error)
}
