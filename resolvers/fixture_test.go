package resolvers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/resolvers"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

const (
	asksGraphQL = "application/graphql-response+json"
	asksJSON    = "application/json"
)

// Who calls, by the credential that a request brings.
const (
	nobody  = ""
	admin   = "Bearer canary-token-of-admin"
	limited = "Bearer canary-token-of-limited"
)

var limitedActor = actor.Actor{Kind: actor.Token, ID: "tok_limited"}

// store is a model that a test may have fail.
type store struct {
	*storagetest.Model
	fails atomic.Pointer[func() error]
	stuck atomic.Bool // reads wait for the end of their context
}

func (s *store) failing(with func() error) { s.fails.Store(&with) }

func (s *store) fail() error {
	if with := s.fails.Load(); with != nil {
		return (*with)()
	}
	return nil
}

// failCalmly is for what is called beside a resolver's goroutine, where a panic
// ends the program.
func (s *store) failCalmly() (err error) {
	defer func() {
		if recover() != nil {
			err = fault.Errorf(fault.Unavailable, "storage is unavailable")
		}
	}()
	return s.fail()
}

func (s *store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	if s.stuck.Load() {
		<-ctx.Done()
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "storage is unavailable")
	}
	if err := s.fail(); err != nil {
		return nil, err
	}
	return s.Model.Get(ctx, ids...)
}

func (s *store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if err := s.fail(); err != nil {
		return storage.Page{}, err
	}
	return s.Model.List(ctx, q)
}

func (s *store) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	return s.Model.Search(ctx, q)
}

func (s *store) Commit(ctx context.Context, c storage.Change) error {
	if err := s.fail(); err != nil {
		return err
	}
	return s.Model.Commit(ctx, c)
}

func (s *store) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	if err := s.failCalmly(); err != nil {
		return err
	}
	return s.Model.AddUsage(ctx, deltas)
}

func (s *store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	if err := s.failCalmly(); err != nil {
		return nil, err
	}
	return s.Model.Pending(ctx, limit)
}

func (s *store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	if err := s.failCalmly(); err != nil {
		return nil, err
	}
	return s.Model.Blocks(ctx, from, limit)
}

func (s *store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := s.fail(); err != nil {
		return storage.EntryPage{}, err
	}
	return s.Model.Entries(ctx, q)
}

// policy lets the admin do everything, and limitedActor what it says.
type policy map[authz.Action]authz.Scope

func (p policy) Scope(_ context.Context, a actor.Actor, action authz.Action) authz.Scope {
	if a == authz.DevAdmin {
		return authz.AllProducts()
	}
	return p[action]
}

// logs are what the server wrote.
type logs struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// api is the real handler over real use-cases, behind a server.
type api struct {
	url        string
	config     resolvers.Config
	handler    http.Handler
	store      *store
	logs       *logs
	policy     policy
	journal    *journal.Log
	validation *validation.Service
}

func newAPI(t testing.TB) *api {
	t.Helper()
	p := policy{}
	a := newAPIUnder(t, p)
	a.policy = p
	return a
}

func newAPIUnder(t testing.TB, enforcer authz.Enforcer) *api {
	t.Helper()
	a := newHandler(t, enforcer)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx, good := credential(r.Context(), r.Header.Get("Authorization")); good {
			r = r.WithContext(ctx)
		}
		a.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func credential(ctx context.Context, header string) (context.Context, bool) {
	switch header {
	case admin:
		return actor.With(ctx, authz.DevAdmin), true
	case limited:
		return actor.With(ctx, limitedActor), true
	}
	return nil, false
}

// newHandler makes an api without a server.
func newHandler(t testing.TB, enforcer authz.Enforcer) *api {
	t.Helper()
	a := &api{store: &store{Model: storagetest.NewModel()}, logs: &logs{}}
	text, err := secret.New(rand.Reader)
	ok(t, err)
	secrets, err := secret.Parse([]byte(text))
	ok(t, err)
	log := slog.New(slog.NewJSONHandler(a.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a.journal = journal.NewLog(journal.Config{Store: a.store})
	uses := licensing.New(licensing.Config{Store: a.store, Secrets: secrets, Enforcer: enforcer, Journal: a.journal, Log: log, KeepKeys: true})
	a.validation = validation.New(validation.Config{
		Source:   validation.StorageSource{Licensing: uses, Now: time.Now},
		Licenses: uses, Secrets: secrets, Counter: a.store, Log: log,
	})
	a.config = resolvers.Config{
		Licensing: uses, Validation: a.validation, Enforcer: enforcer, Log: log, Credential: credential,
	}
	a.handler, err = resolvers.New(a.config)
	ok(t, err)
	return a
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	members map[string]json.RawMessage
	Data    map[string]any `json:"data"`
	Errors  []problem      `json:"errors"`
}

type problem struct {
	Message    string
	Path       []any
	Locations  []struct{ Line, Column int }
	Extensions map[string]any
}

// do sends a request. Every answer is a JSON object.
func do(t testing.TB, r *http.Request) *answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ok(t, err)
	a := &answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if r.Method == http.MethodHead {
		return a
	}
	if err := json.Unmarshal(body, a); err != nil {
		t.Fatalf("%d %s: %v", a.status, body, err)
	}
	ok(t, json.Unmarshal(body, &a.members))
	return a
}

// request makes a request of the body.
func (a *api) request(t testing.TB, as, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.url, strings.NewReader(body))
	ok(t, err)
	r.Header.Set("Content-Type", asksJSON)
	r.Header.Set("Accept", asksGraphQL)
	if as != nobody {
		r.Header.Set("Authorization", as)
	}
	return r
}

// ask sends a document with variables, given as name, value and so on.
func (a *api) ask(t testing.TB, as, document string, variables ...any) *answer {
	t.Helper()
	return do(t, a.request(t, as, asked(t, document, variables...)))
}

// asked is the body of a request.
func asked(t testing.TB, document string, variables ...any) string {
	t.Helper()
	members := map[string]any{}
	for i := 0; i < len(variables); i += 2 {
		members[variables[i].(string)] = variables[i+1]
	}
	body, err := json.Marshal(map[string]any{"query": document, "variables": members})
	ok(t, err)
	return string(body)
}

// must asks as the admin, and fails where there is an error.
func (a *api) must(t testing.TB, document string, variables ...any) map[string]any {
	t.Helper()
	got := a.ask(t, admin, document, variables...)
	if got.status != http.StatusOK || len(got.Errors) > 0 {
		t.Fatalf("%s: %d %s", document, got.status, got.body)
	}
	return got.Data
}

// catalog makes a product acme with a plan pro.
func (a *api) catalog(t testing.TB) {
	t.Helper()
	a.must(t, `mutation { createProduct(input: {code: "acme", name: "Acme", keyPrefix: "ACME"}) { product { id } } }`)
	a.must(t, `mutation { createPlan(input: {product: "acme", code: "pro", name: "Pro", duration: "P1Y", requireProduct: false}) { plan { id } } }`)
}

// issue makes a license under acme/pro, and gives its id and key.
func (a *api) issue(t testing.TB) (id, key string) {
	t.Helper()
	made := a.must(t, `mutation { issueLicense(input: {plan: "acme/pro"}) { key license { id } } }`)["issueLicense"].(map[string]any)
	return made["license"].(map[string]any)["id"].(string), made["key"].(string)
}

// extensions lists the extensions of each error.
func (a *answer) extensions() []map[string]any {
	var all []map[string]any
	for _, e := range a.Errors {
		all = append(all, e.Extensions)
	}
	return all
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
