package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"

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
		m, err := s.mergeChunks(ctx, c, q)
		if err != nil {
			return err
		}
		defer m.close()
		page, err = m.page(ctx, q)
		return err
	})
	if err != nil {
		return storage.EntryPage{}, err
	}
	return page, nil
}

// chunkMerge puts scans of chunks into one order.
type chunkMerge struct {
	merge[int64]
	conn   *conn
	codec  *codec
	newest bool
}

func (s *Store) mergeChunks(ctx context.Context, c *conn, q storage.EntryQuery) (*chunkMerge, error) {
	m := &chunkMerge{conn: c, codec: s.codec, newest: q.Newest}
	m.at = func(cur *cursor) int64 { return number(cur.values[0]) }
	m.before = func(a, b int64) bool { return a != b && q.Newest == (a > b) }
	low, high, err := chunkRange(c, q)
	if err != nil {
		return nil, err
	}
	query, all := tagged, [][]driver.Value{}
	tags := tagsFor(q.Filter)
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
		cur, err := c.query(ctx, query, args...)
		if err == nil {
			err = m.add(cur)
		}
		if err != nil {
			m.close()
			return nil, err
		}
	}
	return m, nil
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

// page takes what matches, one more than are asked for.
func (m *chunkMerge) page(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	var found []storage.Logged
	for len(found) <= q.First {
		first, ok, err := m.next()
		if err != nil {
			return storage.EntryPage{}, err
		}
		if !ok {
			return storage.EntryPage{Entries: found}, nil
		}
		if err := ctx.Err(); err != nil {
			return storage.EntryPage{}, err
		}
		logged, err := m.read(first)
		if err != nil {
			return storage.EntryPage{}, err
		}
		for _, e := range logged {
			behind := q.After == nil || q.Newest && e.Index < *q.After || !q.Newest && e.Index > *q.After
			if behind && q.Filter.Matches(e) {
				found = append(found, e)
			}
		}
	}
	return storage.EntryPage{Entries: found[:q.First], More: true}, nil
}

// read gives the entries of a chunk in the order asked for.
func (m *chunkMerge) read(first int64) ([]storage.Logged, error) {
	row, _, err := m.conn.one(selectChunk, first)
	if err != nil {
		return nil, err
	}
	c, err := m.codec.readChunk(row)
	if err != nil {
		return nil, err
	}
	entries, err := c.entries()
	if err != nil {
		return nil, damagedAt(first, err)
	}
	logged := make([]storage.Logged, len(entries))
	for i, e := range entries {
		logged[i] = e.Logged
	}
	if m.newest {
		slices.Reverse(logged)
	}
	return logged, nil
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
