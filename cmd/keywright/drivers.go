package main

import (
	"context"
	"net/url"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/internal/openurl"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/sqlite"
)

// stores is the only list of storage drivers.
func stores() *openurl.Mux[storage.Store] {
	m := &openurl.Mux[storage.Store]{}
	m.Handle("sqlite", sqlite.Open)
	m.Handle("postgres", driver(postgres.Open))
	m.Handle("postgresql", driver(postgres.Open))
	return m
}

// ready fails where a store cannot answer, or is not whole.
func ready(ctx context.Context, store storage.Store) error {
	if err := store.Ready(ctx); err != nil {
		return err
	}
	return dump.Unfinished(ctx, store)
}

// driver gives what opens a driver's store as what opens any.
func driver[S storage.Store](open func(context.Context, *url.URL) (S, error)) func(context.Context, *url.URL) (storage.Store, error) {
	return func(ctx context.Context, u *url.URL) (storage.Store, error) {
		s, err := open(ctx, u)
		if err != nil {
			return nil, err // not s, which would be no nil
		}
		return s, nil
	}
}
