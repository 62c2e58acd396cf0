package license_test

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

func itoa(n int) string { return strconv.Itoa(n) }

func duration(t tester, text string) license.Duration {
	t.Helper()
	d, err := license.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// instant reads a time that the test states, and panics on a typing error.
func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

func anyDuration() *rapid.Generator[license.Duration] {
	return rapid.Custom(func(t *rapid.T) license.Duration {
		text := "P" + itoa(rapid.IntRange(0, 40).Draw(t, "years")) + "Y" + itoa(rapid.IntRange(0, 30).Draw(t, "months")) + "M" +
			itoa(rapid.IntRange(0, 800).Draw(t, "days")) + "DT" + itoa(rapid.IntRange(0, 100_000).Draw(t, "seconds")) + "S"
		return duration(t, text)
	})
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 7_000_000_000_000).Draw(t, "milliseconds")).UTC()
	})
}
