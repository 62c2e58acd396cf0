package licensing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/journal/journaltest"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Who calls: ada and ben may do everything unless a test says otherwise.
var (
	ada = actor.Actor{Kind: actor.User, ID: "https://login.example|ada"}
	ben = actor.Actor{Kind: actor.User, ID: "https://login.example|ben"}
)

func as(who actor.Actor) context.Context { return actor.With(context.Background(), who) }

// store is a model whose methods a test may replace. It holds each entry that
// is committed to what events.json says.
type store struct {
	*storagetest.Model
	t      testing.TB
	bulk   bool // there are too many entries to hold each
	commit func(context.Context, storage.Change) error
	get    func(context.Context, ...string) ([]*storage.Stored, error)
	list   func(context.Context, storage.Query) (storage.Page, error)
	touch  func(context.Context, []storage.Lease) ([]time.Time, error)
	broken func() error // of the journal's methods
}

func (s *store) Commit(ctx context.Context, c storage.Change) error {
	for _, e := range c.Entries {
		if !s.bulk {
			journaltest.Check(s.t, e)
		}
	}
	if s.commit != nil {
		return s.commit(ctx, c)
	}
	return s.Model.Commit(ctx, c)
}

func (s *store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	if s.get != nil {
		return s.get(ctx, ids...)
	}
	return s.Model.Get(ctx, ids...)
}

func (s *store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if s.list != nil {
		return s.list(ctx, q)
	}
	return s.Model.List(ctx, q)
}

func (s *store) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	if s.touch != nil {
		return s.touch(ctx, leases)
	}
	return s.Model.Touch(ctx, leases)
}

func (s *store) breaks() error {
	if s.broken != nil {
		return s.broken()
	}
	return nil
}

func (s *store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	if err := s.breaks(); err != nil {
		return nil, err
	}
	return s.Model.Pending(ctx, limit)
}

func (s *store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	if err := s.breaks(); err != nil {
		return nil, err
	}
	return s.Model.Blocks(ctx, from, limit)
}

func (s *store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := s.breaks(); err != nil {
		return storage.EntryPage{}, err
	}
	return s.Model.Entries(ctx, q)
}

// policy is an Enforcer.
type policy struct {
	scope func(actor.Actor, authz.Action) authz.Scope
}

func (p *policy) Scope(_ context.Context, a actor.Actor, action authz.Action) authz.Scope {
	return p.scope(a, action)
}

// allow lets everybody do these actions on the products of these codes.
func (p *policy) allow(actions []authz.Action, codes ...string) {
	p.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
		if slices.Contains(actions, action) {
			return authz.Products(codes...)
		}
		return authz.Scope{}
	}
}

// locked makes a reader or a writer safe for concurrent use.
type locked struct {
	mu     sync.Mutex
	random *rand.ChaCha8
	text   bytes.Buffer
}

func (l *locked) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.Read(b)
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The lines of secrets.
var (
	oldSecret = strings.Repeat("0f", secret.Size)
	newSecret = strings.Repeat("e1", secret.Size)
)

// shop is a Service with all that stands around it, and a product acme with a
// plan pro, which runs a year and has three machines.
type shop struct {
	*licensing.Service
	config licensing.Config
	store  *store
	policy *policy
	log    *locked
	now    time.Time // not to be moved while calls are under way
	acme   *license.Product
	pro    *licensing.PlanView
}

func newShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{store: &store{Model: storagetest.NewModel(), t: t}, log: &locked{}, now: noon, policy: &policy{}}
	s.policy.scope = func(actor.Actor, authz.Action) authz.Scope { return authz.AllProducts() }
	s.config = licensing.Config{
		Store: s.store, Enforcer: s.policy, KeepKeys: true,
		Now:    func() time.Time { return s.now },
		Random: &locked{random: rand.NewChaCha8([32]byte{7})},
		Log:    slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	s.config.Journal = journal.NewLog(journal.Config{Store: s.store, Now: s.config.Now})
	s.restart(t, oldSecret)
	s.acme = s.product(t, "acme", "ACME")
	s.pro = s.plan(t, "acme", "pro")
	return s
}

// restart makes the Service anew, over the same storage, with these secrets.
func (s *shop) restart(t testing.TB, secrets ...string) {
	t.Helper()
	s.config.Secrets = must(secret.Parse([]byte(strings.Join(secrets, "\n"))))(t)
	s.Service = licensing.New(s.config)
}

func (s *shop) product(t testing.TB, code, prefix string) *license.Product {
	t.Helper()
	made := must(s.CreateProduct(as(ada), licensing.CreateProductInput{Code: code, Name: "The " + code, KeyPrefix: prefix}))(t)
	return made.Product
}

func (s *shop) plan(t testing.TB, product, code string) *licensing.PlanView {
	t.Helper()
	return must(s.CreatePlan(as(ada), planOf(product, code)))(t).Plan
}

func planOf(product, code string) licensing.CreatePlanInput {
	return licensing.CreatePlanInput{
		Product: product, Code: code, Name: "The " + code, Duration: lasting("P1Y"), MaxMachines: ptr(3),
		ExpiryBasis: license.FromCreation, RenewalBasis: license.FromLaterOfExpiryAndNow, RequireProduct: true,
	}
}

