// Package dump moves whole stores between engines as one stream of text: all
// records with their seats, counters and pending entries, and the log block by
// block. docs/dump.md says what stands on the lines, for other readers than
// this one.
//
// A stream is whole or worth nothing: its last line counts and hashes what came
// before. A store is whole or not served: while a load into it is under way it
// holds a mark, which Unfinished finds.
package dump

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// Format is what the first line of a stream says. Another number is another
// format: it changes with whatever a record or a block consists of.
const Format = "keywright dump 1"

// MaxLine bounds the bytes of a line. A record has a line for itself and one
// for each seat, day and entry, so what is longer no engine would take.
const MaxLine = 16 << 20

// MaxRecord bounds the bytes of all lines of a record, which is read as a whole:
// about three times what the most seats that a license may have take, with the most
// that each may say.
const MaxRecord = 1 << 30

// Header is what a stream begins with.
type Header struct {
	Format string    `json:"format"`
	Made   time.Time `json:"made"`          // by the clock of the storage
	Log    *Log      `json:"log,omitempty"` // where the log ends; none is one without entries
}

// Log says which log it is, and what it consists of.
type Log struct {
	ID      string `json:"id"`
	Epoch   int64  `json:"epoch"`
	Entries int64  `json:"entries"`
	Root    string `json:"root"` // of the Merkle tree of all entries, in base64
}

// logOf is nil for a log without entries.
func logOf(c journal.Checkpoint) *Log {
	if c.Size == 0 {
		return nil
	}
	return &Log{ID: c.Log, Epoch: c.Epoch, Entries: c.Size, Root: c.Root.String()}
}

// String gives the log in words.
func (l *Log) String() string {
	if l == nil {
		return "no log"
	}
	return fmt.Sprintf("the log %s, epoch %d, with %d entries and the root %s", l.ID, l.Epoch, l.Entries, l.Root)
}

// same reports whether two are the same log with the same entries.
func (l *Log) same(other *Log) bool {
	if l == nil || other == nil {
		return l == other
	}
	return *l == *other
}

// Counts says how many there are of each thing.
type Counts struct {
	Records map[storage.Kind]int64 `json:"records"`
	Seats   int64                  `json:"seats"`
	Days    int64                  `json:"days"` // on which a record was used, of all records
	Pending int64                  `json:"pending"`
	Blocks  int64                  `json:"blocks"`
	Entries int64                  `json:"entries"` // in blocks
}

func (c *Counts) addRecord(w storage.Whole) {
	if c.Records == nil {
		c.Records = map[storage.Kind]int64{}
	}
	c.Records[w.Kind]++
	c.Seats += int64(len(w.Seats))
	c.Days += int64(len(w.Days))
	c.Pending += int64(len(w.Pending))
}

func (c *Counts) addBlock(b storage.Block) {
	c.Blocks++
	c.Entries += int64(len(b.Entries))
}

// All is the number of records of all kinds.
func (c *Counts) All() (all int64) {
	for _, n := range c.Records {
		all += n
	}
	return all
}

// String gives the counts in words.
func (c *Counts) String() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(c.Records)) {
		kinds = append(kinds, fmt.Sprintf("%s: %d", kind, c.Records[kind]))
	}
	records := fmt.Sprintf("%d records", c.All())
	if len(kinds) > 0 {
		records += " (" + strings.Join(kinds, ", ") + ")"
	}
	return fmt.Sprintf("%s, %d seats, %d days of use, %d pending entries, and %d entries in %d blocks",
		records, c.Seats, c.Days, c.Pending, c.Entries, c.Blocks)
}

func (c *Counts) same(other Counts) bool {
	return maps.Equal(c.Records, other.Records) && c.Seats == other.Seats && c.Days == other.Days &&
		c.Pending == other.Pending && c.Blocks == other.Blocks && c.Entries == other.Entries
}
