package main

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

type journalExportCommand struct {
	storageConfig    `embed:""`
	checkpointConfig `embed:""`
	notesConfig      `embed:""`

	From       int64    `once:"" placeholder:"N" help:"The index of the first entry; by default 0."`
	To         int64    `once:"" placeholder:"N" help:"The index behind the last entry; by default the end of the journal."`
	Checkpoint []string `once:"" sep:"none" placeholder:"FILE" help:"The checkpoint that vouches for the entries; of several the last is taken. By default that of checkpointFile."`
}

// Run writes the export to the standard output.
func (c *journalExportCommand) Run(ctx context.Context, p *program) error {
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if err := bad.err(); err != nil {
		return err
	}
	notes, err := c.notes(p.settings, &c.checkpointConfig, c.Checkpoint)
	if err != nil {
		return err
	}
	return c.withStore(ctx, p.settings, func(store storage.Store) error {
		x := journal.Export{Store: store, From: c.From, To: c.To, Note: lastNote(notes)}
		var end func()
		x.Progress, end = progress(p.stderr)
		done, err := x.Write(ctx, p.stdout)
		end()
		if err != nil {
			return err
		}
		switch {
		case done.Covered == 0:
			fmt.Fprintln(p.stderr, "keywright: no checkpoint vouches for these entries")
		case done.Covered < done.To:
			fmt.Fprintf(p.stderr, "keywright: the checkpoint vouches for the entries before %d; the last %d are newer\n", done.Covered, done.To-done.Covered)
		}
		return nil
	})
}
