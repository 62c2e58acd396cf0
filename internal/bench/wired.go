package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/resolvers"
	transport "github.com/keywright/keywright/resolvers/wire"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

// wired is a server without its program: everything behind the handler of
// /graphql. Whoever calls is the admin.
type wired struct {
	store      storage.Store
	secrets    *secret.List
	licensing  *licensing.Service
	validation *validation.Service
	journal    *journal.Log // does nothing by itself until it is run
	streams    *transport.Streams
	graphql    http.Handler // for whoever calls
	handler    http.Handler
}

var discarded = slog.New(slog.DiscardHandler)

// wireNew wires a server over a new SQLite database.
func wireNew(ctx context.Context, path string) (*wired, error) {
	return wireAt(ctx, path, time.Now)
}

// wireAt is wireNew by another clock.
func wireAt(ctx context.Context, path string, now func() time.Time) (*wired, error) {
	store, err := sqlite.Open(ctx, &url.URL{Scheme: "sqlite", Path: path})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	return wire(ctx, store, now)
}

// wire wires a server over a store, and makes the catalog in it.
func wire(ctx context.Context, store storage.Store, now func() time.Time) (*wired, error) {
	text, err := secret.New(rand.Reader)
	if err != nil {
		return nil, err
	}
	secrets, err := secret.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	policy := authz.SingleAdmin{Admin: authz.DevAdmin}
	w := &wired{store: store, secrets: secrets, streams: transport.NewStreams(0)}
	w.journal = journal.NewLog(journal.Config{Store: store, Now: now})
	w.licensing = licensing.New(licensing.Config{Store: store, Secrets: secrets, Enforcer: policy, Journal: w.journal, KeepKeys: true, Now: now})
	w.validation = validation.New(validation.Config{
		Source:   validation.StorageSource{Licensing: w.licensing, Now: now},
		Licenses: w.licensing, Secrets: secrets, Counter: store, Now: now,
	})
	w.graphql, err = resolvers.New(resolvers.Config{Licensing: w.licensing, Validation: w.validation, Enforcer: policy, Log: discarded, Streams: w.streams})
	if err != nil {
		return nil, err
	}
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.graphql.ServeHTTP(rw, r.WithContext(actor.With(r.Context(), authz.DevAdmin)))
	})
	ctx = actor.With(ctx, authz.DevAdmin)
	if _, err := w.licensing.CreateProduct(ctx, licensing.CreateProductInput{Code: product, Name: "Bench", KeyPrefix: "BENCH"}); err != nil {
		return nil, err
	}
	_, err = w.licensing.CreatePlan(ctx, licensing.CreatePlanInput{
		Product: product, Code: "plan", Name: "Bench", RequireProduct: true,
		ExpiryBasis: "CREATION", RenewalBasis: "FROM_EXPIRY",
	})
	return w, err
}

// The catalog of a wired server.
const (
	product = "bench"
	plan    = "bench/plan"
)

// keys issues licenses and gives their keys.
func (w *wired) keys(ctx context.Context, count int) ([]string, error) {
	keys := make([]string, count)
	_, err := storagetest.Measure(ctx, "", connections, count, func(ctx context.Context, n int) error {
		issued, err := w.issue(ctx)
		if err == nil {
			keys[n] = issued.Key
		}
		return err
	})
	return keys, err
}

// operations are validating and issuing, by use-case.
func (w *wired) operations(ctx context.Context) ([]storagetest.Operation, error) {
	keys, err := w.keys(ctx, licenses)
	if err != nil {
		return nil, err
	}
	code, machine := product, "machine-1"
	validate := func(ctx context.Context, n int) error {
		answer, err := w.validation.Validate(ctx, validation.ValidateInput{
			Key: keys[n%licenses], Product: &code, Fingerprint: &machine,
		})
		if err == nil && !answer.Valid {
			err = errors.New("a good key is " + answer.Code)
		}
		return err
	}
	issue := func(ctx context.Context, _ int) error {
		_, err := w.issue(ctx)
		return err
	}
	return []storagetest.Operation{
		{Name: "validate, 1 caller", Callers: 1, Run: validate},
		{Name: "validate, 32 callers", Callers: 32, Run: validate},
		{Name: "issueLicense, 1 caller", Callers: 1, Run: issue},
		{Name: "issueLicense, 32 callers", Callers: 32, Run: issue},
	}, nil
}

// order asks for a license as an order does: with a customer and a name.
func order() licensing.IssueLicenseInput {
	email, name, number := "somebody@example.com", "Somebody Somewhere", "order-10000001"
	return licensing.IssueLicenseInput{
		Plan: plan, ExternalID: &number, Customer: &licensing.CustomerInput{Email: &email, Name: &name},
	}
}

func (w *wired) issue(ctx context.Context) (*licensing.IssueLicensePayload, error) {
	return w.licensing.IssueLicense(actor.With(ctx, authz.DevAdmin), order())
}
