package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/resolvers"
	"github.com/keywright/keywright/resolvers/wire"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/server"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// rooms are the parts of the server that cmd wires.
type rooms struct {
	store      storage.Store
	journal    *journal.Log
	signer     *journal.Checkpointer // nil where there is no key
	licensing  *licensing.Service
	validation *validation.Service
	scheduler  *licensing.Scheduler
	streams    *wire.Streams
	graphql    http.Handler
	log        *slog.Logger
}

func (c *config) wire(store storage.Store, secrets *secret.List, authenticate server.Authenticate, log *slog.Logger) (*rooms, error) {
	var enforcer authz.SingleAdmin // nobody may do anything
	if c.Dev {
		enforcer.Admin = authz.DevAdmin
	}
	r := &rooms{store: store, streams: wire.NewStreams(c.MaxStreams), log: log}
	r.journal = journal.NewLog(journal.Config{Store: store, Log: log, Poll: c.EventPoll})
	notices, _ := c.notices() // checked
	r.licensing = licensing.New(licensing.Config{
		Store: store, Secrets: secrets, Enforcer: enforcer, Journal: r.journal, Checkpoint: r.checkpoint, Log: log,
		KeepKeys: c.Reveal != off, ExpiryNotices: notices,
	})
	r.scheduler = &licensing.Scheduler{Licensing: r.licensing}
	r.validation = validation.New(validation.Config{
		Source:   validation.StorageSource{Licensing: r.licensing, Now: time.Now},
		Licenses: r.licensing, Secrets: secrets, Counter: store, Log: log,
		MaxStaleness: c.MaxStaleness, Refresh: c.Refresh, NoImported: c.ImportedKeys == off,
		Limits: c.limits(),
	})
	var err error
	r.graphql, err = resolvers.New(resolvers.Config{
		Licensing: r.licensing, Validation: r.validation, Enforcer: enforcer, Log: log,
		Streams: r.streams, Credential: authenticate.Credential,
	})
	return r, err
}

// checkpoint gives the last checkpoint, empty where there is none.
func (r *rooms) checkpoint() string {
	if r.signer == nil {
		return ""
	}
	return r.signer.Latest()
}

// run begins what is done beside requests: the log is moved on, followed and
// signed, what is counted is written down, what is due is announced, and what is old is
// swept out. What it gives ends that, once the last counts are written. It
// outlives ctx, since requests do.
func (r *rooms) run(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { r.journal.Run(ctx) })
	if r.signer != nil {
		running.Go(func() { r.signer.Run(ctx) })
	}
	running.Go(func() { r.validation.Run(ctx) })
	running.Go(func() { r.licensing.RunDenials(ctx) })
	running.Go(func() { r.scheduler.Run(ctx) })
	running.Go(func() { sweep(ctx, r.store, r.log) })
	return func() {
		cancel()
		running.Wait()
	}
}

// ready fails where storage cannot answer, or the log in it is not the one that
// this server knows or has signed.
func (r *rooms) ready(ctx context.Context) error {
	if err := ready(ctx, r.store); err != nil {
		return err
	}
	if r.signer != nil {
		if err := r.signer.Ready(ctx); err != nil {
			return err
		}
	}
	return r.journal.Ready(ctx)
}
