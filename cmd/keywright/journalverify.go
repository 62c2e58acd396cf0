package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

type journalVerifyCommand struct {
	storageConfig    `embed:""`
	secretConfig     `embed:""`
	checkpointConfig `embed:""`
	notesConfig      `embed:""`

	Checkpoint []string `once:"" sep:"none" placeholder:"FILE" help:"Checkpoints that the journal must continue: notes, or lines of a server's standard output. May be given more than once. By default those of checkpointFile. Where they have seen more than a restored backup left, the exit code is 3."`
	Records    bool     `once:"" help:"Compare each product, plan and license with its last entry too. This needs the secrets."`
}

// Run verifies the journal, and says so in one line. What a restoration took
// from it is an error with a code of its own, and does not hide that the rest
// is whole.
func (c *journalVerifyCommand) Run(ctx context.Context, p *program) error {
	began := time.Now()
	bad := &problems{settings: p.settings}
	c.checkStorage(bad)
	if c.Records {
		c.checkSecrets(bad)
	}
	if err := bad.err(); err != nil {
		return err
	}
	var v journal.Verification
	notes, err := c.notes(p.settings, &c.checkpointConfig, c.Checkpoint)
	if err != nil {
		return err
	}
	for _, n := range notes {
		v.Checkpoints = append(v.Checkpoints, n.Checkpoint)
	}
	if c.Records {
		if v.Secrets, err = c.secrets(p.settings); err != nil {
			return err
		}
	}
	return c.withStore(ctx, p.settings, func(store storage.Store) error {
		v.Store = store
		if c.Records {
			v.Records = store
		}
		var end func()
		v.Progress, end = progress(p.stderr)
		report, err := journal.Verify(ctx, v)
		end()
		for _, u := range report.Unreadable {
			fmt.Fprintf(p.stderr, "keywright: entry %d is as it was logged, but cannot be decoded: %v\n", u.Index, u.Err)
		}
		if more := report.Unread - int64(len(report.Unreadable)); more > 0 {
			fmt.Fprintf(p.stderr, "keywright: and %d more cannot be decoded\n", more)
		}
		if err != nil && exitCode(err) != exitRestored {
			return err
		}
		_, broken := fmt.Fprintf(p.stdout, "%s Verified in %.1f s.\n", report, time.Since(began).Seconds())
		return errors.Join(err, broken)
	})
}
