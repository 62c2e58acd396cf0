package main

import (
	"context"
	"errors"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// journalCommands look at the journal. They work while servers serve.
type journalCommands struct {
	Verify     journalVerifyCommand     `cmd:"" help:"Recompute the journal, and name the first entry that is not what was logged."`
	Export     journalExportCommand     `cmd:"" help:"Write entries as lines of JSON, with all that others need to verify them."`
	Checkpoint journalCheckpointCommand `cmd:"" help:"Sign a checkpoint of the journal as it is, and print it."`
}

// notesConfig says where checkpoints are, and who has signed them.
type notesConfig struct {
	Verifier string `placeholder:"KEY" help:"The verifier key that checkpoints must be signed by, as keywright journal checkpoint --public prints it. By default that of checkpointKey."`
}

// verifier gives the key that notes must be signed by, nil where none is
// named.
func (c *notesConfig) verifier(s *settings, checkpoints *checkpointConfig) (*journal.Verifier, error) {
	if c.Verifier != "" {
		v, err := journal.ParseVerifier(c.Verifier)
		if err != nil {
			return nil, s.problem("verifier", "%w", err)
		}
		return v, nil
	}
	key, err := checkpoints.checkpointKey(s)
	if err != nil || key == nil {
		return nil, err
	}
	return key.Verifier(), nil
}

// notes reads the files that are named, or else the one of the last
// checkpoint, if that is.
func (c *notesConfig) notes(s *settings, checkpoints *checkpointConfig, files []string) ([]journal.Note, error) {
	flag := "checkpoint"
	if len(files) == 0 && checkpoints.CheckpointFile != "" {
		flag, files = "checkpointFile", []string{checkpoints.CheckpointFile}
	}
	if len(files) == 0 {
		return nil, nil
	}
	v, err := c.verifier(s, checkpoints)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, s.problem("verifier", "not set; name the key that the checkpoint must be signed by, as keywright journal checkpoint --public prints it")
	}
	var all []journal.Note
	for _, file := range files {
		notes, err := readNotes(file, v)
		if err != nil {
			return nil, s.problem(flag, "%w", err)
		}
		all = append(all, notes...)
	}
	return all, nil
}

// withStore opens a storage that is ready for as long as do runs.
func (c *storageConfig) withStore(ctx context.Context, s *settings, do func(storage.Store) error) error {
	return c.opened(ctx, s, func(store storage.Store) error { return ready(ctx, store) }, do)
}

// withMigrated is withStore for a storage that it migrates first.
func (c *storageConfig) withMigrated(ctx context.Context, s *settings, do func(storage.Store) error) error {
	return c.opened(ctx, s, func(store storage.Store) error {
		if err := store.Migrate(ctx); err != nil {
			return err
		}
		return ready(ctx, store)
	}, do)
}

func (c *storageConfig) opened(ctx context.Context, s *settings, prepare, do func(storage.Store) error) (err error) {
	store, err := stores().Open(ctx, c.Storage)
	if err != nil {
		return s.problem("storage", "%w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := prepare(store); err != nil {
		return s.problem("storage", "%w", err)
	}
	return do(store)
}
