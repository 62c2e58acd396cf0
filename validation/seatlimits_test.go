package validation_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// oneSeat is a plan of one seat, kept until it is freed.
func oneSeat(in *licensing.CreatePlanInput) { in.MaxMachines = new(1) }

// activateLimited wants RATE_LIMITED.
func activateLimited(t *testing.T, s *validation.Service, keyText, fingerprint string) *fault.Error {
	t.Helper()
	p, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: &fingerprint})
	if p != nil {
		t.Fatalf("got %+v, want RATE_LIMITED", p)
	}
	return wantLimited(t, err)
}

// changesLeft takes and frees seats of one license, each for another machine,
// until that is refused, and says how many changes it made.
func changesLeft(t *testing.T, s *validation.Service, keyText, name string) (changes int) {
	t.Helper()
	for i := range 1_000 {
		fingerprint := fmt.Sprint(name, i)
		_, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: &fingerprint})
		if err != nil {
			wantLimited(t, err)
			return changes
		}
		if !deactivate(t, s, keyText, fingerprint).Removed {
			t.Fatal("the seat was not taken")
		}
		changes += 2
	}
	t.Fatal("no change was refused")
	return 0
}

func TestOneMachineTakesAndFreesItsSeatThreeTimesAnHour(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.limited(validation.DefaultLimits())
	for range 3 {
		id := activate(t, s, keyText, "m-1").Activation.ID
		p, err := s.Deactivate(t.Context(), validation.DeactivateInput{Key: keyText, Activation: &id}) // counts for its subject
		ok(t, err)
		if !p.Removed {
			t.Fatal("not removed")
		}
	}
	if got := activateLimited(t, s, keyText, "m-1").RetryAfter; got != 10*time.Minute {
		t.Errorf("again after %v, want 10m", got)
	}
	wantCode(t, activate(t, s, keyText, "m-2").Validation, license.CodeValid)
	w.clock.advance(10 * time.Minute)
	wantCode(t, activate(t, s, keyText, "m-1").Validation, license.CodeValid)
}

func TestASeatGoesRoundOnlySoManyMachines(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, oneSeat)
	s := w.limited(validation.DefaultLimits())
	if got := changesLeft(t, s, keyText, "m-"); got != 22 {
		t.Errorf("%d changes, want 22", got)
	}
	if got := changesLeft(t, s, w.issueMore(t), "m-"); got != 22 {
		t.Errorf("%d changes of another license, want 22", got)
	}
	w.clock.advance(time.Hour)
	if got := changesLeft(t, s, keyText, "n-"); got != 22 {
		t.Errorf("%d changes an hour later, want 22", got)
	}
}

func TestWhoHoldsASeatIsNeverRefused(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.limited(validation.DefaultLimits())
	activate(t, s, keyText, "m-1")
	changesLeft(t, s, keyText, "n-")
	for range 50 {
		if p := activate(t, s, keyText, "m-1"); p.Created || p.Activation == nil {
			t.Fatalf("got %+v, want the seat that is held", p)
		}
		if heartbeat(t, s, keyText, "m-1").LeaseUntil == nil {
			t.Fatal("no lease")
		}
		if deactivate(t, s, keyText, "m-2").Removed { // which holds none
			t.Fatal("removed")
		}
	}
	if !deactivate(t, s, keyText, "m-1").Removed {
		t.Error("the seat was not freed")
	}
}

func TestRefusalsAndFindingsAreNoChanges(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, oneSeat)
	s := w.limited(validation.DefaultLimits())
	activate(t, s, keyText, "m-1")
	for range 100 {
		activate(t, s, keyText, "m-1")
		wantCode(t, activate(t, s, keyText, "m-2").Validation, license.CodeMachineLimitReached)
		deactivate(t, s, keyText, "m-2")
	}
	deactivate(t, s, keyText, "m-1")
	if got := changesLeft(t, s, keyText, "n-"); got != 20 {
		t.Errorf("%d changes were left, want 20", got)
	}
}

