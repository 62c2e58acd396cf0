package sqlite

import (
	"context"

	"github.com/keywright/keywright/storage"
)

// Pending implements storage.Journal.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	panic("to be built")
}

// Settle implements storage.Journal.
func (s *Store) Settle(ctx context.Context, entries []storage.Pending) error { panic("to be built") }

// AppendBlock implements storage.Journal.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error { panic("to be built") }

// Blocks implements storage.Journal.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	panic("to be built")
}

// Entries implements storage.Journal.
func (s *Store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	panic("to be built")
}
