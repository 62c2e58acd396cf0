package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
	"slices"

	"github.com/keywright/keywright/storage"
)

var _ storage.Bulk = (*Store)(nil)

// Rows that are loaded in the order of their ids would each dirty a page of
// every index, and of the table of words, so that most of the file would be
// written for every transaction. In bulk the indexes are made at the end, and
// words wait for it in a table without an order: so each is sorted once.

const (
	heldIndexes = `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
		AND tbl_name IN ('record', 'pending') AND name <> 'record_id' ORDER BY name`
	createLoaded = "CREATE TABLE loaded (product INTEGER NOT NULL, text TEXT NOT NULL, row INTEGER NOT NULL) STRICT"
	sortLoaded   = "INSERT INTO word (product, text, row) SELECT product, text, row FROM loaded ORDER BY product, text, row DESC"
	dropLoaded   = "DROP TABLE loaded"
)

// forBulk sorts in files: what it sorts may be larger than memory.
const forBulk = largeCache + "&_pragma=temp_store(FILE)"

// BeginLoad implements storage.Bulk.
func (s *Store) BeginLoad(ctx context.Context) error {
	return s.write(ctx, func(w *writer) error {
		held, err := w.indexes()
		if err != nil {
			return err
		}
		for name := range held {
			if _, _, err := w.conn.exec("DROP INDEX " + name); err != nil {
				return err
			}
		}
		if _, _, err := w.conn.exec(createLoaded); err != nil {
			return err
		}
		w.held = slices.Collect(maps.Values(held))
		return nil
	})
}

// indexes gives the statements that make the indexes, by name.
func (w *writer) indexes() (map[string]string, error) {
	all := map[string]string{}
	for row, err := range w.conn.rows(context.Background(), heldIndexes) {
		if err != nil {
			return nil, err
		}
		all[text(row[0])] = text(row[1])
	}
	return all, nil
}

// EndLoad implements storage.Bulk. It writes by a connection of its own.
func (s *Store) EndLoad(ctx context.Context) error {
	var statements []string
	err := s.write(ctx, func(w *writer) error {
		statements, w.held = append(w.held, sortLoaded, dropLoaded), nil
		return nil
	})
	if err != nil {
		return err
	}
	c, err := connect(ctx, s.path, forBulk)
	if err != nil {
		return translate(err)
	}
	for _, statement := range statements {
		for _, one := range []string{statement, "PRAGMA wal_checkpoint(RESTART)"} {
			if err := c.run(ctx, one); err != nil {
				return translate(errors.Join(err, c.close()))
			}
		}
	}
	return translate(c.close())
}

// run runs a statement that may take long, and ends it with ctx.
func (c *conn) run(ctx context.Context, query string, args ...driver.Value) error {
	cur, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer cur.close()
	_, err = cur.next()
	return err
}
