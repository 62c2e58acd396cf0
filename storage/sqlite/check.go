package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"github.com/keywright/keywright/storage"
)

const (
	countChunks  = "SELECT count(*) FROM chunk"
	selectTags   = "SELECT hash, chunk FROM tag"
	selectTagsOf = "SELECT hash, chunk FROM tag WHERE chunk >= ? AND chunk <= ?" // reads all, and gives few
)

// CheckEntries implements storage.Journal, in one snapshot. Chunks are read in
// their order and tags in theirs; to look each of one up in the other would
// read pages in no order. So they are summed up, and compared one by one only
// in the first span of chunks whose sums differ.
//
// That SQLite finds a row by its key, and by an index over a column, is left to
// SQLite (PRAGMA integrity_check).
func (s *Store) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	return s.checkEntries(ctx, maxSpans)
}

func (s *Store) checkEntries(ctx context.Context, spans int64) (*storage.Misfit, error) {
	var found *storage.Misfit
	err := s.snapshot(ctx, func(c *conn) error {
		chunks, err := numberBy(c, countChunks)
		if err != nil {
			return err
		}
		k := &entryCheck{conn: c, codec: s.codec, sums: newTagSums(chunks, spans)}
		found, err = k.run(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// entryCheck is a check under way.
type entryCheck struct {
	conn  *conn
	codec *codec
	sums  *tagSums
	tags  []int64 // of a chunk, for the memory
	next  int64   // behind the chunk before
	block int64   // the last that has begun
	at    int64   // when that was made
	found *storage.Misfit
}

func (k *entryCheck) run(ctx context.Context) (*storage.Misfit, error) {
	if err := k.chunks(ctx, math.MinInt64, math.MaxInt64, k.sumUp); err != nil {
		return nil, err
	}
	var stray *storage.Misfit
	err := k.tagged(ctx, func(t tagRow) {
		if !k.sums.take(t) && (stray == nil || t.chunk < stray.Index) {
			stray = leadsNowhere(t.chunk)
		}
	}, selectTags)
	if err != nil {
		return nil, err
	}
	if first, last, differ := k.sums.differ(); differ && (k.found == nil || first <= k.found.Index) {
		if err := k.compare(ctx, first, last); err != nil {
			return nil, err
		}
		if k.found == nil { // a row that is there twice, say
			k.wrong(first, "storage does not say as it should what is found from here on: it was changed")
		}
	}
	if stray != nil && (k.found == nil || stray.Index >= 0) {
		k.wrong(stray.Index, stray.Problem)
	}
	return k.found, nil
}

// wrong keeps the first that is wrong.
func (k *entryCheck) wrong(index int64, problem string) {
	if k.found == nil || index < k.found.Index {
		k.found = &storage.Misfit{Index: index, Problem: problem}
	}
}

func leadsNowhere(chunk int64) *storage.Misfit {
	if chunk < 0 {
		return &storage.Misfit{Index: chunk, Problem: "storage says that something is found before entry 0, with which the log begins: it was changed"}
	}
	return &storage.Misfit{Index: chunk, Problem: "storage says that something is found here, and keeps no entries that begin here: it was changed"}
}

// chunks reads the chunks from one to another, both included.
func (k *entryCheck) chunks(ctx context.Context, from, to int64, each func(*chunk, []placed) error) error {
	cur, err := k.conn.query(ctx, selectChunks, from)
	if err != nil {
		return err
	}
	defer cur.close()
	for {
		ok, err := cur.next()
		if err != nil || !ok || number(cur.values[0]) > to {
			return err
		}
		c, err := k.codec.readChunk(cur.values)
		if err != nil {
			return err
		}
		all, err := c.entries()
		if err != nil {
			return damagedAt(c.first, err)
		}
		if err := each(c, all); err != nil {
			return err
		}
	}
}

// tagRow is a row of the table of tags.
type tagRow struct{ hash, chunk int64 }

// tagged reads tags.
func (k *entryCheck) tagged(ctx context.Context, each func(tagRow), query string, args ...driver.Value) error {
	cur, err := k.conn.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer cur.close()
	for {
		ok, err := cur.next()
		if err != nil || !ok {
			return err
		}
		each(tagRow{number(cur.values[0]), number(cur.values[1])})
	}
}

// sumUp checks the columns of a chunk and adds its tags.
func (k *entryCheck) sumUp(c *chunk, all []placed) error {
	if c.first < 0 {
		k.wrong(c.first, "storage keeps entries before entry 0, with which the log begins: they were added")
	}
	begins := len(all) > 0 && len(all[0].head) > 0
	if !begins && (len(all) == 0 || c.first != k.next) {
		return damagedAt(c.first, errDamaged)
	}
	if begins {
		k.block, k.at = c.first, all[0].At.UnixMilli()
	}
	if c.at != k.at {
		k.wrong(c.first, "a filter by time takes it to be of another time than its block is: storage was changed")
	}
	if c.block != k.block {
		k.wrong(c.first, "storage says that its block begins where it does not: it was changed")
	}
	k.tags = k.tags[:0]
	for _, e := range all {
		k.tags = appendTags(k.tags, e.Entry)
		if len(e.head) > 0 {
			k.block, k.at = e.Index, e.At.UnixMilli()
		}
	}
	k.next = c.next
	slices.Sort(k.tags)
	k.sums.begin(c.first)
	for _, hash := range slices.Compact(k.tags) {
		k.sums.add(tagRow{hash, c.first})
	}
	return nil
}

// compare finds the first tag that is missing, or there and not of its chunk,
// in a span of chunks.
func (k *entryCheck) compare(ctx context.Context, from, to int64) error {
	missing := map[tagRow]int64{} // the first entry that has it
	ends := map[int64]int64{}     // of chunks
	err := k.chunks(ctx, from, to, func(c *chunk, all []placed) error {
		ends[c.first] = c.next
		for _, e := range slices.Backward(all) {
			for _, hash := range appendTags(nil, e.Entry) {
				missing[tagRow{hash, c.first}] = e.Index
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = k.tagged(ctx, func(t tagRow) {
		end, isChunk := ends[t.chunk]
		_, wanted := missing[t]
		delete(missing, t)
		switch {
		case !isChunk:
			stray := leadsNowhere(t.chunk)
			k.wrong(stray.Index, stray.Problem)
		case !wanted:
			k.wrong(t.chunk, fmt.Sprintf("storage says that something is found in the entries %d to %d, and none of them has it: it was changed", t.chunk, end-1))
		}
	}, selectTagsOf, from, to)
	for _, index := range missing {
		k.wrong(index, "a filter that it passes does not find it: what leads to it was deleted from storage")
	}
	return err
}
