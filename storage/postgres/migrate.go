package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
)

// A file that was released never changes.
//
//go:embed schema/*.sql
var schema embed.FS

const (
	currentSchema = 2

	// The table of the migrations that were applied.
	versionTable  = "keywright_schema"
	selectVersion = "SELECT coalesce(max(version_id), 0) FROM " + versionTable + " WHERE is_applied"

	// Whatever a table of ours could clash with. None where another process has
	// begun to migrate since the version was asked for.
	countTables = `SELECT count(*) FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace(current_schema()::text) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND to_regclass('` + versionTable + `') IS NULL`

	selectClock = "SELECT floor(1000 * extract(epoch FROM clock_timestamp()))::bigint"

	tryMigrations = "SELECT pg_try_advisory_xact_lock(hashtextextended('keywright ' || current_schema(), 0))"
)

// The longest time between two looks whether another has done migrating.
const lookAgain = 50 * time.Millisecond

// Ready implements storage.Keeper.
func (s *Store) Ready(ctx context.Context) error {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	return sqlstore.CheckSchema(version, currentSchema)
}

// Clock implements storage.Keeper.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var now int64
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		return c.QueryRow(ctx, selectClock).Scan(&now)
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(now).UTC(), nil
}

// schemaVersion gives 0 where there is no table of versions.
func (s *Store) schemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		err := c.QueryRow(ctx, selectVersion).Scan(&version)
		if codeOf(err) == undefinedTable {
			version, err = 0, nil
		}
		return err
	})
	return version, err
}

// Migrate implements storage.Keeper.
func (s *Store) Migrate(ctx context.Context) error {
	version, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if err := sqlstore.CheckMigratable(version, currentSchema); err != nil {
		return err
	}
	if version == 0 {
		if err := s.refuseForeign(ctx); err != nil {
			return err
		}
	}
	return translate(s.migrate(ctx))
}

// migrate applies what is missing. Each migration is a transaction.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	config := s.pool.Config().ConnConfig
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	all, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versionTable),
		goose.WithSessionLocker(&migrationLock{db: db}), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = all.Up(ctx)
	return err
}

// migrationLock holds an advisory lock by a transaction of its own, which a
// pooler leaves on one connection; a lock of the session it would not.
type migrationLock struct {
	db *sql.DB
	tx *sql.Tx
}

// SessionLock waits until nobody else migrates. It implements
// lock.SessionLocker. Who waits asks again and again: a wait for the lock would
// keep a connection from whoever has it and needs another to migrate by, and a
// pooler may have no more.
func (l *migrationLock) SessionLock(ctx context.Context, _ *sql.Conn) error {
	for {
		if err := l.try(ctx); err != nil || l.tx != nil {
			return err
		}
		if err := pause(ctx, lookAgain); err != nil {
			return err
		}
	}
}

// try sets l.tx if nobody has the lock.
func (l *migrationLock) try(ctx context.Context) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var taken bool
	err = tx.QueryRowContext(ctx, tryMigrations).Scan(&taken)
	if err != nil || !taken {
		return errors.Join(err, tx.Rollback())
	}
	l.tx = tx
	return nil
}

// SessionUnlock lets the next one migrate. It implements lock.SessionLocker.
func (l *migrationLock) SessionUnlock(context.Context, *sql.Conn) error { return l.tx.Rollback() }

// refuseForeign refuses a database that another program made.
func (s *Store) refuseForeign(ctx context.Context) error {
	return s.read(ctx, func(c *pgxpool.Conn) error {
		var tables int
		if err := c.QueryRow(ctx, countTables).Scan(&tables); err != nil || tables == 0 {
			return err
		}
		return fault.Wrap(fault.Unavailable, fmt.Errorf("%d tables and no %s", tables, versionTable), "storage is not a Keywright database")
	})
}
