package storage

import (
	"maps"
	"slices"
	"time"
)

// Day is a calendar day in UTC, as 2026-11-21.
type Day string

// DayOf gives the day of t.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Dimension is one way to break a day's uses down.
type Dimension string

// The dimensions.
const (
	ByCode        Dimension = "code"
	ByFingerprint Dimension = "fingerprint"
	ByDomain      Dimension = "domain"
	ByCountry     Dimension = "country"
)

// MaxValues is how many values of a dimension a day keeps apart; what is
// counted under any further one, or under one that is no text, is counted
// under Other.
const (
	MaxValues = 100
	Other     = "other"
)

// Values counts uses by dimension and value.
type Values map[Dimension]map[string]int64

// UsageDelta is what is to be added for a record on a day.
type UsageDelta struct {
	Record  string
	Product string // empty: to no product
	Day     Day
	Valid   int64
	Invalid int64
	Last    time.Time // of the last use; the stored one only moves forward
	Values  Values
}

// UsageDay is how often something was used on a day.
type UsageDay struct {
	Day     Day
	Valid   int64
	Invalid int64
	Values  Values
}

// Add adds d's counts to the day. Values beyond MaxValues, and what is no text,
// go to Other, which is not one of them: the first to come stay.
func (u *UsageDay) Add(d UsageDelta) {
	u.Valid += d.Valid
	u.Invalid += d.Invalid
	for dimension, counts := range d.Values {
		if u.Values == nil {
			u.Values = Values{}
		}
		stored := u.Values[dimension]
		if stored == nil {
			stored = make(map[string]int64, len(counts))
			u.Values[dimension] = stored
		}
		for _, value := range slices.Sorted(maps.Keys(counts)) {
			stored[room(stored, value)] += counts[value]
		}
	}
}

// room gives the name under which stored has room to count value.
func room(stored map[string]int64, value string) string {
	if _, known := stored[value]; known {
		return value
	}
	if !IsText(value) {
		return Other
	}
	kept := len(stored)
	if _, full := stored[Other]; full {
		kept--
	}
	if kept >= MaxValues {
		return Other
	}
	return value
}
