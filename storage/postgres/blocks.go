package postgres

import (
	"context"
	"iter"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	// The chunk that has an index may go on with a block that began in an
	// earlier one. Without an index it is the last block's.
	selectBlocks = `WITH start AS MATERIALIZED (
			SELECT coalesce($1, next - 1) AS at, block FROM chunk
			WHERE first <= coalesce($1, 9223372036854775807) ORDER BY first DESC LIMIT 1
		)
		SELECT coalesce((SELECT at FROM start), $1, 0), coalesce((SELECT block FROM start), 0), first, next, block, at, data FROM chunk
		WHERE first >= coalesce((SELECT first FROM chunk WHERE first <= (SELECT block FROM start) ORDER BY first DESC LIMIT 1), 0)
		ORDER BY first LIMIT $2`

	selectChunks = "SELECT first, next, block, at, data FROM chunk WHERE first >= $1 AND first <= $2 ORDER BY first LIMIT $3"
)

// Chunks that are read at once: few at first, as that is often all.
const (
	fewChunks  = 8
	manyChunks = 64
)

// Blocks implements storage.Journal. Its first statement tells whether there is
// more than it gives; then the last chunk is read again, which may have grown.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	index := &from
	if from == storage.LastBlock {
		index = nil
	}
	start, first, err := s.startOf(ctx, index)
	if err != nil {
		return nil, err
	}
	return s.codec.Blocks(start, limit, func(yield func(sqlstore.Row, error) bool) {
		for _, row := range first {
			if !yield(row, nil) {
				return
			}
		}
		if len(first) == fewChunks {
			s.pagesOfChunks(ctx, first[fewChunks-1].First, math.MaxInt64)(yield)
		}
	})
}

// startOf gives the start of a read of blocks, and the first chunks of it.
func (s *Store) startOf(ctx context.Context, from *int64) (start sqlstore.Start, rows []sqlstore.Row, err error) {
	err = s.read(ctx, func(c *pgxpool.Conn) error {
		found, err := c.Query(ctx, selectBlocks, from, fewChunks)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (sqlstore.Row, error) {
			var r sqlstore.Row
			err := row.Scan(&start.From, &start.Begin, &r.First, &r.Next, &r.Block, &r.At, &r.Data)
			return r, err
		})
		return err
	})
	return start, rows, err
}

// pagesOfChunks reads the chunks from one to another, both included, in
// statements of their own. Each page but the first begins with the chunk that
// the one before ended with.
func (s *Store) pagesOfChunks(ctx context.Context, from, to int64) iter.Seq2[sqlstore.Row, error] {
	size := manyChunks
	return pages(func() (rows []sqlstore.Row, more bool, err error) {
		err = s.read(ctx, func(c *pgxpool.Conn) error {
			rows, err = chunksOf(ctx, c, selectChunks, from, to, size)
			return err
		})
		if len(rows) > 0 {
			from = rows[len(rows)-1].First
		}
		return rows, len(rows) == size, err
	})
}

// pages gives the rows of each page, one by one.
func pages[T any](read func() (rows []T, more bool, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for more := true; more; {
			var rows []T
			var err error
			if rows, more, err = read(); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// chunksOf runs a query for rows of chunks.
func chunksOf(ctx context.Context, q querier, query string, args ...any) ([]sqlstore.Row, error) {
	found, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (sqlstore.Row, error) {
		var r sqlstore.Row
		err := row.Scan(&r.First, &r.Next, &r.Block, &r.At, &r.Data)
		return r, err
	})
}
