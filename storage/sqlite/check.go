package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

const (
	countChunks  = "SELECT count(*) FROM chunk"
	selectTags   = "SELECT hash, chunk FROM tag"
	selectTagsOf = "SELECT hash, chunk FROM tag WHERE chunk >= ? AND chunk <= ?" // reads all, and gives few
)

// CheckEntries implements storage.Journal, in one snapshot.
//
// That SQLite finds a row by its key, and by an index over a column, is left to
// SQLite (PRAGMA integrity_check).
func (s *Store) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	return s.checkEntries(ctx, sqlstore.MaxSpans)
}

func (s *Store) checkEntries(ctx context.Context, spans int64) (*storage.Misfit, error) {
	var found *storage.Misfit
	err := s.snapshot(ctx, func(c *conn) error {
		var err error
		found, err = s.codec.Check(storedLog{ctx, c}, spans)
		return err
	})
	return found, err
}

// storedLog is the log in a snapshot. It implements sqlstore.Log.
type storedLog struct {
	ctx  context.Context // of the one call
	conn *conn
}

func (l storedLog) Count() (int64, error) { return numberBy(l.conn, countChunks) }

func (l storedLog) Chunks(from, to int64) iter.Seq2[sqlstore.Row, error] {
	return l.conn.chunks(l.ctx, from, to)
}

func (l storedLog) Tags() iter.Seq2[sqlstore.Tag, error] { return l.tags(selectTags) }

func (l storedLog) TagsOf(from, to int64) iter.Seq2[sqlstore.Tag, error] {
	return l.tags(selectTagsOf, from, to)
}

func (l storedLog) tags(query string, args ...driver.Value) iter.Seq2[sqlstore.Tag, error] {
	return func(yield func(sqlstore.Tag, error) bool) {
		for row, err := range l.conn.rows(l.ctx, query, args...) {
			if err != nil {
				yield(sqlstore.Tag{}, err)
				return
			}
			if !yield(sqlstore.Tag{Hash: number(row[0]), Chunk: number(row[1])}, nil) {
				return
			}
		}
	}
}
