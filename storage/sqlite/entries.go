package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"math"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	tagged      = "SELECT chunk FROM tag WHERE hash = ? AND chunk >= ? AND chunk <= ? ORDER BY chunk"
	untagged    = "SELECT first FROM chunk WHERE first >= ? AND first <= ? ORDER BY first"
	newest      = " DESC"
	chunkBefore = "SELECT first FROM chunk WHERE at < ? ORDER BY at DESC, first DESC LIMIT 1"
)

// Entries implements storage.Journal. It merges one scan for each tag, reads
// the chunks that they lead to and takes the entries that match.
func (s *Store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := q.Check(); err != nil {
		return storage.EntryPage{}, err
	}
	var page storage.EntryPage
	err := s.snapshot(ctx, func(c *conn) error {
		m := chunkMerge{conn: c}
		m.at = func(cur *cursor) int64 { return number(cur.values[0]) }
		m.before = func(a, b int64) bool { return a != b && q.Newest == (a > b) }
		defer m.close()
		err := m.begin(ctx, q)
		if err == nil {
			page, err = s.codec.Page(q, m.chunks(ctx))
		}
		return err
	})
	return page, err
}

// chunkMerge is a merge of numbers of chunks.
type chunkMerge struct {
	merge[int64]
	conn *conn
}

// begin begins the scans of a query.
func (m *chunkMerge) begin(ctx context.Context, q storage.EntryQuery) error {
	low, high, err := chunkRange(m.conn, q)
	if err != nil {
		return err
	}
	query, all := tagged, [][]driver.Value{}
	tags := sqlstore.TagsFor(q.Filter)
	for _, hash := range tags {
		all = append(all, []driver.Value{hash, low, high})
	}
	if tags == nil {
		query, all = untagged, [][]driver.Value{{low, high}}
	}
	if q.Newest {
		query += newest
	}
	for _, args := range all {
		cur, err := m.conn.query(ctx, query, args...)
		if err != nil {
			return err
		}
		if err := m.add(cur); err != nil {
			return err
		}
	}
	return nil
}

// chunkRange gives the first and the last chunk that may have what the query
// asks for. Where it is from a time or an index on, the chunk before may have
// some, too.
func chunkRange(c *conn, q storage.EntryQuery) (low, high int64, err error) {
	low, high = math.MinInt64, math.MaxInt64
	if !q.Filter.From.IsZero() {
		low, err = numberBy(c, chunkBefore, q.Filter.From.UnixMilli())
	}
	if err == nil && !q.Filter.To.IsZero() {
		high, err = numberBy(c, chunkBefore, q.Filter.To.UnixMilli())
	}
	if err != nil || q.After == nil {
		return low, high, err
	}
	if q.Newest {
		return low, min(high, *q.After), nil
	}
	behind, err := numberBy(c, chunkUpTo, max(*q.After, *q.After+1)) // the last of all has none behind it
	return max(low, behind), high, err
}

// numberBy gives a number that a query finds, or else one below all.
func numberBy(c *conn, query string, args ...driver.Value) (int64, error) {
	row, found, err := c.one(query, args...)
	if err != nil || !found {
		return math.MinInt64, err
	}
	return number(row[0]), nil
}

// chunks reads the chunks that any scan leads to, each once.
func (m *chunkMerge) chunks(ctx context.Context) iter.Seq2[sqlstore.Row, error] {
	return func(yield func(sqlstore.Row, error) bool) {
		for {
			first, ok, err := m.next()
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && !ok {
				return
			}
			var row []driver.Value
			if err == nil {
				row, _, err = m.conn.one(selectChunk, first)
			}
			if err != nil {
				yield(sqlstore.Row{}, err)
				return
			}
			if !yield(chunkOf(row), nil) {
				return
			}
		}
	}
}

// next gives the next chunk of any scan, each once.
func (m *chunkMerge) next() (int64, bool, error) {
	first := m.first()
	if first < 0 {
		return 0, false, nil
	}
	next := m.heads[first].at
	for i := len(m.heads) - 1; i >= 0; i-- {
		if m.heads[i].at == next {
			if err := m.advance(i); err != nil {
				return 0, false, err
			}
		}
	}
	return next, true, nil
}
