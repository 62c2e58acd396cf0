package sqlstore

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Entries are kept in chunks, since compressed together they are small. Where
// there is room in the last one, a block goes on in it: the log of a quiet
// server has a block an entry. A chunk is no larger than this, because one
// entry is read at the price of all of it.
const (
	chunkEntries = 32
	chunkBytes   = 32 << 10 // behind which nothing is added
)

// Row is a row of the table of chunks: a run of entries, whatever blocks they
// are of. Only the last one ever grows.
type Row struct {
	First int64 // the index of its first entry
	Next  int64 // the index behind its last
	Block int64 // where the block begins that its first entry is of
	At    int64 // when that block was made, in milliseconds
	Data  []byte
}

// HasRoom reports whether another entry may go into the chunk, as far as its
// number of entries says.
func (r Row) HasRoom() bool { return r.Next-r.First < chunkEntries }

// Chunk is a chunk as a block leaves it.
type Chunk struct {
	Row
	Grown bool    // it is stored, and its next and its data change
	Tags  []int64 // of what was added, sorted, each once; of a grown one some may be stored
}

// Add puts a block into chunks: behind the entries of that which ends where it
// begins, as long as there is room, and behind that into as many as it takes.
// It gives those that are to be written. Last is nil where none ends there.
func (c *Codec) Add(last *Row, b storage.Block) ([]Chunk, error) {
	var before *chunk
	if last != nil {
		var err error
		if before, err = c.read(*last); err != nil {
			return nil, err
		}
	}
	filled := fill(before, b)
	chunks := make([]Chunk, len(filled))
	for i, f := range filled {
		slices.Sort(f.tags)
		f.Data = c.pack(f.plain)
		chunks[i] = Chunk{Row: f.Row, Grown: f.stored, Tags: slices.Compact(f.tags)}
	}
	return chunks, nil
}

// Taken is the Conflict of a block whose place is.
func Taken(first int64) error {
	return fault.Errorf(fault.Conflict, "the log has a block at %d", first)
}

// chunk is a chunk in memory. Unpacked it is its entries, each behind the head
// of the block that begins with it and the time of that, or behind an empty
// text where it goes on with a block.
type chunk struct {
	Row
	plain  []byte
	stored bool
	tags   []int64 // of what was added
}

func (c *chunk) full() bool { return !c.HasRoom() || len(c.plain) >= chunkBytes }

// fill puts the entries of a block behind those of a chunk, if there is one
// with room, and behind that into as many as it takes.
func fill(c *chunk, b storage.Block) []*chunk {
	var all []*chunk
	if c != nil && !c.full() {
		all = append(all, c)
	}
	head, at := b.Head, b.At.UnixMilli()
	for i, e := range b.Entries {
		if c == nil || c.full() {
			index := b.First + int64(i)
			c = &chunk{Row: Row{First: index, Next: index, Block: b.First, At: at}}
			all = append(all, c)
		}
		c.plain = appendText(c.plain, head)
		if head != nil {
			c.plain = binary.AppendVarint(c.plain, at)
		}
		c.plain, c.tags = AppendEntry(c.plain, e), appendTags(c.tags, e)
		c.Next, head = c.Next+1, nil
	}
	return all
}

// placed is an entry of a chunk; where a block begins with it, with the head of
// that.
type placed struct {
	storage.Logged
	head []byte
}

// entries reads an unpacked chunk; what it gives shares its memory.
func (c *chunk) entries() ([]placed, error) {
	r := entryReader{plain: c.plain, text: string(c.plain)}
	all, at := make([]placed, 0, chunkEntries), time.UnixMilli(c.At).UTC()
	for index := c.First; r.at < len(r.plain); index++ {
		p := placed{head: r.bytes()}
		if len(p.head) > 0 {
			at = time.UnixMilli(r.signed()).UTC()
		}
		p.Logged = storage.Logged{Index: index, At: at, Entry: r.entry()}
		if r.bad {
			return nil, errDamaged
		}
		all = append(all, p)
	}
	if c.First+int64(len(all)) != c.Next {
		return nil, errDamaged
	}
	return all, nil
}

// read unpacks a chunk. Its error says where it is.
func (c *Codec) read(row Row) (*chunk, error) {
	plain, err := c.unpack(row.Data)
	if err != nil {
		return nil, damagedAt(row.First, err)
	}
	return &chunk{Row: row, plain: plain, stored: true}, nil
}

// entries unpacks a chunk and reads it. Its error says where it is.
func (c *Codec) entries(row Row) ([]placed, error) {
	read, err := c.read(row)
	if err != nil {
		return nil, err
	}
	all, err := read.entries()
	if err != nil {
		return nil, damagedAt(row.First, err)
	}
	return all, nil
}

// damagedAt says from which index on entries cannot be read.
func damagedAt(first int64, cause error) error {
	return fault.Wrap(fault.Unavailable, cause, fmt.Sprintf("the log cannot be read from entry %d on", first))
}
