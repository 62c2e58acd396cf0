package sqlite

import (
	"context"
	"database/sql/driver"
	"math"

	"github.com/keywright/keywright/storage"
)

const (
	blockOf      = "SELECT block FROM chunk WHERE first <= ? ORDER BY first DESC LIMIT 1"
	selectChunks = "SELECT first, next, block, at, data FROM chunk WHERE first >= ? ORDER BY first"
)

// enoughBytes is how much Blocks reads, unpacked, before it begins no further
// block but a second.
const enoughBytes = 4 << 20

// Blocks implements storage.Journal.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	var blocks []storage.Block
	err := s.snapshot(ctx, func(c *conn) error {
		if from == storage.LastBlock {
			last, found, err := c.one(chunkUpTo, int64(math.MaxInt64))
			if err != nil || !found {
				return err
			}
			from = number(last[1]) - 1
		}
		r := blockReader{codec: s.codec, from: from, limit: limit}
		err := r.read(ctx, c)
		blocks = r.blocks
		return err
	})
	return blocks, err
}

// blockReader puts blocks together from chunks.
type blockReader struct {
	codec  *codec
	from   int64 // a block that ends before it is left out
	limit  int
	begin  int64 // where a block begins that is at or before from
	blocks []storage.Block
	size   int
}

func (r *blockReader) read(ctx context.Context, c *conn) error {
	start, err := r.start(c)
	if err != nil {
		return err
	}
	cur, err := c.query(ctx, selectChunks, start)
	if err != nil {
		return err
	}
	defer cur.close()
	for {
		ok, err := cur.next()
		if err != nil {
			r.blocks = nil // the last one may not be whole
			return err
		}
		if !ok {
			r.leaveOut()
			return nil
		}
		enough, err := r.add(cur.values)
		if err != nil {
			return r.stop(err, number(cur.values[0]) == number(cur.values[2]))
		}
		if enough {
			return nil
		}
	}
}

// start gives the chunk to begin with. That of from may go on with a block
// that began in an earlier one.
func (r *blockReader) start(c *conn) (int64, error) {
	row, found, err := c.one(blockOf, r.from)
	if err != nil || !found {
		return 0, err
	}
	r.begin = number(row[0])
	row, _, err = c.one(chunkUpTo, r.begin)
	return number(row[0]), err
}

// add reads a chunk and reports whether there is enough.
func (r *blockReader) add(row []driver.Value) (enough bool, err error) {
	c, err := r.codec.readChunk(row)
	if err != nil {
		return false, err
	}
	entries, err := c.entries()
	if err != nil {
		return false, damagedAt(c.first, err)
	}
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
			return false, damagedAt(c.first, errDamaged)
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

// stop leaves the blocks before a damaged chunk, and gives the damage unless
// they are as many as were asked for. If no block begins with the chunk, the
// last one goes on in it.
func (r *blockReader) stop(damage error, begins bool) error {
	if !begins && len(r.blocks) > 0 {
		r.blocks = r.blocks[:len(r.blocks)-1]
	}
	r.leaveOut()
	if len(r.blocks) >= r.limit {
		return nil
	}
	return damage
}
