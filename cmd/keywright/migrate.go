package main

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

type migrateCommand struct {
	storageConfig `embed:""`

	Restored bool `once:"" help:"The storage was restored from a backup: settle what its journal holds already, and begin another epoch of it. Stop all servers first, and run it once after each restoring."`
}

// Run brings the schema of the storage up to date, and the journal of a
// restored one into another epoch.
func (c *migrateCommand) Run(ctx context.Context, p *program) error {
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	return c.withMigrated(ctx, p.settings, func(store storage.Store) error {
		if _, err := fmt.Fprintln(p.stdout, "The storage has the schema of this program."); err != nil || !c.Restored {
			return err
		}
		done, err := journal.Restore(ctx, journal.Config{Store: store})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, toldOf(done))
		return err
	})
}

// toldOf says what was done to a restored storage, and what is to be done.
func toldOf(r journal.Restored) string {
	if r.Log == "" {
		return fmt.Sprintf("Its journal has no entries, so no epoch begins; %d entries are pending. Start the servers anew.", r.Pending)
	}
	return fmt.Sprintf("Its journal goes on in epoch %d behind %d entries. Of what was pending %d entries were in it and are settled, and %d are yet to be logged.\n"+
		"Start the servers anew. One that has signed a checkpoint of more than %d entries needs its checkpointFile moved away first.",
		r.Epoch, r.Size, r.Settled, r.Pending, r.Size)
}
