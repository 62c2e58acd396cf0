package sqlite

import (
	"context"
	"fmt"
	"math"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	// Where the block begins that holds an index, if any does.
	blockOf      = "SELECT first FROM chunk WHERE first <= ? AND head IS NOT NULL ORDER BY first DESC LIMIT 1"
	selectChunks = "SELECT first, at, head, data FROM chunk WHERE first >= ? ORDER BY first"
)

// enoughBytes is how much of the file Blocks reads before it begins no further
// block.
const enoughBytes = 1 << 20

// Blocks implements storage.Journal.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	var blocks []storage.Block
	err := s.snapshot(ctx, func(c *conn) error {
		start, err := blockFrom(c, from)
		if err != nil {
			return err
		}
		r := blockReader{codec: s.codec, from: from, limit: limit}
		if err := r.read(ctx, c, start); err != nil {
			return err
		}
		blocks = r.blocks
		return nil
	})
	if err != nil {
		return nil, err
	}
	return blocks, nil
}

// blockFrom gives where to begin in order to read the block that holds an
// index, or the next one.
func blockFrom(c *conn, from int64) (int64, error) {
	if from == storage.LastBlock {
		from = math.MaxInt64
	}
	row, found, err := c.one(blockOf, from)
	if err != nil || !found {
		return math.MinInt64, err
	}
	return number(row[0]), nil
}

// blockReader puts blocks together from their chunks.
type blockReader struct {
	codec  *codec
	from   int64 // a block that ends before it is left out
	limit  int
	blocks []storage.Block
	size   int
}

func (r *blockReader) read(ctx context.Context, c *conn, start int64) error {
	cur, err := c.query(ctx, selectChunks, start)
	if err != nil {
		return err
	}
	defer cur.close()
	for {
		ok, err := cur.next()
		if err != nil {
			return err
		}
		if begins := !ok || cur.values[2] != nil; begins {
			r.leaveOut()
			if !ok || len(r.blocks) >= r.limit || r.size >= enoughBytes {
				return nil
			}
			r.blocks = append(r.blocks, storage.Block{
				First: number(cur.values[0]), At: moment(cur.values[1]), Head: blob(cur.values[2]),
			})
		}
		if err := r.add(number(cur.values[0]), blob(cur.values[3])); err != nil {
			return r.stop(err)
		}
	}
}

// leaveOut drops a block that ends before from.
func (r *blockReader) leaveOut() {
	if n := len(r.blocks); n > 0 && r.blocks[n-1].Next() <= r.from {
		r.blocks, r.size = r.blocks[:n-1], 0
	}
}

// add reads a chunk into the last block, which it must continue.
func (r *blockReader) add(first int64, data []byte) error {
	n := len(r.blocks)
	if n == 0 || r.blocks[n-1].Next() != first {
		return damagedAt(first, errDamaged)
	}
	entries, err := r.codec.unpack(data)
	if err != nil {
		return damagedAt(first, err)
	}
	last := &r.blocks[n-1]
	if last.Entries == nil {
		last.Entries = entries
	} else {
		last.Entries = append(last.Entries, entries...)
	}
	r.size += len(data)
	return nil
}

// stop gives the blocks before a damaged one, or where there are none the
// damage.
func (r *blockReader) stop(damage error) error {
	if len(r.blocks) > 1 {
		r.blocks = r.blocks[:len(r.blocks)-1]
		return nil
	}
	return damage
}

// damagedAt says from which index on entries cannot be read.
func damagedAt(first int64, cause error) error {
	return fault.Wrap(fault.Unavailable, cause, fmt.Sprintf("the log cannot be read from entry %d on", first))
}
