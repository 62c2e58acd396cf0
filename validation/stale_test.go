package validation_test

import (
	"context"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/validation"
)

// used is a license that is in use.
func used(t *testing.T, w *world, keyText string) validation.Snapshot {
	t.Helper()
	s := w.snapshot(t, keyText)
	s.License.MarkActivated(s.Plan, noon.Add(-time.Hour))
	return s
}

func TestOldDataIsGoodForAYes(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s := used(t, w, keyText)
	for _, c := range []struct {
		age   time.Duration
		stale bool
	}{
		{0, false},
		{5 * time.Second, false},
		{5*time.Second + time.Millisecond, true},
		{15 * time.Minute, true},
	} {
		asOf := noon.Add(-c.age)
		got := answer(t, w.from(gives(s, asOf)), asked(keyText, nil))
		wantCode(t, got, license.CodeValid)
		if got.Stale != c.stale || !got.AsOf.Equal(asOf) || !got.At.Equal(noon) {
			t.Errorf("%v old: stale %t, as of %v at %v", c.age, got.Stale, got.AsOf, got.At)
		}
	}
}

func TestDataThatIsTooOldForItsCallerIsStale(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s := w.from(gives(used(t, w, keyText), noon.Add(-2*time.Second)))
	if answer(t, s, asked(keyText, nil)).Stale {
		t.Error("data 2 s old is stale to a caller that says nothing")
	}
	if !answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.MaxStaleness = lasting("PT1S") })).Stale {
		t.Error("data 2 s old is not stale to a caller that wants 1 s")
	}
}

func TestOldDataIsGoodForNothingElse(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines, in.RequireFingerprint = new(1), new(false) })
	for name, c := range map[string]struct {
		age    time.Duration
		change func(*validation.Snapshot)
		config func(*validation.Config)
		ask    func(*validation.ValidateInput)
	}{
		"over 15 minutes":     {age: 15*time.Minute + time.Millisecond},
		"turned off":          {config: func(c *validation.Config) { c.StaleFor = -1 }},
		"over the server's":   {config: func(c *validation.Config) { c.StaleFor = 30 * time.Second }},
		"a revoked license":   {change: func(s *validation.Snapshot) { s.License.State = license.Revoked }},
		"a suspended license": {change: func(s *validation.Snapshot) { s.License.State = license.Suspended }},
		"an expired license":  {change: func(s *validation.Snapshot) { s.License.ExpiresAt = noon }},
		"one that ends meanwhile": {
			change: func(s *validation.Snapshot) { s.License.ExpiresAt = noon.Add(-30 * time.Second) },
		},
		"a scheduled license":      {change: func(s *validation.Snapshot) { s.License.StartsAt = noon.Add(time.Hour) }},
		"a new seat":               {ask: func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }},
		"another product":          {ask: func(in *validation.ValidateInput) { in.Product = new("other") }},
		"a missing entitlement":    {ask: func(in *validation.ValidateInput) { in.Entitlements = []string{"export"} }},
		"a key that is not listed": {change: func(s *validation.Snapshot) { s.License.Keys[0].Lookup = make([]byte, 32) }},
		"a key that has ended":     {change: func(s *validation.Snapshot) { s.License.Keys[0].EndsAt = noon }},
		"a first activation": {change: func(s *validation.Snapshot) {
			s.License.ActivatedAt, s.License.AwaitsActivation = time.Time{}, true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := used(t, w, keyText)
			if c.change != nil {
				c.change(&s)
			}
			if c.age == 0 {
				c.age = time.Minute
			}
			service := w.service(func(config *validation.Config) {
				config.Source = gives(s, noon.Add(-c.age))
				if c.config != nil {
					c.config(config)
				}
			})
			v, err := service.Validate(t.Context(), asked(keyText, c.ask))
			wantUnavailable(t, v, err)
		})
	}
}

func TestAnUnknownKeyIsUnavailableWhileStorageIs(t *testing.T) {
	w := newWorld(t)
	old := newSecret(t)
	w.use(t, old)
	keyText := w.issue(t, nil)
	w.use(t, newSecret(t), old)
	// The first secret's lookup leads nowhere, and the second cannot be asked.
	lookups := 0
	s := w.from(func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
		if lookups++; lookups == 1 {
			return validation.Snapshot{}, time.Time{}, fault.Errorf(fault.NotFound, "license not found")
		}
		return validation.Snapshot{}, time.Time{}, fault.Errorf(fault.Unavailable, "storage is unavailable")
	})
	v, err := s.Validate(t.Context(), asked(keyText, nil))
	wantUnavailable(t, v, err)
}

func TestOldDataJudgesLeasesAsOfItself(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines, in.LeaseDuration = new(1), lasting("PT10M") })
	s := used(t, w, keyText)
	activated(t, s, machine("m-1"), noon.Add(-11*time.Minute)) // run out a minute ago
	mine := asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") })

	got := answer(t, w.from(gives(s, noon.Add(-2*time.Minute))), mine)
	wantCode(t, got, license.CodeValid)
	if got.Activation == nil || got.License.MachineCount != 1 {
		t.Errorf("the seat %v, of %d, is not counted as held", got.Activation, got.License.MachineCount)
	}
	if got.GoodUntil.After(noon) {
		t.Errorf("good until %v, though the lease is known to have run out", got.GoodUntil)
	}
	wantCode(t, answer(t, w.from(gives(s, noon)), mine), license.CodeNotActivated)
	v, err := w.from(gives(s, noon.Add(-30*time.Second))).Validate(t.Context(), mine)
	wantUnavailable(t, v, err)
}

func TestAYesFromOldDataEndsWithTheLicense(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.Grace = lasting("PT1H") })
	s := used(t, w, keyText)
	s.License.ExpiresAt = noon.Add(-time.Minute)
	got := answer(t, w.from(gives(s, noon.Add(-5*time.Minute))), asked(keyText, nil))
	if !got.Valid || got.Code != "GRACE" || !got.GoodUntil.Equal(noon.Add(59*time.Minute)) {
		t.Errorf("%s, good until %v; want GRACE until its end", got.Code, got.GoodUntil)
	}
}
