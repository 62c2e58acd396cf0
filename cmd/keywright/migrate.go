package main

import (
	"context"
	"errors"
	"fmt"
)

type migrateCommand struct {
	storageConfig `embed:""`
}

// Run brings the schema of the storage up to date.
func (c *migrateCommand) Run(ctx context.Context, p *program) (err error) {
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	store, err := stores().Open(ctx, c.Storage)
	if err != nil {
		return p.settings.problem("storage", "%w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Migrate(ctx); err != nil {
		return p.settings.problem("storage", "%w", err)
	}
	_, err = fmt.Fprintln(p.stdout, "The storage has the schema of this program.")
	return err
}
