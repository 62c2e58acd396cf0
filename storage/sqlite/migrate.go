package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
)

// The schema of version n is what 1.sql to n.sql make, in their order. A file
// that was released never changes.
//
//go:embed schema/*.sql
var schema embed.FS

const currentSchema = 1

// Ready implements storage.Keeper.
func (s *Store) Ready(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		version, err := schemaVersion(c)
		if err != nil {
			return err
		}
		return sqlstore.CheckSchema(version, currentSchema)
	})
}

// Clock implements storage.Keeper. It is the clock of the machine: processes
// that share a file share that, too.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.read(ctx, func(c *conn) error {
		row, _, err := c.one("SELECT CAST(round(1000 * unixepoch('subsec')) AS INTEGER)")
		if err == nil {
			now = moment(row[0])
		}
		return err
	})
	return now, err
}

// Migrate implements storage.Keeper.
func (s *Store) Migrate(ctx context.Context) error {
	return s.write(ctx, func(w *writer) error { return w.migrate() })
}

// migrate runs inside the writer's transaction, which holds the database's
// write lock: who comes second finds the work done.
func (w *writer) migrate() error {
	version, err := schemaVersion(w.conn)
	if err != nil {
		return err
	}
	if err := sqlstore.CheckMigratable(version, currentSchema); err != nil {
		return err
	}
	if version == 0 {
		if err := w.refuseForeign(); err != nil {
			return err
		}
	}
	for v := version + 1; v <= currentSchema; v++ {
		script, err := fs.ReadFile(schema, fmt.Sprintf("schema/%d.sql", v))
		if err != nil {
			return err
		}
		if _, _, err := w.conn.exec(string(script)); err != nil {
			return fmt.Errorf("schema %d: %w", v, err)
		}
		if _, _, err := w.conn.exec(fmt.Sprintf("PRAGMA user_version = %d", v)); err != nil {
			return err
		}
	}
	return nil
}

// refuseForeign refuses a database that another program made.
func (w *writer) refuseForeign() error {
	_, found, err := w.conn.one("SELECT 1 FROM sqlite_schema")
	if err == nil && found {
		err = fault.Wrap(fault.Unavailable, errors.New("user_version is 0 and there are tables"),
			"storage is not a Keywright database")
	}
	return err
}

func schemaVersion(c *conn) (int64, error) {
	row, _, err := c.one("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	return number(row[0]), nil
}
