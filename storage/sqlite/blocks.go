package sqlite

import (
	"context"
	"iter"
	"math"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	blockOf      = "SELECT block FROM chunk WHERE first <= ? ORDER BY first DESC LIMIT 1"
	selectChunks = "SELECT first, next, block, at, data FROM chunk WHERE first >= ? ORDER BY first"
)

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
		start := sqlstore.Start{From: from}
		first, err := startOf(c, &start)
		if err != nil {
			return err
		}
		blocks, err = s.codec.Blocks(start, limit, c.chunks(ctx, first, math.MaxInt64))
		return err
	})
	return blocks, err
}

// startOf completes a start, and gives the chunk to begin with. That of from
// may go on with a block that began in an earlier one.
func startOf(c *conn, start *sqlstore.Start) (int64, error) {
	row, found, err := c.one(blockOf, start.From)
	if err != nil || !found {
		return 0, err
	}
	start.Begin = number(row[0])
	row, _, err = c.one(chunkUpTo, start.Begin)
	return number(row[0]), err
}

// chunks reads the chunks from one to another, both included, in order.
func (c *conn) chunks(ctx context.Context, from, to int64) iter.Seq2[sqlstore.Row, error] {
	return func(yield func(sqlstore.Row, error) bool) {
		for row, err := range c.rows(ctx, selectChunks, from) {
			if err != nil {
				yield(sqlstore.Row{}, err)
				return
			}
			if number(row[0]) > to || !yield(chunkOf(row), nil) {
				return
			}
		}
	}
}
