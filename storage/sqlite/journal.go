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
	selectPending = `SELECT r.id, p.entry FROM pending AS p CROSS JOIN record AS r ON r.row = p.row
		ORDER BY p.place LIMIT ?`
	deletePending = "DELETE FROM pending WHERE id = ?"

	insertChunk = "INSERT INTO chunk (first, at, head, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
	insertTag   = "INSERT INTO tag (hash, chunk) VALUES (?, ?)"
)

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

// chunk is a row of the log with its tags.
type chunk struct {
	first int64
	head  []byte // of its block, nil but in the first of that
	data  []byte
	tags  []int64
}

// AppendBlock implements storage.Journal.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	var chunks []chunk // made before the writer's turn, which all callers wait for
	next := chunk{first: b.First, head: b.Head}
	for _, entries := range cut(b.Entries) {
		next.data, next.tags = s.codec.pack(entries), tagsOf(entries)
		chunks = append(chunks, next)
		next = chunk{first: next.first + int64(len(entries))}
	}
	return s.write(ctx, func(w *writer) error { return w.appendBlock(b, chunks) })
}

func (w *writer) appendBlock(b storage.Block, chunks []chunk) error {
	var tags []driver.Value
	for _, c := range chunks {
		added, _, err := w.conn.exec(insertChunk, c.first, b.At.UnixMilli(), c.head, c.data)
		if err != nil {
			return err
		}
		if added == 0 {
			return fault.Errorf(fault.Conflict, "the log has a block at %d", b.First)
		}
		for _, hash := range c.tags {
			tags = append(tags, hash, c.first)
		}
	}
	for some := range slices.Chunk(tags, valuesOfTag*maxInserted) {
		if _, _, err := w.conn.exec(insertTags(len(some)/valuesOfTag), some...); err != nil {
			return err
		}
	}
	return nil
}

const valuesOfTag = 2

// insertTags gives the statement that adds so many tags.
func insertTags(count int) string { return insertTag + strings.Repeat(", (?, ?)", count-1) }
