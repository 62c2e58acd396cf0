package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/storage/storagetest"
)

// connections is how many clients ask at once.
const connections = 32

// licenses is how many licenses are validated in turn.
const licenses = 1_000

const validateQuery = `query($input: ValidateInput!) { validate(input: $input) { valid code reasons { code message } ` +
	`license { id planCode expiresAt entitlements { code } } at asOf stale refreshAt goodUntil } }`

// validate measures validate over GraphQL against a bare handler that decodes
// {key, fingerprint} by encoding/json, makes the same lookup with the same
// pooled HMAC, reads the same three records and encodes an answer of about
// equal size.
func (b bench) validate(ctx context.Context) error {
	w, err := wireNew(ctx, filepath.Join(b.dir, "validate.db"))
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	keys, err := w.keys(ctx, licenses)
	if err != nil {
		return err
	}
	ours := func(n int) string {
		return fmt.Sprintf(`{"query":%q,"variables":{"input":{"key":%q,"product":%q,"fingerprint":"machine-1"}}}`, validateQuery, keys[n%licenses], product)
	}
	theirs := func(n int) string {
		return fmt.Sprintf(`{"key":%q,"fingerprint":"machine-1"}`, keys[n%licenses])
	}
	const good = `"valid":true`
	bare := bareHandler{w}
	heading("validate, 1,000 licenses, from storage (the cache is still to come)")
	for _, way := range []struct {
		name    string
		measure func(name string, h http.Handler, body func(int) string) (storagetest.Figure, error)
	}{
		{"in process, 1 caller", func(name string, h http.Handler, body func(int) string) (storagetest.Figure, error) {
			return inProcess(ctx, name, h, 1, b.count, body, good)
		}},
		{"over HTTP, 32 connections", func(name string, h http.Handler, body func(int) string) (storagetest.Figure, error) {
			return load(ctx, name, h, connections, b.count, body, good)
		}},
	} {
		reference, err := way.measure("bare handler, "+way.name, bare, theirs)
		if err != nil {
			return err
		}
		row(reference, "")
		f, err := way.measure("GraphQL, "+way.name, w.handler, ours)
		if err != nil {
			return err
		}
		row(f, times(f, reference))
	}
	return nil
}

// inProcess calls a handler without a network: what is measured is the
// server's own work.
func inProcess(ctx context.Context, name string, h http.Handler, callers, count int, body func(int) string, want string) (storagetest.Figure, error) {
	runtime.GC()
	return storagetest.Measure(ctx, name, callers, count, func(ctx context.Context, n int) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(body(n)))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if !strings.Contains(recorder.Body.String(), want) {
			return fmt.Errorf("the handler answered %d %s", recorder.Code, recorder.Body.String())
		}
		return nil
	})
}

// bareHandler is the least that could answer the same question.
type bareHandler struct{ *wired }

func (b bareHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Key, Fingerprint string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	lookup := b.secrets.First().Lookup(key.Read(in.Key, nil).Key.Data())
	found, err := b.store.Get(r.Context(), license.LicenseID(lookup[:]))
	if err != nil || found[0] == nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if _, err := b.store.Get(r.Context(), found[0].Index.Plan, found[0].Index.Product); err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"valid": true, "code": "VALID", "license": found[0].ID, "at": found[0].Index.Created,
		"filling": strings.Repeat("x", 250),
	})
}
