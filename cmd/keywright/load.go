package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/storage"
)

type loadCommand struct {
	storageConfig `embed:""`
}

// Run reads the dump from the standard input.
func (c *loadCommand) Run(ctx context.Context, p *program) error {
	began := time.Now()
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	if isTerminal(p.stdin) {
		return errors.New("there is nothing to load: give it a dump, as in keywright dump --storage URL | keywright load --storage URL")
	}
	return c.withMigrated(ctx, p.settings, func(store storage.Store) error {
		t := newTeller(p.stderr)
		done, err := dump.Load(ctx, store, p.stdin, t.step)
		t.end()
		if err != nil {
			return p.settings.problem("storage", "%w", err)
		}
		_, err = fmt.Fprintf(p.stdout, "Loaded %s. All are there; the journal is %s, as it was; %d records were read back as they were. It took %.1f s.\n",
			&done.Counts, done.Log, done.Sampled, time.Since(began).Seconds())
		return err
	})
}
