package sqlite

import (
	"context"
	"math"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	selectPending = "SELECT r.id, p.entry FROM pending AS p CROSS JOIN record AS r ON r.row = p.row ORDER BY p.place LIMIT ?"
	deletePending = "DELETE FROM pending WHERE id = ?"

	insertChunk = "INSERT INTO chunk (first, at, head, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
	insertTag   = "INSERT INTO tag (hash, chunk) VALUES (?, ?)"

	blockAt      = "SELECT first FROM chunk WHERE first <= ? AND head IS NOT NULL ORDER BY first DESC LIMIT 1"
	selectChunks = "SELECT first, at, head, data FROM chunk WHERE first >= ? ORDER BY first"
)

// Bytes of entries after which Blocks begins no further block.
const enoughBytes = 4 << 20

// Pending implements storage.Journal.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	var waiting []storage.Pending
	err := s.read(ctx, func(c *conn) error {
		cur, err := c.query(ctx, selectPending, int64(max(limit, 0)))
		if err != nil {
			return err
		}
		defer cur.close()
		for {
			ok, err := cur.next()
			if err != nil || !ok {
				return err
			}
			e, err := decodeEntry(blob(cur.values[1]))
			if err != nil {
				return err
			}
			waiting = append(waiting, storage.Pending{Record: text(cur.values[0]), Entry: e})
		}
	})
	if err != nil {
		return nil, err
	}
	return waiting, nil
}

// Settle implements storage.Journal.
func (s *Store) Settle(ctx context.Context, entries []storage.Pending) error {
	return s.write(ctx, func(w *writer) error {
		for _, e := range entries {
			if _, _, err := w.conn.exec(deletePending, e.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// AppendBlock implements storage.Journal.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error { return w.appendBlock(b) })
}

func (w *writer) appendBlock(b storage.Block) error {
	first, head := b.First, b.Head
	for _, entries := range chunks(b.Entries) {
		added, _, err := w.conn.exec(insertChunk, first, b.At.UnixMilli(), head, encodeChunk(entries))
		if err != nil {
			return err
		}
		if added == 0 {
			return fault.Errorf(fault.Conflict, "the log has a block at %d", b.First)
		}
		for _, hash := range tagsOf(entries) {
			if _, _, err := w.conn.exec(insertTag, hash, first); err != nil {
				return err
			}
		}
		first, head = first+int64(len(entries)), nil
	}
	return nil
}

// Blocks implements storage.Journal.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	var blocks []storage.Block
	err := s.snapshot(ctx, func(c *conn) error {
		start, err := blockFrom(c, from)
		if err != nil {
			return err
		}
		blocks, err = readBlocks(ctx, c, start, from, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return blocks, nil
}

// blockFrom gives where the block begins that may hold an index.
func blockFrom(c *conn, from int64) (int64, error) {
	if from == storage.LastBlock {
		from = math.MaxInt64
	}
	row, found, err := c.one(blockAt, from)
	if err != nil {
		return 0, err
	}
	if !found {
		return math.MinInt64, nil
	}
	return number(row[0]), nil
}

func readBlocks(ctx context.Context, c *conn, start, from int64, limit int) ([]storage.Block, error) {
	cur, err := c.query(ctx, selectChunks, start)
	if err != nil {
		return nil, err
	}
	defer cur.close()
	var blocks []storage.Block
	size := 0
	for {
		ok, err := cur.next()
		if err != nil || !ok {
			return behindIndex(blocks, from), err
		}
		if head := blob(cur.values[2]); head != nil {
			if n := len(blocks); n > 0 && blocks[n-1].Next() <= from {
				blocks, size = blocks[:n-1], 0
			}
			if len(blocks) >= limit || size >= enoughBytes {
				return blocks, nil
			}
			blocks = append(blocks, storage.Block{First: number(cur.values[0]), At: moment(cur.values[1]), Head: head})
		}
		data := blob(cur.values[3])
		entries, err := decodeChunk(data)
		if err != nil {
			return nil, err
		}
		b := &blocks[len(blocks)-1]
		b.Entries = append(b.Entries, entries...)
		size += len(data)
	}
}

func behindIndex(blocks []storage.Block, from int64) []storage.Block {
	if n := len(blocks); n > 0 && blocks[n-1].Next() <= from {
		blocks = blocks[:n-1]
	}
	return blocks
}
