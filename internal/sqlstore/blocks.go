package sqlstore

import (
	"iter"

	"github.com/keywright/keywright/storage"
)

// enoughBytes is how much is read of blocks, unpacked, before no further one is
// begun but a second.
const enoughBytes = 4 << 20

// Start says where blocks are read from.
type Start struct {
	From  int64 // a block that ends before it is left out
	Begin int64 // where a block begins that is at or before From
}

// Blocks puts at most limit blocks together from chunks, which come in order
// from that on which holds the entry at the start's Begin. One may come again
// at once, since it may have grown. Damage is given together with the blocks before it,
// as storage.Journal says.
func (c *Codec) Blocks(start Start, limit int, chunks iter.Seq2[Row, error]) ([]storage.Block, error) {
	r := blockReader{codec: c, from: start.From, begin: start.Begin, limit: limit}
	for row, err := range chunks {
		if err != nil {
			return nil, err // the last one may not be whole
		}
		enough, err := r.add(row)
		if err != nil {
			return r.stop(err, row.First == row.Block)
		}
		if enough {
			return r.blocks, nil
		}
	}
	r.leaveOut()
	return r.blocks, nil
}

// blockReader puts blocks together from chunks.
type blockReader struct {
	codec  *Codec
	from   int64 // a block that ends before it is left out
	begin  int64 // what lies before it is not wanted, or was read
	limit  int
	last   *Row
	blocks []storage.Block
	size   int
}

// add reads a chunk and reports whether there is enough.
func (r *blockReader) add(row Row) (enough bool, err error) {
	c, err := r.codec.read(row)
	if err != nil {
		return false, err
	}
	entries, err := c.entries()
	if err != nil {
		return false, damagedAt(c.First, err)
	}
	if r.last != nil && r.last.First == c.First {
		r.begin = r.last.Next
	}
	r.last = &row
	r.size += len(c.plain)
	for _, e := range entries {
		switch {
		case e.Index < r.begin:
			continue
		case len(e.head) > 0:
			r.leaveOut()
			if len(r.blocks) >= r.limit || len(r.blocks) > 1 && r.size >= enoughBytes {
				return true, nil
			}
			r.blocks = append(r.blocks, storage.Block{First: e.Index, At: e.At, Head: e.head})
		case len(r.blocks) == 0 || r.blocks[len(r.blocks)-1].Next() != e.Index: // its beginning is gone
			return false, damagedAt(c.First, errDamaged)
		}
		last := &r.blocks[len(r.blocks)-1]
		last.Entries = append(last.Entries, e.Entry)
	}
	return false, nil
}

// leaveOut drops a block that ends before from.
func (r *blockReader) leaveOut() {
	if n := len(r.blocks); n > 0 && r.blocks[n-1].Next() <= r.from {
		r.blocks = r.blocks[:n-1]
	}
}

// stop gives the blocks before a damaged chunk, and the damage unless they are
// as many as were asked for. If no block begins with the chunk, the last one
// goes on in it.
func (r *blockReader) stop(damage error, begins bool) ([]storage.Block, error) {
	if !begins && len(r.blocks) > 0 {
		r.blocks = r.blocks[:len(r.blocks)-1]
	}
	r.leaveOut()
	if len(r.blocks) >= r.limit {
		return r.blocks, nil
	}
	return r.blocks, damage
}