// issue issues a license of acme's plan pro, save for what change makes of it.
func (s *shop) issue(t testing.TB, change func(*licensing.IssueLicenseInput)) *licensing.IssueLicensePayload {
	t.Helper()
	return must(s.IssueLicense(as(ada), proLicense(change)))(t)
}

func proLicense(change func(*licensing.IssueLicenseInput)) licensing.IssueLicenseInput {
	in := licensing.IssueLicenseInput{Plan: "acme/pro"}
	if change != nil {
		change(&in)
	}
	return in
}

// ofAda makes ada the customer of a license that is issued.
func ofAda(in *licensing.IssueLicenseInput) {
	in.Customer = &licensing.CustomerInput{Email: ptr("Ada@Example.com"), Name: ptr("Ada King Lovelace"), ExternalID: ptr("C-9")}
}

// under gives the input of an issue under an idempotency key.
func under(key string, change func(*licensing.IssueLicenseInput)) licensing.IssueLicenseInput {
	in := proLicense(change)
	in.IdempotencyKey = &key
	return in
}

// contents is all that a store holds.
type contents struct {
	Records []*storage.Stored
	Entries []storage.Entry // pending, or in the log
}

func (s *shop) dump(t testing.TB) contents {
	t.Helper()
	var all contents
	for _, kind := range []storage.Kind{storage.Product, storage.Plan, storage.License, storage.Alias} {
		all.Records = append(all.Records, s.all(t, kind)...)
	}
	for _, b := range must(s.store.Blocks(context.Background(), 0, 100_000))(t) {
		all.Entries = append(all.Entries, b.Entries...)
	}
	for _, p := range must(s.store.Pending(context.Background(), 100_000))(t) {
		all.Entries = append(all.Entries, p.Entry)
	}
	return all
}

func (s *shop) all(t testing.TB, kind storage.Kind) []*storage.Stored {
	t.Helper()
	q := storage.Query{Kind: kind, Order: storage.CreatedOldest, First: 100_000}
	return must(s.store.List(context.Background(), q))(t).Records
}

func (s *shop) stored(t testing.TB, id string) *storage.Stored {
	t.Helper()
	found := must(s.store.Model.Get(context.Background(), id))(t)
	if found[0] == nil {
		t.Fatalf("%s is not stored", id)
	}
	return found[0]
}

// entries gives the journal entries that were committed since the first n.
func (s *shop) entries(t testing.TB, n int) []journal.Entry {
	t.Helper()
	var all []journal.Entry
	for _, stored := range must(s.store.Pending(context.Background(), 100_000))(t)[n:] {
		all = append(all, must(journal.Decode(stored.Entry))(t))
	}
	return all
}

// must gives what a call gave, and ends the test where it failed.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", fault.CodeOf(err), err)
		}
		return v
	}
}

func ptr[T any](v T) *T { return &v }

func lasting(text string) *license.Duration {
	d, err := license.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return &d
}

// same tells how got differs from want; empty: not at all.
func same(want, got any, more ...cmp.Option) string {
	return cmp.Diff(want, got, append(more, cmp.Comparer(func(a, b license.Duration) bool { return a == b }))...)
}

// wantUnchanged fails unless the store holds what it held before, beside
// entries that account for refusals.
func (s *shop) wantUnchanged(t testing.TB, before contents) {
	t.Helper()
	after := s.dump(t)
	for _, c := range []*contents{&before, &after} {
		c.Entries = slices.DeleteFunc(slices.Clone(c.Entries), func(e storage.Entry) bool {
			return e.Type == string(journal.AccessDenied)
		})
	}
	if diff := same(before, after); diff != "" {
		t.Errorf("storage was changed: %s", diff)
	}
}

func wantCode(t testing.TB, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// wantClash fails unless err is a Conflict of this reason that names this id.
func wantClash(t testing.TB, err error, reason fault.Reason, id string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Conflict || e.Reason != reason || e.ID != id || e.Message == "" {
		t.Errorf("got %s %+v, want Conflict %s by %q", fault.CodeOf(err), e, reason, id)
	}
}

// wantDenied fails unless err is Denied for want of this action.
func wantDenied(t testing.TB, err error, action authz.Action) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Denied || e.Action != string(action) {
		t.Errorf("got %s (%v), want %s for %s", fault.CodeOf(err), err, fault.Denied, action)
	}
}

// wantFields fails unless err is InvalidInput on exactly these fields, each
// with a message.
func wantFields(t testing.TB, err error, want ...string) {
	t.Helper()
	var got []string
	for _, e := range fault.All(err) {
		if e.Code != fault.InvalidInput || e.Message == "" {
			t.Errorf("%s on %s: %v", e.Code, e.Field, e)
		}
		got = append(got, e.Field)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bad fields (-want +got): %s", diff)
	}
}

// shown gives all that an answer shows, as text.
func shown(t testing.TB, answer any) string {
	t.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
