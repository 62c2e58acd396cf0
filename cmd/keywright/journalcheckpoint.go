package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

type journalCheckpointCommand struct {
	storageConfig    `embed:""`
	checkpointConfig `embed:""`

	Public bool `once:"" help:"Print the verifier key instead, which verifiers pin."`
}

// Run signs a checkpoint, or gives the key that verifies it.
func (c *journalCheckpointCommand) Run(ctx context.Context, p *program) error {
	bad := &problems{settings: p.settings}
	if c.CheckpointKey == "" {
		bad.add("checkpointKey", "not set; name the file of a private key, made by (umask 077; openssl genpkey -algorithm ed25519 -out FILE)")
	}
	if !c.Public {
		c.checkStorage(bad)
	}
	if err := bad.err(); err != nil {
		return err
	}
	key, err := c.checkpointKey(p.settings)
	if err != nil {
		return err
	}
	if c.Public {
		_, err := fmt.Fprintln(p.stdout, key.Verifier())
		return err
	}
	return c.withStore(ctx, p.settings, func(store storage.Store) error {
		signer := journal.NewCheckpointer(journal.CheckpointerConfig{
			Store: store, Key: key, File: c.CheckpointFile, Log: slog.New(slog.DiscardHandler),
		})
		note, err := signer.SignNow(ctx)
		switch {
		case err != nil:
			return err
		case note == "":
			return errors.New("the journal has no entries yet")
		}
		_, err = fmt.Fprint(p.stdout, note)
		return err
	})
}
