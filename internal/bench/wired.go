package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/resolvers"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/validation"
)

// wired is a server without its program: everything behind the handler of
// /graphql, on a new SQLite database. Whoever calls is the admin.
type wired struct {
	store      storage.Store
	secrets    *secret.List
	licensing  *licensing.Service
	validation *validation.Service
	handler    http.Handler
}

func wire(ctx context.Context, path string) (*wired, error) {
	store, err := sqlite.Open(ctx, &url.URL{Scheme: "sqlite", Path: path})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	text, err := secret.New(rand.Reader)
	if err != nil {
		return nil, err
	}
	secrets, err := secret.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	log, policy := slog.New(slog.DiscardHandler), authz.SingleAdmin{Admin: authz.DevAdmin}
	w := &wired{store: store, secrets: secrets}
	w.licensing = licensing.New(licensing.Config{Store: store, Secrets: secrets, Enforcer: policy, KeepKeys: true})
	w.validation = validation.New(validation.Config{
		Source:   validation.StorageSource{Licensing: w.licensing, Now: time.Now},
		Licenses: w.licensing, Secrets: secrets, Counter: store,
	})
	graphql, err := resolvers.New(resolvers.Config{Licensing: w.licensing, Validation: w.validation, Enforcer: policy, Log: log})
	if err != nil {
		return nil, err
	}
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		graphql.ServeHTTP(rw, r.WithContext(actor.With(r.Context(), authz.DevAdmin)))
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

// issue makes a license as an order does: with a customer and a name.
func (w *wired) issue(ctx context.Context) (*licensing.IssueLicensePayload, error) {
	email, name, order := "somebody@example.com", "Somebody Somewhere", "order-10000001"
	return w.licensing.IssueLicense(actor.With(ctx, authz.DevAdmin), licensing.IssueLicenseInput{
		Plan: plan, ExternalID: &order, Customer: &licensing.CustomerInput{Email: &email, Name: &name},
	})
}
