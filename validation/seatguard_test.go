package validation_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/validation"
)

func newGuard(l validation.Limits) (validation.SeatGuard, *clock) {
	c := &clock{}
	c.Store(noon.UnixMilli())
	return validation.NewSeatGuard(l, c.now), c
}

// changes takes seats of one license for further subjects, and says how many
// it got; the others must be RATE_LIMITED.
func changes(t *testing.T, g validation.SeatGuard, id string, limit *int, tries int) (got int) {
	t.Helper()
	for i := range tries {
		if _, err := g.Take(id, limit, fmt.Sprintf("%s of %s", id, string(rune('a'+i)))); err != nil {
			wantLimited(t, err)
			continue
		}
		got++
	}
	return got
}

func TestALicenseChangesItsSeatsSoOftenAnHour(t *testing.T) {
	for name, test := range map[string]struct {
		limit *int
		want  int
	}{
		"one seat":    {new(1), 22},
		"five seats":  {new(5), 30},
		"no seat":     {new(0), 20},
		"without end": {nil, 20_020},
	} {
		g, clock := newGuard(validation.DefaultLimits())
		if got := changes(t, g, "lic_1", test.limit, test.want+9); got != test.want {
			t.Errorf("%s: %d changes, want %d", name, got, test.want)
		}
		if got := changes(t, g, "lic_2", test.limit, 1); got != 1 {
			t.Errorf("%s: another license is refused", name)
		}
		_, err := g.Take("lic_1", test.limit, "another")
		wait := wantLimited(t, err).RetryAfter
		clock.advance(wait + time.Millisecond)
		if got := changes(t, g, "lic_1", test.limit, 3); test.want < 1_000 && got != 1 {
			t.Errorf("%s: after %v %d changes, want 1", name, wait, got)
		}
	}
}

func TestASubjectChangesItsSeatSoOftenAnHour(t *testing.T) {
	g, clock := newGuard(validation.DefaultLimits())
	for i := range 3 { // to take and to free are two
		if _, err := g.Take("lic_1", new(1), "machine"); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		g.Note("lic_1", new(1), "machine")
	}
	_, err := g.Take("lic_1", new(1), "machine")
	if got := wantLimited(t, err).RetryAfter; got != 10*time.Minute {
		t.Errorf("again after %v, want 10m", got)
	}
	if got := changes(t, g, "lic_1", new(1), 99); got != 22-6 { // what was refused is not counted
		t.Errorf("others change %d times, want 16", got)
	}
	clock.advance(time.Hour)
	if _, err := g.Take("lic_1", new(1), "machine"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestFreeingIsNeverRefusedAndCounts(t *testing.T) {
	g, clock := newGuard(validation.DefaultLimits())
	for i := range 1_000 {
		g.Note("lic_1", new(1), fmt.Sprint("subject", i))
	}
	if got := changes(t, g, "lic_1", new(1), 3); got != 0 {
		t.Errorf("%d seats taken after 1,000 were freed", got)
	}
	clock.advance(time.Hour) // which is as long as any debt lasts
	if got := changes(t, g, "lic_1", new(1), 30); got != 22 {
		t.Errorf("an hour later %d changes, want 22", got)
	}
}

func TestAChangeThatWasNotMadeIsGivenBack(t *testing.T) {
	g, _ := newGuard(validation.DefaultLimits())
	for range 100 {
		giveBack, err := g.Take("lic_1", new(1), "machine")
		ok(t, err)
		giveBack()
	}
	if licenses, subjects := g.Remembered(); licenses+subjects != 0 {
		t.Errorf("%d licenses and %d subjects are remembered for nothing", licenses, subjects)
	}
}

func TestNoMoreChangesAreUnderWayThanAreLeft(t *testing.T) {
	g, _ := newGuard(validation.DefaultLimits())
	var got atomic.Int64
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			if _, err := g.Take("lic_1", new(10), fmt.Sprint(i)); err == nil {
				got.Add(1)
			}
		})
	}
	callers.Wait()
	if got.Load() != 40 {
		t.Errorf("%d changes, want 40", got.Load())
	}
}

func TestALimitThatIsOffBoundsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		limits  validation.Limits
		license int // changes of a license, out of 100
		subject int // and of one subject
	}{
		"all":         {validation.Limits{}, 100, 100},
		"of subjects": {validation.Limits{SeatChanges: 20}, 22, 22},
		"of licenses": {validation.Limits{SubjectChanges: 6}, 100, 6},
	} {
		g, _ := newGuard(test.limits)
		if got := changes(t, g, "lic_1", new(1), 100); got != test.license {
			t.Errorf("%s: %d changes of a license, want %d", name, got, test.license)
		}
		got := 0
		for range 100 {
			if _, err := g.Take("lic_2", new(1), "machine"); err == nil {
				got++
			}
		}
		if got != test.subject {
			t.Errorf("%s: %d changes of a subject, want %d", name, got, test.subject)
		}
	}
}

func TestAnyNumberOfLicensesTakesABoundedMemory(t *testing.T) {
	g, _ := newGuard(validation.DefaultLimits())
	for i := range 150_000 {
		_, err := g.Take(fmt.Sprint("lic_", i), new(1), fmt.Sprint("machine of ", i))
		ok(t, err)
	}
	if licenses, subjects := g.Remembered(); licenses > 100_000 || subjects > 100_000 {
		t.Errorf("%d licenses and %d subjects are remembered", licenses, subjects)
	}
}

func TestSeatsAreNotLockedByAClockThatIsSetBack(t *testing.T) {
	g, clock := newGuard(validation.DefaultLimits())
	changes(t, g, "lic_1", new(1), 30)
	clock.advance(-30 * 24 * time.Hour)
	if got := changes(t, g, "lic_1", new(1), 30); got != 22 {
		t.Errorf("then %d changes, want 22", got)
	}
}
