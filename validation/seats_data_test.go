package validation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// The license may have been changed by others at any time since it was asked
// for.
func TestAnAnswerAboutASeatIsOfBeforeTheLicenseWasRead(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1") // which reads the prefixes
	reads := 0
	w.store.get.set(func() error {
		reads++
		w.clock.advance(time.Second)
		return nil
	})
	for name, ask := range map[string]func() *validation.Validation{
		"activate":   func() *validation.Validation { return activate(t, s, keyText, "m-2").Validation },
		"found":      func() *validation.Validation { return activate(t, s, keyText, "m-2").Validation },
		"deactivate": func() *validation.Validation { return deactivate(t, s, keyText, "m-9").Validation },
	} {
		asked := w.clock.now()
		reads = 0
		if got := ask(); !got.AsOf.Equal(asked) || !got.At.After(asked) || reads == 0 {
			t.Errorf("%s: as of %v, at %v, asked at %v", name, got.AsOf, got.At, asked)
		}
	}
}

func TestADomainIsActivatedRenewedAndFreed(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxDomains, in.LeaseDuration = new(1), lasting("PT10M") })
	s := w.service(nil)
	taken, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Domain: new("example.com")})
	ok(t, err)
	w.clock.advance(5 * time.Minute)
	renewed, err := s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: keyText, Domain: new("EXAMPLE.com")})
	ok(t, err)
	if !taken.Created || renewed.LeaseUntil == nil || !renewed.LeaseUntil.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("created %t, renewed until %v", taken.Created, renewed.LeaseUntil)
	}
	for _, want := range []bool{true, false} {
		freed, err := s.Deactivate(t.Context(), validation.DeactivateInput{Key: keyText, Domain: new("example.com:443")})
		ok(t, err)
		if freed.Removed != want {
			t.Errorf("removed %t, want %t", freed.Removed, want)
		}
	}
}

// Refused is not the same as to hold none.
func TestASeatThatIsHeldIsToldWhereActivationIsRefused(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	_, err := w.licensing.SuspendLicense(asStaff(t), licensing.SuspendLicenseInput{License: w.snapshot(t, keyText).License.ID})
	ok(t, err)
	got := activate(t, s, keyText, "m-1")
	wantCode(t, got.Validation, license.CodeSuspended)
	if got.Activation != nil || got.Created || got.Validation.Activation == nil {
		t.Errorf("it was given %+v, and holds %+v", got.Activation, got.Validation.Activation)
	}
}

// A heartbeat goes by data as old as validate's, and says so; what it writes is
// of now.
func TestAHeartbeatByOldData(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	activate(t, w.service(nil), keyText, "m-1")
	found := w.snapshot(t, keyText)

	w.clock.advance(time.Minute)
	got := heartbeat(t, w.from(gives(found, noon)), keyText, "m-1")
	wantCode(t, got.Validation, license.CodeValid)
	if !got.Validation.Stale || !got.Validation.AsOf.Equal(noon) {
		t.Errorf("stale %t, as of %v", got.Validation.Stale, got.Validation.AsOf)
	}

	w.clock.advance(4 * time.Minute)
	now := w.clock.now()
	got = heartbeat(t, w.from(gives(found, now.Add(-2*time.Second))), keyText, "m-1")
	wantCode(t, got.Validation, license.CodeValid)
	seat := w.snapshot(t, keyText).License.Seats[0]
	if got.Validation.Stale || !seat.LastSeenAt.Equal(now) || !got.Validation.Activation.LastSeenAt.Equal(now) || !seat.LeaseUntil.Equal(*got.LeaseUntil) {
		t.Errorf("stale %t, seen at %v, lease until %v", got.Validation.Stale, seat.LastSeenAt, seat.LeaseUntil)
	}
}

// Another program of the machine, or a delayed heartbeat of its own, may have
// moved the lease further.
func TestAHeartbeatTellsTheLeaseThatIsStored(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	l := w.snapshot(t, keyText).License
	further := noon.Add(20 * time.Minute)
	w.clock.advance(5 * time.Minute)
	w.store.touch.set(func() error {
		_, err := w.store.Model.Touch(t.Context(), []storage.Lease{{Record: l.ID, Seat: l.Seats[0].ID, At: w.clock.now(), Until: further}})
		return err
	})
	got := heartbeat(t, s, keyText, "m-1")
	if !got.LeaseUntil.Equal(further) || !got.Validation.Activation.LeaseUntil.Equal(further) || !got.Validation.GoodUntil.Equal(further) {
		t.Errorf("lease until %v, good until %v", got.LeaseUntil, got.Validation.GoodUntil)
	}
}

func TestTextsAsLongAsTheyMayBeAreTaken(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	long := make([]string, validation.MaxEntitlementsAsked)
	for i := range long {
		long[i] = strings.Repeat("x", 256)
	}
	got, err := w.service(nil).Activate(t.Context(), validation.ActivateInput{
		Key: keyText, Product: &long[0], Fingerprint: new(strings.Repeat("x", 200)), Entitlements: long,
	})
	ok(t, err)
	wantCode(t, got.Validation, license.CodeProductMismatch)
}

func TestAnotherProductsProgramFreesNoSeat(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	got, err := s.Deactivate(t.Context(), validation.DeactivateInput{Key: keyText, Product: new("other"), Fingerprint: new("m-1")})
	ok(t, err)
	wantCode(t, got.Validation, license.CodeProductMismatch)
	if got.Removed || len(w.snapshot(t, keyText).License.Seats) != 1 {
		t.Errorf("removed %t", got.Removed)
	}
}

func TestExplainJudgesAllThatAProgramWouldSay(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines, in.MaxDomains = new(1), new(1) })
	at := noon.Add(time.Hour + time.Microsecond).In(time.FixedZone("east", 3600))
	got, err := w.service(nil).Explain(asStaff(t), w.snapshot(t, keyText).License.ID, &validation.ExplainInput{
		At: &at, Product: new("other"), Fingerprint: new("m-1"), Domain: new("example.com"), Entitlements: []string{"sso"},
	})
	ok(t, err)
	if want := "PRODUCT_MISMATCH NOT_ACTIVATED NOT_ACTIVATED ENTITLEMENT_MISSING"; blocking(got) != want {
		t.Errorf("got %s, want %s", blocking(got), want)
	}
	if got.At != noon.Add(time.Hour) {
		t.Errorf("at %v", got.At)
	}
}
