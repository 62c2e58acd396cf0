package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/storage"
)

type backupCommand struct {
	storageConfig `embed:""`

	File string `arg:"" help:"The file to make. It must not be there yet."`
}

// Run copies the storage, while servers serve, into a file.
func (c *backupCommand) Run(ctx context.Context, p *program) error {
	began := time.Now()
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	return c.withStore(ctx, p.settings, func(store storage.Store) error {
		copier, isFile := store.(storage.Copier)
		if !isFile {
			return p.settings.problem("storage", "%w", errors.New("it is no file that could be copied: back it up by its engine's own tools, PostgreSQL by pg_dump or pg_basebackup, MongoDB by mongodump or snapshots of its volumes"))
		}
		if err := copier.CopyTo(ctx, c.File); err != nil {
			return fmt.Errorf("backup to %s: %w", c.File, err)
		}
		_, err := fmt.Fprintf(p.stdout, "The storage is copied to %s, in %.1f s. The secrets are not in it.\n", c.File, time.Since(began).Seconds())
		return err
	})
}