func TestWhatWasNotStoredIsNoChangeAndALostRaceIsOne(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, oneSeat)
	s := w.limited(validation.DefaultLimits())
	w.store.commit.set(func(storage.Change) error { return fault.Errorf(fault.Unavailable, "storage is down") })
	for range 100 {
		_, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: new("m-1")})
		wantUnavailable(t, nil, err)
	}
	lost := 0
	w.store.commit.set(func(storage.Change) error {
		if lost++; lost%2 == 1 {
			return fault.Errorf(fault.Conflict, "changed meanwhile")
		}
		return nil
	})
	if got := changesLeft(t, s, keyText, "m-"); got != 22 {
		t.Errorf("%d changes, want 22", got)
	}
}

// leaving is a licensing whose callers leave while it decides.
type leaving struct {
	validation.Licenses
	leave context.CancelFunc // nil: they stay
}

func (l leaving) Activate(_ context.Context, c licensing.SeatClaim) (*licensing.SeatAnswer, error) {
	err := c.Admit(&license.License{ID: "lic_1"}, &license.Plan{MaxMachines: new(1)})
	if err != nil {
		return nil, err
	}
	if l.leave != nil {
		l.leave()
	}
	return nil, fault.Wrap(fault.Unavailable, errors.New("undecided"), "storage is unavailable")
}

func (leaving) SubjectHash(*license.License, license.Subject) string { return "hash" }

// Else whoever hangs up in time would change seats at will.
func TestAChangeWhoseCallerLeftCountsAsMade(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, oneSeat)
	for _, leaves := range []bool{true, false} {
		licenses := leaving{Licenses: w.licensing}
		ctx, leave := context.WithCancel(t.Context())
		if leaves {
			licenses.leave = leave
		}
		s := w.service(func(c *validation.Config) {
			c.Licenses, c.Limits = &licenses, validation.Limits{SubjectChanges: 1}
		})
		in := validation.ActivateInput{Key: keyText, Fingerprint: new("m-1")}
		_, first := s.Activate(ctx, in)
		wantUnavailable(t, nil, first)
		licenses.leave = nil
		_, second := s.Activate(t.Context(), in)
		if limited := fault.Is(second, fault.RateLimited); limited != leaves {
			t.Errorf("the caller leaves: %t, and then %v", leaves, second)
		}
		leave()
	}
}

func TestUnknownKeysCountWhateverIsAskedOfThem(t *testing.T) {
	for name, of := range map[string]func(int) string{"of our shape": ours(t), "made elsewhere": elsewhere} {
		w := newWorld(t)
		keyText := w.issue(t, floating)
		s, here := w.limited(validation.DefaultLimits()), from(t.Context(), "192.0.2.1")
		ways := []func(keyText string) (*validation.Validation, error){
			func(k string) (*validation.Validation, error) { return s.Validate(here, asked(k, nil)) },
			func(k string) (*validation.Validation, error) {
				p, err := s.Activate(here, validation.ActivateInput{Key: k, Fingerprint: new("m-1")})
				if err != nil {
					return nil, err
				}
				return p.Validation, nil
			},
			func(k string) (*validation.Validation, error) {
				p, err := s.Deactivate(here, validation.DeactivateInput{Key: k, Fingerprint: new("m-1")})
				if err != nil {
					return nil, err
				}
				return p.Validation, nil
			},
			func(k string) (*validation.Validation, error) {
				p, err := s.Heartbeat(here, validation.HeartbeatInput{Key: k, Fingerprint: new("m-1")})
				if err != nil {
					return nil, err
				}
				return p.Validation, nil
			},
		}
		for i := range 40 {
			v, err := ways[i%4](of(i))
			if i < 10 {
				ok(t, err)
				wantCode(t, v, license.CodeNotFound)
				continue
			}
			wantLimited(t, err)
		}
		for i, way := range ways {
			if v, err := way(keyText); err != nil || v.Code == string(license.CodeNotFound) {
				t.Errorf("%s: a known key in way %d: %+v, %v", name, i, v, err)
			}
		}
	}
}
