package validation_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// counted gives the days that storage has of a record.
func counted(t *testing.T, w *world, id string) []storage.UsageDay {
	t.Helper()
	days, err := w.store.Usage(t.Context(), id, "2000-01-01", "2999-12-31")
	ok(t, err)
	return days
}

func TestUsesAreCountedByDayAndDimension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		l := w.snapshot(t, keyText).License
		s := w.service(nil)
		stop := run(t, s)

		onMachine := asked(keyText, func(in *validation.ValidateInput) {
			in.Fingerprint, in.Domain = new("m-1"), new("WWW.Example.com:80")
		})
		answer(t, s, onMachine)
		answer(t, s, onMachine)
		answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Product = new("other") }))
		answer(t, s, asked("d41d8cd98f00b204e9800998ecf8427e", nil)) // nobody's
		w.clock.advance(12 * time.Hour)
		answer(t, s, asked(keyText, nil))
		if got := counted(t, w, l.ID); got != nil {
			t.Errorf("added at once: %v", got)
		}
		stop()

		hash := w.licensing.SubjectHash(l, machine("m-1"))
		want := []storage.UsageDay{
			{Day: "2026-11-21", Valid: 2, Invalid: 1, Values: storage.Values{
				storage.ByCode:        {"VALID": 2, "PRODUCT_MISMATCH": 1},
				storage.ByFingerprint: {hash: 2},
				storage.ByDomain:      {"www.example.com": 2},
			}},
			{Day: "2026-11-22", Valid: 1, Values: storage.Values{storage.ByCode: {"VALID": 1}}},
		}
		for name, id := range map[string]string{"the license": l.ID, "its product": l.ProductID} {
			if diff := differ(want, counted(t, w, id)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		after := w.snapshot(t, keyText).License
		if after.ValidationCount != 4 || !after.LastValidatedAt.Equal(noon.Add(12*time.Hour)) {
			t.Errorf("%d uses, the last at %v", after.ValidationCount, after.LastValidatedAt)
		}
	})
}

func TestUsesAreAddedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		calls, uses := 0, int64(0)
		w.store.addUsage.set(func(_ context.Context, deltas []storage.UsageDelta) error {
			calls++
			for _, d := range deltas {
				uses += d.Valid + d.Invalid
			}
			return nil
		})
		s := w.service(nil)
		run(t, s)
		sleep(10 * time.Second)
		if calls != 0 {
			t.Errorf("%d additions of nothing", calls)
		}
		for range 3 {
			answer(t, s, asked(keyText, nil))
			answer(t, s, asked(keyText, nil))
			sleep(time.Second)
		}
		if calls != 3 || uses != 6 {
			t.Errorf("%d additions of %d uses, want 3 of 6", calls, uses)
		}
	})
}

func TestUsesThatWereSurelyNotAddedAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		id := w.snapshot(t, keyText).License.ID
		s := w.service(nil)
		stop := run(t, s)
		w.store.addUsage.set(func(context.Context, []storage.UsageDelta) error {
			return fault.Errorf(fault.Unavailable, "storage is unavailable")
		})
		for range 3 {
			answer(t, s, asked(keyText, nil))
			w.clock.advance(time.Second)
			sleep(time.Second)
		}
		w.store.addUsage.clear()
		stop()
		want := []storage.UsageDay{{Day: "2026-11-21", Valid: 3, Values: storage.Values{storage.ByCode: {"VALID": 3}}}}
		if diff := differ(want, counted(t, w, id)); diff != "" {
			t.Error(diff)
		}
		if got := w.snapshot(t, keyText).License.LastValidatedAt; !got.Equal(noon.Add(2 * time.Second)) {
			t.Errorf("last used %v", got)
		}
		if s.Lost() != 0 {
			t.Errorf("%d lost", s.Lost())
		}
	})
}

func TestUsesOfUnknownFateAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		id := w.snapshot(t, keyText).License.ID
		s := w.service(nil)
		stop := run(t, s)
		w.store.addUsage.set(func(context.Context, []storage.UsageDelta) error { return errors.New("connection reset") })
		answer(t, s, asked(keyText, nil))
		answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Product = new("other") }))
		sleep(time.Second)
		if s.Lost() != 2 {
			t.Errorf("%d lost, want 2", s.Lost())
		}
		w.store.addUsage.clear()
		stop()
		if got := counted(t, w, id); got != nil {
			t.Errorf("added twice: %v", got)
		}
	})
}

// An addition that shutting down cut short would be of unknown fate.
func TestShuttingDownLetsAnAdditionFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		added := 0
		w.store.addUsage.set(func(ctx context.Context, _ []storage.UsageDelta) error {
			select {
			case <-time.After(3 * time.Second):
				added++
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		s := w.service(nil)
		stop := run(t, s)
		answer(t, s, asked(keyText, nil))
		sleep(time.Second + time.Millisecond) // it is being added
		answer(t, s, asked(keyText, nil))
		stop()
		if added != 2 || s.Lost() != 0 {
			t.Errorf("%d additions, %d lost; want 2, none", added, s.Lost())
		}
	})
}

func TestAStorageThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		w.store.addUsage.set(func(ctx context.Context, _ []storage.UsageDelta) error {
			<-ctx.Done()
			return ctx.Err()
		})
		s := w.service(nil)
		stop := run(t, s)
		answer(t, s, asked(keyText, nil))
		began := time.Now()
		stop()
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestWhatWaitsForStorageIsBounded(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.Duration = nil })
	s := w.from(gives(used(t, w, keyText), noon.AddDate(1000, 0, 0)))
	const bound = 100_000
	for range bound + 3 { // days
		wantCode(t, answer(t, s, asked(keyText, nil)), license.CodeValid)
		w.clock.advance(24 * time.Hour)
	}
	if s.Lost() != 3 {
		t.Errorf("%d lost, want 3", s.Lost())
	}
	w.clock.Store(noon.UnixMilli())
	answer(t, s, asked(keyText, nil))
	if s.Lost() != 3 {
		t.Error("a day that is counted already takes no more")
	}
}

func TestADimensionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		keyText := w.issue(t, nil)
		s := w.service(nil)
		stop := run(t, s)
		for i := range storage.MaxValues + 5 {
			answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Domain = new(fmt.Sprintf("d%d.example.com", i)) }))
		}
		stop()
		domains := counted(t, w, w.snapshot(t, keyText).License.ID)[0].Values[storage.ByDomain]
		if len(domains) != storage.MaxValues+1 || domains[storage.Other] != 5 {
			t.Errorf("%d values, %d under other", len(domains), domains[storage.Other])
		}
	})
}
