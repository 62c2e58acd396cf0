package main

import (
	"context"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/internal/openurl"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/sqlite"
)

// stores is the only list of storage drivers.
func stores() *openurl.Mux[storage.Store] {
	m := &openurl.Mux[storage.Store]{}
	m.Handle("sqlite", sqlite.Open)
	m.Handle("postgres", postgres.Open)
	m.Handle("postgresql", postgres.Open)
	m.Handle("mongodb", mongodb.Open)
	m.Handle("mongodb+srv", mongodb.Open)
	return m
}

// ready fails where a store cannot answer, or is not whole.
func ready(ctx context.Context, store storage.Store) error {
	if err := store.Ready(ctx); err != nil {
		return err
	}
	return dump.Unfinished(ctx, store)
}
