package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	countChunks  = "SELECT count(*) FROM chunk"
	selectTags   = "SELECT hash, chunk FROM tag"
	selectTagsOf = "SELECT hash, chunk FROM tag WHERE chunk >= $1 AND chunk <= $2" // reads all, and gives few
)

// CheckEntries implements storage.Journal, in one snapshot. While that lasts
// vacuum removes nothing that was deleted since.
//
// That PostgreSQL finds a row by its key, and by an index over a column, is left
// to PostgreSQL (amcheck).
func (s *Store) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	return s.checkEntries(ctx, sqlstore.MaxSpans)
}

func (s *Store) checkEntries(ctx context.Context, spans int64) (*storage.Misfit, error) {
	var found *storage.Misfit
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		var err error
		found, err = s.codec.Check(storedLog{ctx, tx}, spans)
		return err
	})
	return found, err
}

// storedLog is the log in a snapshot. It implements sqlstore.Log.
type storedLog struct {
	ctx context.Context // of the one call
	tx  pgx.Tx
}

func (l storedLog) Count() (int64, error) {
	var count int64
	err := l.tx.QueryRow(l.ctx, countChunks).Scan(&count)
	return count, err
}

func (l storedLog) Chunks(from, to int64) iter.Seq2[sqlstore.Row, error] {
	return pages(func() (rows []sqlstore.Row, more bool, err error) {
		rows, err = chunksOf(l.ctx, l.tx, selectChunks, from, to, manyChunks)
		if len(rows) > 0 {
			from = rows[len(rows)-1].First + 1
		}
		return rows, len(rows) == manyChunks, err
	})
}

func (l storedLog) Tags() iter.Seq2[sqlstore.Tag, error] { return l.tags(selectTags) }

func (l storedLog) TagsOf(from, to int64) iter.Seq2[sqlstore.Tag, error] {
	return l.tags(selectTagsOf, from, to)
}

func (l storedLog) tags(query string, args ...any) iter.Seq2[sqlstore.Tag, error] {
	return func(yield func(sqlstore.Tag, error) bool) {
		rows, err := l.tx.Query(l.ctx, query, args...)
		if err != nil {
			yield(sqlstore.Tag{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var t sqlstore.Tag
			if err := rows.Scan(&t.Hash, &t.Chunk); err != nil {
				yield(sqlstore.Tag{}, err)
				return
			}
			if !yield(t, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(sqlstore.Tag{}, err)
		}
	}
}
