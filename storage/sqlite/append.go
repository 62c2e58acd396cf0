package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/sqlstore"
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
		last, err := w.roomBefore(b.First)
		if err != nil {
			return err
		}
		chunks, err := s.codec.Add(last, b)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			if err := w.putChunk(c); err != nil {
				return err
			}
		}
		return nil
	})
}

// roomBefore gives the chunk that a block is to go on in, nil if it begins
// one. It fails with Conflict where the place of the block is taken.
func (w *writer) roomBefore(first int64) (*sqlstore.Row, error) {
	row, found, err := w.conn.one(chunkUpTo, first)
	if err != nil || !found {
		return nil, err
	}
	before := sqlstore.Row{First: number(row[0]), Next: number(row[1])}
	switch {
	case first < before.Next:
		return nil, sqlstore.Taken(first)
	case first > before.Next || !before.HasRoom():
		return nil, nil
	}
	if row, _, err = w.conn.one(selectChunk, before.First); err != nil {
		return nil, err
	}
	before = chunkOf(row)
	return &before, nil
}

// chunkOf reads a row of selectChunk or selectChunks.
func chunkOf(row []driver.Value) sqlstore.Row {
	return sqlstore.Row{First: number(row[0]), Next: number(row[1]), Block: number(row[2]), At: number(row[3]), Data: blob(row[4])}
}

func (w *writer) putChunk(c sqlstore.Chunk) error {
	if c.Grown {
		if _, _, err := w.conn.exec(updateChunk, c.Next, c.Data, c.First); err != nil {
			return err
		}
	} else {
		added, _, err := w.conn.exec(insertChunk, c.First, c.Next, c.Block, c.At, c.Data)
		if err != nil {
			return err
		}
		if added == 0 {
			return sqlstore.Taken(c.Block)
		}
	}
	return w.putTags(c)
}

const valuesOfTag = 2

// putTags adds the tags of a chunk that it has not yet.
func (w *writer) putTags(c sqlstore.Chunk) error {
	var values []driver.Value
	for _, hash := range c.Tags {
		values = append(values, hash, c.First)
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
