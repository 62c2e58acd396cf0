package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// logChannel is notified of each block, without a payload.
const logChannel = "keywright_log"

const (
	chunkUpTo = "SELECT first, next, block, at, data FROM chunk WHERE first <= $1 ORDER BY first DESC LIMIT 1"

	// Appenders take turns. The lock ends with the transaction, which is one
	// round trip: no client holds it.
	lockLog = "SELECT pg_advisory_xact_lock(hashtextextended('keywright log ' || current_schema(), 0))"

	// A block is written if the log up to it still is as it was read. A row of
	// the answer says so.
	insertBlock = `WITH unchanged AS MATERIALIZED (
			SELECT WHERE (SELECT next FROM chunk WHERE first <= $1 ORDER BY first DESC LIMIT 1) IS NOT DISTINCT FROM $2
		), grown AS (
			UPDATE chunk SET next = $4, data = $5 WHERE first = $3 AND EXISTS (SELECT FROM unchanged)
		), added AS (
			INSERT INTO chunk (first, next, block, at, data)
			SELECT a.* FROM unchanged, unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[]) AS a
		), tagged AS (
			INSERT INTO tag (hash, chunk) SELECT t.* FROM unchanged, unnest($11::bigint[], $12::bigint[]) AS t ON CONFLICT DO NOTHING
		)
		SELECT pg_notify('` + logChannel + `', '') FROM unchanged`
)

// AppendBlock implements storage.Journal. It packs the block by what it has
// read, without a lock, and begins anew where another has appended meanwhile.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	for {
		before, err := s.chunkUpTo(ctx, b.First)
		if err != nil {
			return err
		}
		if before != nil && b.First < before.Next {
			return sqlstore.Taken(b.First)
		}
		w := blockWrite{first: b.First}
		last := before
		if before != nil {
			w.next = &before.Next
			if before.Next != b.First || !before.HasRoom() {
				last = nil
			}
		}
		if w.chunks, err = s.codec.Add(last, b); err != nil {
			return err
		}
		if written, err := s.writeBlock(ctx, w); written || err != nil {
			return err
		}
	}
}

// chunkUpTo gives the last chunk that begins at an index or before it, nil if
// there is none.
func (s *Store) chunkUpTo(ctx context.Context, first int64) (*sqlstore.Row, error) {
	var row sqlstore.Row
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		return c.QueryRow(ctx, chunkUpTo, first).Scan(&row.First, &row.Next, &row.Block, &row.At, &row.Data)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is none
	}
	return &row, err
}

// blockWrite is what a block changes.
type blockWrite struct {
	first  int64
	next   *int64 // behind the chunk before, as it was read
	chunks []sqlstore.Chunk
}

// writeBlock reports whether the log was as it had been read.
func (s *Store) writeBlock(ctx context.Context, w blockWrite) (written bool, err error) {
	args := w.args()
	err = s.change(ctx, func(c *pgxpool.Conn) error {
		var batch pgx.Batch
		batch.Queue(lockLog)
		batch.Queue(insertBlock, args...)
		results := c.SendBatch(ctx, &batch)
		_, err := results.Exec()
		if err == nil {
			tag, failed := results.Exec()
			written, err = tag.RowsAffected() > 0, failed
		}
		return errors.Join(err, results.Close())
	})
	if codeOf(err) == uniqueViolation { // by a chunk that begins within the block
		return false, sqlstore.Taken(w.first)
	}
	return written, err
}

// args gives the parameters of insertBlock.
func (w blockWrite) args() []any {
	var grown struct {
		first, next *int64
		data        []byte
	}
	var firsts, nexts, blocks, ats, hashes, tagged []int64
	var datas [][]byte
	for _, c := range w.chunks {
		for _, hash := range c.Tags {
			hashes, tagged = append(hashes, hash), append(tagged, c.First)
		}
		if c.Grown {
			grown.first, grown.next, grown.data = &c.First, &c.Next, c.Data
			continue
		}
		firsts, nexts, blocks, ats = append(firsts, c.First), append(nexts, c.Next), append(blocks, c.Block), append(ats, c.At)
		datas = append(datas, c.Data)
	}
	return []any{w.first, w.next, grown.first, grown.next, grown.data, firsts, nexts, blocks, ats, datas, hashes, tagged}
}
