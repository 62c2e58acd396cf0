package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	chunkUpTo   = "SELECT first, next FROM chunk WHERE first <= ? ORDER BY first DESC LIMIT 1"
	selectChunk = "SELECT first, next, block, at, data FROM chunk WHERE first = ?"
	insertChunk = "INSERT INTO chunk (first, next, block, at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	updateChunk = "UPDATE chunk SET next = ?, data = ? WHERE first = ?"
	insertTag   = "INSERT INTO tag (hash, chunk) VALUES (?, ?)"
)

// AppendBlock implements storage.Journal.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error {
		last, err := w.roomBefore(s.codec, b.First)
		if err != nil {
			return err
		}
		for _, c := range fill(last, b) {
			if err := w.putChunk(s.codec, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// roomBefore gives the chunk that a block is to go on in, nil if it begins
// one. It fails with Conflict where the place of the block is taken.
func (w *writer) roomBefore(packing *codec, first int64) (*chunk, error) {
	row, found, err := w.conn.one(chunkUpTo, first)
	if err != nil || !found {
		return nil, err
	}
	before := chunk{first: number(row[0]), next: number(row[1])}
	switch {
	case first < before.next:
		return nil, errTaken(first)
	case first > before.next || before.full():
		return nil, nil
	}
	if row, _, err = w.conn.one(selectChunk, before.first); err != nil {
		return nil, err
	}
	c, err := packing.readChunk(row)
	if err != nil || c.full() {
		return nil, err
	}
	return c, nil
}

func errTaken(first int64) error {
	return fault.Errorf(fault.Conflict, "the log has a block at %d", first)
}

func (w *writer) putChunk(packing *codec, c *chunk) error {
	data := packing.pack(c.plain)
	if c.stored {
		if _, _, err := w.conn.exec(updateChunk, c.next, data, c.first); err != nil {
			return err
		}
	} else {
		added, _, err := w.conn.exec(insertChunk, c.first, c.next, c.block, c.at, data)
		if err != nil {
			return err
		}
		if added == 0 {
			return errTaken(c.block)
		}
	}
	return w.putTags(c)
}

const valuesOfTag = 2

// putTags adds the tags of a chunk that it has not yet.
func (w *writer) putTags(c *chunk) error {
	slices.Sort(c.tags)
	var values []driver.Value
	for _, hash := range slices.Compact(c.tags) {
		values = append(values, hash, c.first)
	}
	for some := range slices.Chunk(values, valuesOfTag*maxInserted) {
		if _, _, err := w.conn.exec(insertTags(len(some)/valuesOfTag), some...); err != nil {
			return err
		}
	}
	return nil
}

// insertTags gives the statement that adds so many tags.
func insertTags(count int) string {
	return insertTag + strings.Repeat(", (?, ?)", count-1) + " ON CONFLICT DO NOTHING"
}
