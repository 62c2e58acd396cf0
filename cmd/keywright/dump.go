package main

import (
	"context"
	"fmt"
	"time"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/storage"
)

type dumpCommand struct {
	storageConfig `embed:""`
}

// Run writes the dump to the standard output.
func (c *dumpCommand) Run(ctx context.Context, p *program) error {
	began := time.Now()
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	return c.withStore(ctx, p.settings, func(store storage.Store) error {
		t := newTeller(p.stderr)
		t.person = t.person && !isPipe(p.stdout) // of a terminal line, load has the better use
		done, err := dump.Write(ctx, store, p.stdout, t.step)
		t.end()
		if err != nil {
			return p.settings.problem("storage", "%w", err)
		}
		fmt.Fprintf(p.stderr, "keywright: dumped %s in %.1f s\n", &done, time.Since(began).Seconds())
		return nil
	})
}

// step tells how far a dump or a load is.
func (t *teller) step(s dump.Step) { t.say(s.What, s.Done, s.Total) }
