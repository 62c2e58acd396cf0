package rate_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/validation/rate"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// take takes one if there is one left, and says whether there was.
func take(t *rate.Table[string], key string, n int, now time.Time) bool {
	if t.Wait(key, n, now) > 0 {
		return false
	}
	t.Take(key, n, now)
	return true
}

func passed(table *rate.Table[string], key string, n, tries int, now time.Time) int {
	count := 0
	for range tries {
		if take(table, key, n, now) {
			count++
		}
	}
	return count
}

func TestABurstPassesAndThenOneAtATime(t *testing.T) {
	for _, n := range []int{1, 6, 7, 10, 20_020} {
		table := rate.New[string](time.Minute, 100)
		if got := passed(table, "a", n, n+5, noon); got != n {
			t.Fatalf("%d of %d passed at once", got, n)
		}
		wait := table.Wait("a", n, noon)
		if each := time.Minute / time.Duration(n); wait != each {
			t.Errorf("the next of %d in %v, want %v", n, wait, each)
		}
		if take(table, "a", n, noon.Add(wait-1)) {
			t.Errorf("one of %d passed too early", n)
		}
		if got := passed(table, "a", n, 2, noon.Add(wait)); got != 1 {
			t.Errorf("after %v %d of %d passed, want 1", wait, got, n)
		}
		if got := passed(table, "a", n, n+5, noon.Add(time.Hour)); got != n {
			t.Errorf("an hour later %d of %d passed", got, n)
		}
	}
}

func TestKeysDoNotShare(t *testing.T) {
	table := rate.New[string](time.Minute, 100)
	for _, key := range []string{"a", "b"} {
		if got := passed(table, key, 3, 9, noon); got != 3 {
			t.Errorf("%s: %d passed, want 3", key, got)
		}
	}
}

func TestWhatIsGivenBackCanBeTakenAgain(t *testing.T) {
	table := rate.New[string](time.Minute, 100)
	if got := passed(table, "a", 3, 9, noon); got != 3 {
		t.Fatalf("%d passed, want 3", got)
	}
	table.Return("a", 3, noon.Add(time.Second)) // long after it was taken
	if got := passed(table, "a", 3, 9, noon.Add(time.Second)); got != 1 {
		t.Errorf("%d passed, want the one that was given back", got)
	}
	table.Return("b", 3, noon) // of what nobody took nothing is kept
	if got := passed(table, "b", 3, 9, noon); got != 3 {
		t.Errorf("%d passed, want 3", got)
	}
}

func TestWhatIsTakenWithoutAskingIsOwedForOnePeriodAtMost(t *testing.T) {
	table := rate.New[string](time.Minute, 100)
	for range 50 {
		table.Take("a", 3, noon)
	}
	if got := table.Wait("a", 3, noon); got != 20*time.Second {
		t.Errorf("the next in %v, want 20s", got)
	}
}

func TestARateMayChange(t *testing.T) {
	table := rate.New[string](time.Hour, 100)
	if got := passed(table, "a", 22, 99, noon); got != 22 {
		t.Fatalf("%d passed, want 22", got)
	}
	// Used up under the old one, the next is earned as fast as the new one says.
	if got := table.Wait("a", 220, noon).Round(time.Millisecond); got != (time.Hour / 220).Round(time.Millisecond) {
		t.Errorf("the next in %v, want %v", got, time.Hour/220)
	}
	if got := passed(table, "a", 22, 99, noon.Add(2*time.Hour)); got != 22 {
		t.Errorf("%d passed, want 22", got)
	}
}

func TestAClockThatIsSetBackCostsOnePeriodAtMost(t *testing.T) {
	for _, back := range []time.Duration{time.Second, time.Minute, 24 * time.Hour, 50 * 365 * 24 * time.Hour} {
		table := rate.New[string](time.Minute, 100)
		passed(table, "a", 10, 10, noon)
		now := noon.Add(-back)
		refusals := 0
		for ; refusals <= 60 && !take(table, "a", 10, now); refusals++ {
			now = now.Add(time.Second)
		}
		if refusals > 60 {
			t.Errorf("back %v: refused for %d s", back, refusals)
		}
		if got := passed(table, "a", 10, 20, now.Add(2*time.Minute)); got != 10 {
			t.Errorf("back %v: later %d passed, want 10", back, got)
		}
	}
}

func TestMemoryIsBoundedAndIdleKeysGo(t *testing.T) {
	table := rate.New[string](time.Minute, 1_000)
	for i := range 20_000 {
		if !take(table, fmt.Sprint(i), 1, noon.Add(time.Duration(i)*time.Microsecond)) {
			t.Fatalf("%d was refused", i)
		}
		if table.Len() > 1_000 {
			t.Fatalf("%d keys", table.Len())
		}
	}
	if take(table, "19999", 1, noon.Add(time.Second)) {
		t.Error("a key that was seen just now is forgotten")
	}
	take(table, "x", 1, noon.Add(2*time.Minute))
	take(table, "y", 1, noon.Add(4*time.Minute))
	if table.Len() != 2 {
		t.Errorf("%d keys, want those of the last periods alone", table.Len())
	}
}

// Within its memory a table passes exactly what a counting of every key for
// itself does.
func TestNothingIsForgottenWithinTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const keys = 5
		shared := rate.New[string](time.Minute, 2*keys)
		var alone [keys]*rate.Table[string]
		for i := range alone {
			alone[i] = rate.New[string](time.Minute, 2)
		}
		now := noon
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond / 4)
			i, n := rapid.IntRange(0, keys-1).Draw(t, "key"), rapid.IntRange(1, 8).Draw(t, "n")
			if rapid.Bool().Draw(t, "back") {
				shared.Return(fmt.Sprint(i), n, now)
				alone[i].Return("", n, now)
				continue
			}
			if got, want := take(shared, fmt.Sprint(i), n, now), take(alone[i], "", n, now); got != want {
				t.Fatalf("key %d passes: %t, want %t", i, got, want)
			}
		}
	})
}
