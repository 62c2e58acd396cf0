package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/resolvers"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// rooms are the parts of the server that cmd wires.
type rooms struct {
	licensing  *licensing.Service
	validation *validation.Service
	graphql    http.Handler
}

func (c *config) wire(store storage.Store, secrets *secret.List, log *slog.Logger) (*rooms, error) {
	var enforcer authz.SingleAdmin // nobody may do anything
	if c.Dev {
		enforcer.Admin = authz.DevAdmin
	}
	r := &rooms{}
	r.licensing = licensing.New(licensing.Config{
		Store: store, Secrets: secrets, Enforcer: enforcer, Log: log, KeepKeys: c.Reveal != off,
	})
	r.validation = validation.New(validation.Config{
		Source:   validation.StorageSource{Licensing: r.licensing, Now: time.Now},
		Licenses: r.licensing, Secrets: secrets, Counter: store, Log: log,
		MaxStaleness: c.MaxStaleness, Refresh: c.Refresh, NoImported: c.ImportedKeys == off,
		Limits: c.limits(),
	})
	var err error
	r.graphql, err = resolvers.New(resolvers.Config{
		Licensing: r.licensing, Validation: r.validation, Enforcer: enforcer, Log: log,
	})
	return r, err
}

// count begins to write down what is counted. What it gives writes the rest
// down and ends it: it outlives ctx, since requests do.
func (r *rooms) count(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.validation.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}
