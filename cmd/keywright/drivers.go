package main

import (
	"github.com/keywright/keywright/internal/openurl"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
)

// stores is the only list of storage drivers.
func stores() *openurl.Mux[storage.Store] {
	m := &openurl.Mux[storage.Store]{}
	m.Handle("sqlite", sqlite.Open)
	return m
}
