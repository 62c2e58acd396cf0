package validation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// A cache shares snapshots between requests.
func TestSnapshotsAreShared(t *testing.T) {
	w := newWorld(t)
	change := func(in *licensing.CreatePlanInput) {
		in.ExpiryBasis, in.MaxMachines, in.LeaseDuration = license.FromFirstActivation, new(2), lasting("PT1H")
		in.Entitlements = []license.Entitlement{{Code: "export", Value: []byte(`{"rows":10}`)}, {Code: "api"}}
		in.RequireFingerprint = new(false)
	}
	keyText := w.issue(t, change)
	w.seat(t, keyText, "m-1")
	w.seat(t, keyText, "m-2")
	shared, before := w.snapshot(t, keyText), w.snapshot(t, keyText)
	s := w.from(gives(shared, noon))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	defer running.Wait()
	defer cancel()

	requests := []validation.ValidateInput{
		asked(keyText, nil),
		asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }),
		asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-3") }),
		asked(keyText, func(in *validation.ValidateInput) { in.Domain = new("example.com") }),
		asked(keyText, func(in *validation.ValidateInput) { in.Entitlements = []string{"export", "none"} }),
		asked(keyText, func(in *validation.ValidateInput) { in.Product = new("other") }),
		asked("d41d8cd98f00b204e9800998ecf8427e", nil),
	}
	want := []license.Code{"VALID", "VALID", "MACHINE_LIMIT_REACHED", "VALID", "ENTITLEMENT_MISSING", "PRODUCT_MISMATCH", "NOT_FOUND"}
	var callers sync.WaitGroup
	for caller := range 64 {
		callers.Go(func() {
			for n := range 50 {
				i := (caller + n) % len(requests)
				v, err := s.Validate(ctx, requests[i])
				if err != nil || v.Code != string(want[i]) {
					t.Errorf("request %d: %+v, %v; want %s", i, v, err, want[i])
				}
			}
		})
	}
	callers.Wait()
	if diff := differ(before, shared); diff != "" {
		t.Errorf("a snapshot was changed: %s", diff)
	}
}

func TestEveryUseOfManyCallersIsCounted(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, fromFirstActivation)
	s := w.service(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var running, callers sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	for range 64 {
		callers.Go(func() {
			for range 20 {
				if v, err := s.Validate(ctx, asked(keyText, nil)); err != nil || !v.Valid {
					t.Errorf("%+v, %v", v, err)
				}
			}
		})
	}
	callers.Wait()
	cancel()
	running.Wait()
	l := w.snapshot(t, keyText).License
	if l.ValidationCount != 64*20 {
		t.Errorf("%d uses counted, want %d", l.ValidationCount, 64*20)
	}
	entries, err := w.store.Pending(t.Context(), 100)
	ok(t, err)
	if len(entries) != 4 { // product, plan, license, and its activation
		t.Errorf("%d entries: a license is activated once", len(entries))
	}
	want := []storage.UsageDay{{Day: "2026-11-21", Valid: 64 * 20, Values: storage.Values{storage.ByCode: {"VALID": 64 * 20}}}}
	if diff := differ(want, counted(t, w, l.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestStorageIsReadWhenItIsAsked(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	w.store.get.set(func() error {
		w.clock.advance(time.Second) // reading takes a second
		return nil
	})
	got := answer(t, w.service(nil), asked(keyText, nil))
	if !got.AsOf.Equal(noon) || !got.At.Equal(noon) || got.Stale {
		t.Errorf("at %v, as of %v, stale %t; want both at the beginning", got.At, got.AsOf, got.Stale)
	}
}
