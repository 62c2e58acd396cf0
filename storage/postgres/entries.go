package postgres

import (
	"context"
	"iter"
	"math"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	oldest = "ASC"
	newest = "DESC"

	selectRange = `SELECT (SELECT first FROM chunk WHERE at < $1 ORDER BY at DESC, first DESC LIMIT 1),
		(SELECT first FROM chunk WHERE at < $2 ORDER BY at DESC, first DESC LIMIT 1),
		(SELECT first FROM chunk WHERE first <= $3 ORDER BY first DESC LIMIT 1)`
)

func untagged(order string) string {
	return "SELECT first, next, block, at, data FROM chunk WHERE first >= $1 AND first <= $2 ORDER BY first " + order + " LIMIT $3"
}

// tagged gives the query for the first chunks that any of some tags leads to:
// the first of all those that are first of one tag. One that is not there
// counts, and has no entries: what comes behind it is not to be missed. The list
// stands in a query of its own for what statement.array says.
func tagged(order string) string {
	return `SELECT t.chunk, coalesce(c.next, t.chunk), coalesce(c.block, 0), coalesce(c.at, 0), coalesce(c.data, '') FROM (
		SELECT DISTINCT t.chunk FROM unnest((SELECT $4::bigint[])) AS h (hash) CROSS JOIN LATERAL (
			SELECT t.chunk FROM tag AS t WHERE t.hash = h.hash AND t.chunk >= $1 AND t.chunk <= $2
			ORDER BY t.chunk ` + order + ` LIMIT $3
		) AS t ORDER BY t.chunk ` + order + ` LIMIT $3
	) AS t LEFT JOIN LATERAL (SELECT * FROM chunk AS c WHERE c.first = t.chunk LIMIT 1) AS c ON true ORDER BY t.chunk ` + order
}

// Entries implements storage.Journal. It reads the chunks that tags lead to and
// takes the entries that match.
func (s *Store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := q.Check(); err != nil {
		return storage.EntryPage{}, err
	}
	span, err := s.spanOf(ctx, q)
	if err != nil {
		return storage.EntryPage{}, err
	}
	return s.codec.Page(q, s.chunksFor(ctx, q, span))
}

// chunkSpan is the chunks from one to another, both included.
type chunkSpan struct{ low, high int64 }

// spanOf gives the chunks that may have what a query asks for. Where it is from
// a time or an index on, the chunk before may have some, too.
func (s *Store) spanOf(ctx context.Context, q storage.EntryQuery) (chunkSpan, error) {
	span := chunkSpan{math.MinInt64, math.MaxInt64}
	from, to := millis(q.Filter.From), millis(q.Filter.To)
	var first *int64
	switch {
	case q.After != nil && q.Newest:
		span.high = *q.After
	case q.After != nil:
		first = new(max(*q.After, *q.After+1)) // the last of all has none behind it
	}
	if from == nil && to == nil && first == nil {
		return span, nil
	}
	var low, high, behind *int64
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		return c.QueryRow(ctx, selectRange, from, to, first).Scan(&low, &high, &behind)
	})
	if low != nil {
		span.low = *low
	}
	if behind != nil {
		span.low = max(span.low, *behind)
	}
	switch {
	case high != nil:
		span.high = min(span.high, *high)
	case to != nil:
		span.high = math.MinInt64 // nothing is before it
	}
	return span, err
}

// chunksFor reads the chunks of a span that may have what a query asks for, in
// its order. A page of them from the oldest on begins with the one that the page
// before ended with, which may have grown.
func (s *Store) chunksFor(ctx context.Context, q storage.EntryQuery, span chunkSpan) iter.Seq2[sqlstore.Row, error] {
	order, size, tags := oldest, fewChunks, sqlstore.TagsFor(q.Filter)
	if q.Newest {
		order = newest
	}
	return pages(func() (rows []sqlstore.Row, more bool, err error) {
		err = s.read(ctx, func(c *pgxpool.Conn) error {
			if tags == nil {
				rows, err = chunksOf(ctx, c, untagged(order), span.low, span.high, size)
			} else {
				rows, err = chunksOf(ctx, c, tagged(order), span.low, span.high, size, tags)
			}
			return err
		})
		if err != nil || len(rows) < size {
			return rows, false, err
		}
		last := rows[size-1].First
		if q.Newest {
			span.high = last - 1
		} else {
			span.low = last
		}
		size = manyChunks
		return rows, true, nil
	})
}
