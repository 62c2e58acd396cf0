package validation_test

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal/journaltest"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

// noon is when these tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMilli(c.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.Add(d.Milliseconds()) }

// store is a model whose calls a test may answer itself.
type store struct {
	*storagetest.Model
	t        testing.TB
	commit   hook[func(storage.Change) error]
	get      hook[func() error]
	touch    hook[func() error]
	addUsage hook[func(context.Context, []storage.UsageDelta) error]
}

// hook is a function that a test sets, or takes away, while others run.
type hook[F any] struct{ atomic.Pointer[F] }

func (h *hook[F]) set(f F) { h.Store(&f) }
func (h *hook[F]) clear()  { h.Store(nil) }

func (s *store) Commit(ctx context.Context, c storage.Change) error {
	if commit := s.commit.Load(); commit != nil {
		if err := (*commit)(c); err != nil {
			return err
		}
	}
	for _, e := range c.Entries {
		journaltest.Check(s.t, e)
	}
	return s.Model.Commit(ctx, c)
}

func (s *store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	if get := s.get.Load(); get != nil {
		if err := (*get)(); err != nil {
			return nil, err
		}
	}
	return s.Model.Get(ctx, ids...)
}

func (s *store) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	if touch := s.touch.Load(); touch != nil {
		if err := (*touch)(); err != nil {
			return nil, err
		}
	}
	return s.Model.Touch(ctx, leases)
}

func (s *store) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	if addUsage := s.addUsage.Load(); addUsage != nil {
		return (*addUsage)(ctx, deltas)
	}
	return s.Model.AddUsage(ctx, deltas)
}

// source is a Source that a test makes.
type source func(ctx context.Context, lookup [32]byte, notOlderThan time.Time) (validation.Snapshot, time.Time, error)

func (s source) Snapshot(ctx context.Context, lookup [32]byte, notOlderThan time.Time) (validation.Snapshot, time.Time, error) {
	return s(ctx, lookup, notOlderThan)
}

var _ validation.Source = source(nil)

// world is a store with a product of code acme, and what stands above it.
type world struct {
	clock     *clock
	store     *store
	secrets   *secret.List
	licensing *licensing.Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: &clock{}, store: &store{Model: storagetest.NewModel(), t: t}}
	w.clock.Store(noon.UnixMilli())
	w.use(t, newSecret(t))
	w.product(t, "acme", "ACME")
	return w
}

func newSecret(t *testing.T) string {
	t.Helper()
	text, err := secret.New(rand.Reader)
	ok(t, err)
	return text
}

// use starts the use-cases anew, under these secrets.
func (w *world) use(t *testing.T, secrets ...string) {
	t.Helper()
	var err error
	w.secrets, err = secret.Parse([]byte(strings.Join(secrets, "\n")))
	ok(t, err)
	w.licensing = licensing.New(licensing.Config{
		Store: w.store, Secrets: w.secrets, Enforcer: authz.SingleAdmin{Admin: authz.DevAdmin}, Now: w.clock.now,
	})
}

// anotherServer is on the same store, under the same secrets.
func (w *world) anotherServer() *world {
	other := *w
	other.licensing = licensing.New(licensing.Config{
		Store: w.store, Secrets: w.secrets, Enforcer: authz.SingleAdmin{Admin: authz.DevAdmin}, Now: w.clock.now,
	})
	return &other
}

// service validates by w's store, save for what change makes of it.
func (w *world) service(change func(*validation.Config)) *validation.Service {
	c := validation.Config{
		Source:   validation.StorageSource{Licensing: w.licensing, Now: w.clock.now},
		Licenses: w.licensing, Secrets: w.secrets, Counter: w.store, Now: w.clock.now,
	}
	if change != nil {
		change(&c)
	}
	return validation.New(c)
}

// from validates by a source of the test's own.
func (w *world) from(s source) *validation.Service {
	return w.service(func(c *validation.Config) { c.Source = s })
}

func asStaff(t *testing.T) context.Context { return actor.With(t.Context(), authz.DevAdmin) }

func (w *world) product(t *testing.T, code, prefix string) {
	t.Helper()
	_, err := w.licensing.CreateProduct(asStaff(t), licensing.CreateProductInput{Code: code, Name: code, KeyPrefix: prefix})
	ok(t, err)
}

// plan makes a plan of acme that runs a year and needs no product named, save
// for what change makes of it.
func (w *world) plan(t *testing.T, code string, change func(*licensing.CreatePlanInput)) {
	t.Helper()
	in := licensing.CreatePlanInput{
		Product: "acme", Code: code, Name: code, Duration: lasting("P1Y"),
		ExpiryBasis: license.FromCreation, RenewalBasis: license.FromExpiry,
	}
	if change != nil {
		change(&in)
	}
	_, err := w.licensing.CreatePlan(asStaff(t), in)
	ok(t, err)
}

