package validation_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

func fromFirstActivation(in *licensing.CreatePlanInput) { in.ExpiryBasis = license.FromFirstActivation }

func TestAFirstActivationIsCommittedBeforeTheAnswer(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, fromFirstActivation)
	w.clock.advance(48 * time.Hour)
	got := answer(t, w.service(nil), asked(keyText, nil))
	wantCode(t, got, license.CodeValid)
	end := noon.Add(48*time.Hour).AddDate(1, 0, 0)
	if got.License.ExpiresAt == nil || !got.License.ExpiresAt.Equal(end) {
		t.Errorf("the answer ends at %v, want %v", got.License.ExpiresAt, end)
	}
	stored := w.snapshot(t, keyText).License
	if !stored.ExpiresAt.Equal(end) || !stored.ActivatedAt.Equal(noon.Add(48*time.Hour)) || stored.AwaitsActivation {
		t.Errorf("stored: ends %v, activated %v, awaits %t", stored.ExpiresAt, stored.ActivatedAt, stored.AwaitsActivation)
	}

	w.clock.advance(time.Hour)
	again := answer(t, w.service(nil), asked(keyText, nil))
	if !again.License.ExpiresAt.Equal(end) {
		t.Errorf("a second use moved the end to %v", again.License.ExpiresAt)
	}
}

func TestAFirstActivationThatIsRefusedBeginsNothing(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, fromFirstActivation)
	w.store.commit.set(func(storage.Change) error { t.Error("a refusal was committed"); return nil })
	got := answer(t, w.service(nil), asked(keyText, func(in *validation.ValidateInput) { in.Product = new("other") }))
	wantCode(t, got, license.CodeProductMismatch)
}

func TestAFirstActivationThatCannotBeCommittedIsUnavailable(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, fromFirstActivation)
	down := fault.Errorf(fault.Unavailable, "storage is unavailable")
	w.store.commit.set(func(storage.Change) error { return down })
	v, err := w.service(nil).Validate(t.Context(), asked(keyText, nil))
	wantUnavailable(t, v, err)

	w.store.commit.clear()
	wantCode(t, answer(t, w.service(nil), asked(keyText, nil)), license.CodeValid)
}

func TestAFirstActivationGoesByWhatItFinds(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, fromFirstActivation)
	s := w.snapshot(t, keyText)
	_, err := w.licensing.RevokeLicense(asStaff(t), licensing.RevokeLicenseInput{License: s.License.ID})
	ok(t, err)
	// The snapshot is from before the revocation, and fresh enough.
	wantCode(t, answer(t, w.from(gives(s, noon.Add(-time.Second))), asked(keyText, nil)), license.CodeRevoked)
}

func TestAnOrdinaryFirstUseIsNotedWithTheNextFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		s := w.service(nil)
		run(t, s)
		w.clock.advance(time.Hour)
		wantCode(t, answer(t, s, asked(keyText, nil)), license.CodeValid)
		if at := w.snapshot(t, keyText).License.ActivatedAt; !at.IsZero() {
			t.Errorf("noted at once: %v", at)
		}
		w.clock.advance(time.Hour)
		wantCode(t, answer(t, s, asked(keyText, nil)), license.CodeValid)
		sleep(time.Second)
		l := w.snapshot(t, keyText).License
		if !l.ActivatedAt.Equal(noon.Add(time.Hour)) || !l.ExpiresAt.Equal(noon.AddDate(1, 0, 0)) {
			t.Errorf("activated %v, ends %v; want the first use, and the end as issued", l.ActivatedAt, l.ExpiresAt)
		}
	})
}

func TestTheEntryOfAFirstUseNamesTheRequestThatItCameWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, change := range map[string]func(*licensing.CreatePlanInput){"after the answer": nil, "before it": fromFirstActivation} {
			w := newWorld(t)
			keyText := w.issue(t, change)
			s := w.service(nil)
			run(t, s)
			for _, request := range []string{"R1", "R2"} {
				_, err := s.Validate(actor.WithRequest(t.Context(), request), asked(keyText, nil))
				ok(t, err)
			}
			sleep(time.Second)
			pending, err := w.store.Pending(t.Context(), 100)
			ok(t, err)
			last, err := journal.Decode(pending[len(pending)-1].Entry)
			ok(t, err)
			if last.Type != journal.LicenseActivated || last.Request != "R1" {
				t.Errorf("%s: %s is of the request %q", name, last.Type, last.Request)
			}
		}
	})
}

func TestFirstUsesThatFailAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keys := []string{w.issue(t, nil)}
		for range 99 {
			keys = append(keys, w.issueMore(t))
		}
		s := w.service(nil)
		run(t, s)
		for _, keyText := range keys {
			answer(t, s, asked(keyText, nil))
		}
		w.clock.advance(time.Hour)
		w.store.commit.set(func(storage.Change) error { return fault.Errorf(fault.Unavailable, "storage is unavailable") })
		sleep(time.Second)
		answer(t, s, asked(keys[0], nil)) // later, and not its first
		w.store.commit.clear()
		sleep(time.Second)
		for i, keyText := range keys {
			if at := w.snapshot(t, keyText).License.ActivatedAt; !at.Equal(noon) {
				t.Errorf("license %d: activated %v, want %v", i, at, noon)
			}
		}
	})
}

func TestTheFirstUseOfALicenseThatIsGoneIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		tries := 0
		s := w.service(func(c *validation.Config) {
			c.Licenses = licenses{Service: w.licensing, noteFirstUse: func(context.Context, string) (*license.License, error) {
				tries++
				return nil, fault.Errorf(fault.NotFound, "license not found")
			}}
		})
		run(t, s)
		answer(t, s, asked(keyText, nil))
		sleep(10 * time.Second)
		if tries != 1 {
			t.Errorf("%d tries, want 1", tries)
		}
		answer(t, s, asked(keyText, nil))
		sleep(10 * time.Second)
		if tries != 2 {
			t.Errorf("%d tries after another use, want 2", tries)
		}
	})
}

func TestFirstUsesAreNotedTogetherButNotAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keys := []string{w.issue(t, nil)}
		for range 99 {
			keys = append(keys, w.issueMore(t))
		}
		var mu sync.Mutex // guards what follows
		var running, most int
		s := w.service(func(c *validation.Config) {
			c.Licenses = licenses{Service: w.licensing, noteFirstUse: func(context.Context, string) (*license.License, error) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-time.After(time.Millisecond) // which passes when all wait
				mu.Lock()
				running--
				mu.Unlock()
				return &license.License{}, nil
			}}
		})
		run(t, s)
		for _, keyText := range keys {
			answer(t, s, asked(keyText, nil))
		}
		sleep(time.Second + 10*time.Millisecond)
		if most != 32 {
			t.Errorf("%d commits at once, want 32", most)
		}
	})
}

// licenses are those of licensing, save for what a test answers itself.
type licenses struct {
	*licensing.Service
	noteFirstUse func(ctx context.Context, id string) (*license.License, error)
}

func (l licenses) NoteFirstUse(ctx context.Context, id string, _ time.Time) (*license.License, error) {
	return l.noteFirstUse(ctx, id)
}

// run runs the service until the test ends.
func run(t *testing.T, s *validation.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// sleep lets a bubble's time pass, and what waits for it finish.
func sleep(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
