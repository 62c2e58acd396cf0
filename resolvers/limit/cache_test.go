package limit_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/resolvers/limit"
)

func TestTextsThatNeverComeAgainPushOutNoneThatDoes(t *testing.T) {
	c := limit.NewCache[int](100_000)
	for i := range 70 {
		text := fmt.Sprint("good ", i)
		c.Add(text, i, 1_000)
		c.Get(text)
	}
	for i := range 10_000 {
		c.Add(fmt.Sprint("garbage ", i), i, 1_000)
		if i%100 == 0 && c.Bytes() > 100_000 {
			t.Fatalf("%d bytes", c.Bytes())
		}
	}
	for i := range 70 {
		if got, ok := c.Get(fmt.Sprint("good ", i)); !ok || got != i {
			t.Errorf("good %d: %d, %v", i, got, ok)
		}
	}
}

// Garbage that comes twice takes the place of what is not asked for.
func TestWhatIsInUseOutlivesGarbageThatComesTwice(t *testing.T) {
	c := limit.NewCache[int](100_000)
	for i := range 10_000 {
		if i > 0 {
			if _, ok := c.Get("good"); !ok {
				t.Fatalf("gone after %d", i)
			}
		}
		c.Add("good", 1, 1_000)
		c.Add("idle", 1, 1_000)
		for n := range 20 {
			text := fmt.Sprint("garbage ", i, n)
			c.Add(text, i, 1_000)
			c.Get(text)
		}
		if i == 200 {
			break
		}
	}
	if got := c.Bytes(); got > 100_000 || got < 90_000 {
		t.Errorf("%d bytes", got)
	}
}

func TestWhatIsTooLargeIsNotRemembered(t *testing.T) {
	c := limit.NewCache[int](100_000)
	c.Add("large", 1, 25_001)
	if _, ok := c.Get("large"); ok || c.Bytes() != 0 {
		t.Errorf("%v, %d bytes", ok, c.Bytes())
	}
	c.Add("a", 1, 25_000)
	c.Add("a", 2, 25_000)
	if got, _ := c.Get("a"); got != 1 || c.Bytes() != 25_000 {
		t.Errorf("%d, %d bytes", got, c.Bytes())
	}
}

// Whatever is done, a cache holds what it was given, within its bound, and
// gives it back under its own text.
func TestACacheKeepsItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(0, 200).Draw(t, "bound")
		c := limit.NewCache[string](bound)
		sizes := map[string]int{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				text := rapid.StringMatching("[a-h]").Draw(t, "text")
				bytes := rapid.IntRange(0, 60).Draw(t, "bytes")
				if _, known := c.Get(text); !known {
					sizes[text] = bytes
				}
				c.Add(text, text, bytes)
			},
			"get": func(t *rapid.T) {
				text := rapid.StringMatching("[a-h]").Draw(t, "text")
				if got, ok := c.Get(text); ok && got != text {
					t.Fatalf("%s is %s", text, got)
				}
			},
			"": func(t *rapid.T) {
				all := 0
				for _, text := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
					if _, ok := c.Get(text); ok {
						all += sizes[text]
					}
				}
				if got := c.Bytes(); got > bound || got > all {
					t.Fatalf("%d bytes, bound %d, entries of %d", got, bound, all)
				}
			},
		})
	})
}

func TestACacheIsSharedByMany(t *testing.T) {
	c := limit.NewCache[int](10_000)
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 1_000 {
				c.Add(fmt.Sprint(i%50), i%50, 100+caller)
				if got, ok := c.Get(fmt.Sprint(i % 50)); ok && got != i%50 {
					t.Errorf("%d is %d", i%50, got)
				}
			}
		})
	}
	callers.Wait()
	if c.Bytes() > 10_000 {
		t.Errorf("%d bytes", c.Bytes())
	}
}