// issue makes a license under a plan that it makes too, and gives its key.
func (w *world) issue(t *testing.T, change func(*licensing.CreatePlanInput)) string {
	t.Helper()
	w.plan(t, "pro", change)
	return w.issueMore(t)
}

// issueMore makes a further license under that plan.
func (w *world) issueMore(t *testing.T) string {
	t.Helper()
	made, err := w.licensing.IssueLicense(asStaff(t), licensing.IssueLicenseInput{Plan: "acme/pro"})
	ok(t, err)
	return made.Key
}

// snapshot gives what is stored of a key's license, to be changed at will.
func (w *world) snapshot(t *testing.T, keyText string) validation.Snapshot {
	t.Helper()
	v, err := w.licensing.License(asStaff(t), nil, &keyText)
	ok(t, err)
	return validation.Snapshot{License: v.License, Plan: v.Plan.Plan, Product: v.Product}
}

// seat stores a seat that a machine holds for an hour.
func (w *world) seat(t *testing.T, keyText, fingerprint string) {
	t.Helper()
	found, err := w.store.Get(t.Context(), w.snapshot(t, keyText).License.ID)
	ok(t, err)
	ok(t, w.store.Commit(t.Context(), storage.Change{
		Record: found[0].Record, Attempt: "seat of " + fingerprint,
		Put: []storage.Seat{{
			ID: "act_" + fingerprint, Lease: noon.Add(time.Hour), Seen: noon,
			Body: []byte(`{"kind":"MACHINE","subject":"` + fingerprint + `","createdAt":"2026-11-21T12:00:00Z"}`),
		}},
	}))
}

// gives is a source of one snapshot.
func gives(s validation.Snapshot, asOf time.Time) source {
	return func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
		return s, asOf, nil
	}
}

// fails is a source that fails.
func fails(err error) source {
	return func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
		return validation.Snapshot{}, time.Time{}, err
	}
}

// untouched is a source that must not be asked.
func untouched(t *testing.T) source {
	return func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
		t.Error("the source was asked")
		return validation.Snapshot{}, time.Time{}, fault.Errorf(fault.NotFound, "nothing")
	}
}

// activated seats a subject, as a license in storage would have it.
func activated(t *testing.T, s validation.Snapshot, subject license.Subject, at time.Time) {
	t.Helper()
	_, err := s.License.Activate(s.Plan, subject, "act_"+subject.Text, "", "", at)
	ok(t, err)
}

func machine(text string) license.Subject { return license.Subject{Kind: license.Machine, Text: text} }

// asked is a request for a key.
func asked(keyText string, change func(*validation.ValidateInput)) validation.ValidateInput {
	in := validation.ValidateInput{Key: keyText}
	if change != nil {
		change(&in)
	}
	return in
}

// answer validates, and fails where there is an error.
func answer(t *testing.T, s *validation.Service, in validation.ValidateInput) *validation.Validation {
	t.Helper()
	v, err := s.Validate(t.Context(), in)
	ok(t, err)
	return v
}

// wantCode fails unless the answer is this code, and valid exactly if that is
// VALID.
func wantCode(t *testing.T, v *validation.Validation, code license.Code) {
	t.Helper()
	if v.Code != string(code) || v.Valid != (code == license.CodeValid) || v.Valid != (v.GoodUntil != nil) {
		t.Errorf("got %s, valid %t, good until %v; want %s", v.Code, v.Valid, v.GoodUntil, code)
	}
}

// wantUnavailable fails unless the server says that it does not know.
func wantUnavailable(t *testing.T, v *validation.Validation, err error) {
	t.Helper()
	all := fault.All(err)
	if v != nil || len(all) != 1 || all[0].Code != fault.Unavailable || all[0].RetryAfter <= 0 {
		t.Errorf("got %+v, %v; want UNAVAILABLE", v, err)
	}
}

// wantField fails unless err is InvalidInput on this field alone.
func wantField(t *testing.T, err error, field string) {
	t.Helper()
	all := fault.All(err)
	if len(all) != 1 || all[0].Code != fault.InvalidInput || all[0].Field != field || all[0].Message == "" {
		t.Errorf("got %v, want INVALID_INPUT on %s", err, field)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lasting(text string) *license.Duration {
	d, err := license.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return &d
}

// underPrefix gives the key of the same data under another prefix, with the
// check that it has there.
func underPrefix(t *testing.T, keyText, prefix string) string {
	t.Helper()
	read := key.Read(keyText, nil)
	var data [key.Length]byte
	for i, c := range []byte(read.Key.Data()) {
		data[i] = byte(strings.IndexByte("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c))
	}
	other, err := key.New(prefix, data)
	ok(t, err)
	return other.String()
}

// differ tells how got differs from want; empty: not at all.
func differ(want, got any) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b license.Duration) bool { return a == b }))
}
