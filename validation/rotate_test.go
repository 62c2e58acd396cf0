package validation_test

import (
	"context"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

// rotate gives a key's license a new key.
func (w *world) rotate(t *testing.T, keyText, overlap string) string {
	t.Helper()
	made, err := w.licensing.RotateLicenseKey(asStaff(t), licensing.RotateLicenseKeyInput{
		License: w.snapshot(t, keyText).License.ID, Overlap: *lasting(overlap),
	})
	ok(t, err)
	return made.Key
}

func TestAnAnswerToAnOldKeyStandsNoLongerThanIt(t *testing.T) {
	w := newWorld(t)
	old := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines = new(3) })
	s := w.service(nil)
	current := w.rotate(t, old, "PT2M")
	end := noon.Add(2 * time.Minute)
	ofActivate := func(keyText string) *validation.Validation { return activate(t, s, keyText, "m-1").Validation }
	ofHeartbeat := func(keyText string) *validation.Validation { return heartbeat(t, s, keyText, "m-1").Validation }
	validate := func(keyText string) *validation.Validation {
		return answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }))
	}
	for _, ask := range []struct {
		name string
		call func(string) *validation.Validation
	}{{"activate", ofActivate}, {"heartbeat", ofHeartbeat}, {"validate", validate}} {
		if v := ask.call(old); !v.Valid || !v.GoodUntil.Equal(end) || !v.RefreshAt.Equal(end) {
			t.Errorf("%s: good until %v, refresh at %v", ask.name, v.GoodUntil, v.RefreshAt)
		}
		if v := ask.call(current); !v.Valid || !v.GoodUntil.Equal(noon.AddDate(0, 0, 1)) || !v.RefreshAt.Equal(noon.Add(5*time.Minute)) {
			t.Errorf("%s, with the current key: good until %v, refresh at %v", ask.name, v.GoodUntil, v.RefreshAt)
		}
	}
	w.clock.advance(2 * time.Minute)
	wantCode(t, validate(old), license.CodeNotFound)
	wantCode(t, ofActivate(old), license.CodeNotFound)
	wantCode(t, validate(current), license.CodeValid)
}

// stores are what rotations and validations race over.
func stores() map[string]func(t *testing.T) storage.Store {
	return map[string]func(t *testing.T) storage.Store{
		"model": func(*testing.T) storage.Store { return storagetest.NewModel() },
		"sqlite": func(t *testing.T) storage.Store {
			store, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: filepath.Join(t.TempDir(), "data.db")})
			ok(t, err)
			t.Cleanup(func() { _ = store.Close() })
			ok(t, store.Migrate(t.Context()))
			return store
		},
	}
}

// At every moment the key before a rotation or the one after it validates, and
// nobody is told that the server does not know.
func TestARotationLeavesNoMomentWithoutAKey(t *testing.T) {
	for name, open := range stores() {
		for _, overlap := range []string{"PT0S", "P1D"} {
			t.Run(name+", overlap "+overlap, func(t *testing.T) {
				r := newRotating(t, open(t))
				var validators sync.WaitGroup
				done := make(chan struct{})
				for range 3 {
					validators.Go(func() { r.validate(t, done, overlap != "PT0S") })
				}
				for range 30 {
					r.rotate(t, overlap)
				}
				close(done)
				validators.Wait()
			})
		}
	}
}

// rotating is a license whose key is rotated while it is validated.
type rotating struct {
	staff   context.Context
	rotates *licensing.Service
	asks    *validation.Service
	id      string

	keysMu sync.Mutex // guards what follows
	keys   []string   // as they were shown, the current one last
	begun  int        // rotations
}

func newRotating(t *testing.T, store storage.Store) *rotating {
	t.Helper()
	secrets, err := secret.Parse([]byte(newSecret(t)))
	ok(t, err)
	r := &rotating{staff: asStaff(t)}
	r.rotates = licensing.New(licensing.Config{Store: store, Secrets: secrets, Enforcer: authz.SingleAdmin{Admin: authz.DevAdmin}})
	r.asks = validation.New(validation.Config{
		Source: validation.StorageSource{Licensing: r.rotates, Now: time.Now}, Licenses: r.rotates, Secrets: secrets, Counter: store,
	})
	_, err = r.rotates.CreateProduct(r.staff, licensing.CreateProductInput{Code: "acme", Name: "Acme", KeyPrefix: "ACME"})
	ok(t, err)
	_, err = r.rotates.CreatePlan(r.staff, licensing.CreatePlanInput{
		Product: "acme", Code: "pro", Name: "Pro", ExpiryBasis: license.FromCreation, RenewalBasis: license.FromExpiry,
	})
	ok(t, err)
	made, err := r.rotates.IssueLicense(r.staff, licensing.IssueLicenseInput{Plan: "acme/pro"})
	ok(t, err)
	r.id, r.keys = made.License.ID(), []string{made.Key}
	return r
}

func (r *rotating) known() []string {
	r.keysMu.Lock()
	defer r.keysMu.Unlock()
	return r.keys
}

// still reports whether no rotation was begun since these keys were known.
func (r *rotating) still(keys []string) bool {
	r.keysMu.Lock()
	defer r.keysMu.Unlock()
	return r.begun == len(keys)-1
}

func (r *rotating) rotate(t *testing.T, overlap string) {
	t.Helper()
	r.keysMu.Lock()
	r.begun++
	r.keysMu.Unlock()
	got, err := r.rotates.RotateLicenseKey(r.staff, licensing.RotateLicenseKeyInput{License: r.id, Overlap: *lasting(overlap)})
	ok(t, err)
	r.keysMu.Lock()
	r.keys = append(r.keys[:len(r.keys):len(r.keys)], got.Key)
	r.keysMu.Unlock()
}

// validate asks with the key that was current when it began, until done. It
// may be refused only where a rotation was begun since, and within an overlap
// not even then.
func (r *rotating) validate(t *testing.T, done <-chan struct{}, overlapping bool) {
	for {
		before := r.known()
		v, err := r.asks.Validate(t.Context(), validation.ValidateInput{Key: before[len(before)-1]})
		switch {
		case err != nil:
			t.Errorf("a validation failed: %v", err)
			return
		case v.Valid:
		case overlapping || v.Code != string(license.CodeNotFound) || r.still(before):
			t.Errorf("the current key is %s", v.Code)
			return
		}
		select {
		case <-done:
			r.wantOnlyTheLast(t, overlapping)
			return
		default:
		}
	}
}

// wantOnlyTheLast fails unless the last key validates, and those before it
// only within an overlap.
func (r *rotating) wantOnlyTheLast(t *testing.T, overlapping bool) {
	keys := r.known()
	for i, text := range keys {
		v, err := r.asks.Validate(t.Context(), validation.ValidateInput{Key: text})
		if want := overlapping || i == len(keys)-1; err != nil || v.Valid != want || !v.Valid && v.Code != string(license.CodeNotFound) {
			t.Errorf("key %d of %d: %+v, %v", i+1, len(keys), v, err)
		}
	}
}
