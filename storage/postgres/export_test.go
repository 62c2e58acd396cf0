package postgres

import (
	"context"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

// HoldAll takes all connections of the pool until release is called.
func HoldAll(ctx context.Context, s storage.Store) (release func()) {
	pool := s.(*Store).pool
	var held []*pgxpool.Conn
	for range pool.Config().MaxConns {
		c, err := pool.Acquire(ctx)
		if err != nil {
			panic(err)
		}
		held = append(held, c)
	}
	return func() {
		for _, c := range held {
			c.Release()
		}
	}
}

// OpenNoticing opens a store that notices within a time that its server is gone.
func OpenNoticing(ctx context.Context, u *url.URL, silence time.Duration) (storage.Store, error) {
	config, err := configOf(u)
	if err != nil {
		return nil, err
	}
	notice(config, silence)
	return open(ctx, config)
}

// EndConnections ends all other connections to a database.
func EndConnections(ctx context.Context, databaseURL string) error {
	c, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	return err
}

// Unnamed reports whether statements are prepared under no name.
func Unnamed(s storage.Store) bool { return s.(*Store).unnamed.Load() }
