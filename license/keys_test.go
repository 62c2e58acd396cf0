package license_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

// keyed gives a license with a key.
func keyed(t tester) *license.License {
	l := issued(t, planned(nil), license.IssueSpec{})
	l.Keys = []license.Key{key("0")}
	return l
}

func key(name string) license.Key {
	return license.Key{Lookup: []byte(name), Hint: name, Sealed: []byte(name)}
}

func rotated(t tester, l *license.License, name, overlap string, now time.Time) {
	t.Helper()
	if err := l.RotateKey(key(name), *lasting(overlap), now); err != nil {
		t.Fatalf("rotate: %v", err)
	}
}

func TestARotatedKeyWorksUntilItsOverlapHasPassed(t *testing.T) {
	l := keyed(t)
	end := noon.Add(time.Hour)
	rotated(t, l, "1", "PT1H", noon)
	for _, c := range []struct {
		key  string
		at   time.Time
		want bool
	}{
		{"0", noon, true}, {"0", end.Add(-time.Millisecond), true}, {"0", end, false},
		{"1", noon, true}, {"1", end.AddDate(9, 0, 0), true}, {"2", noon, false},
	} {
		if got := l.HasKey([]byte(c.key), c.at); got != c.want {
			t.Errorf("key %s at %v counts: %t", c.key, c.at, got)
		}
	}
	if got := l.CurrentKey(); got.Hint != "1" || !got.EndsAt.IsZero() {
		t.Errorf("the current key is %+v", got)
	}
	if got := l.KeyEndsAt([]byte("0")); !got.Equal(end) || !l.KeyEndsAt([]byte("1")).IsZero() || !l.OldKeysEnd().Equal(end) {
		t.Errorf("the old key ends at %v", got)
	}
	if len(l.Keys[0].Sealed) != 0 {
		t.Error("a copy of the old key is kept")
	}
}

func TestARotationWithoutOverlapEndsEveryOldKeyAtOnce(t *testing.T) {
	l := keyed(t)
	rotated(t, l, "1", "P1Y", noon)
	rotated(t, l, "2", "P1D", noon)
	if got := l.KeyEndsAt([]byte("0")); !got.Equal(noon.AddDate(0, 0, 1)) {
		t.Errorf("a shorter overlap leaves the oldest key until %v", got)
	}
	rotated(t, l, "3", "PT0S", noon)
	if len(l.Keys) != 1 || !l.HasKey([]byte("3"), noon) {
		t.Errorf("listed are %+v", l.Keys)
	}
}

func TestALicenseListsABoundedNumberOfKeys(t *testing.T) {
	l := keyed(t)
	for i := range license.MaxKeys - 1 {
		rotated(t, l, fmt.Sprint(i+1), "P1Y", noon)
	}
	before := copied(t, l)
	wantState(t, l.RotateKey(key("more"), *lasting("P1Y"), noon))
	if d := diff(before, l); d != "" {
		t.Error(d)
	}
	rotated(t, l, "more", "PT0S", noon)
	if len(l.Keys) != 1 {
		t.Errorf("%d keys are left", len(l.Keys))
	}
}

func TestThereIsAlwaysOneCurrentKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, now := keyed(t), noon
		for i := range rapid.IntRange(1, 20).Draw(t, "rotations") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "later")))
			name := fmt.Sprint(i + 1)
			rotated(t, l, name, rapid.SampledFrom([]string{"PT0S", "PT1S", "P1D", "P100Y"}).Draw(t, "overlap"), now)
			current := 0
			for _, k := range l.Keys {
				if k.EndsAt.IsZero() {
					current++
				} else if !l.HasKey(k.Lookup, now) {
					t.Fatalf("a key that has ended is listed: %+v", k)
				}
			}
			if current != 1 || l.CurrentKey().Hint != name {
				t.Fatalf("%d keys are current, and after %s it is %s", current, name, l.CurrentKey().Hint)
			}
		}
	})
}

func TestAYesStandsNoLongerThanTheKeyThatAsks(t *testing.T) {
	end := noon.Add(time.Hour)
	for _, c := range []struct {
		ends        time.Time
		good, again time.Time
	}{
		{time.Time{}, noon.Add(24 * time.Hour), noon.Add(2 * time.Hour)},
		{end, end, end},
	} {
		l := keyed(t)
		d := license.Decide(l, planned(nil), acme(), license.Request{KeyEndsAt: c.ends}, noon)
		if !d.Valid || !d.GoodUntil.Equal(c.good) || !d.RefreshAt(noon, 2*time.Hour).Equal(c.again) {
			t.Errorf("a key until %v: good until %v, refresh at %v", c.ends, d.GoodUntil, d.RefreshAt(noon, 2*time.Hour))
		}
	}
}
