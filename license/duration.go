package license

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/keywright/keywright/fault"
)

const (
	day           = 24 * time.Hour
	secondsOfADay = int64(day / time.Second)
	monthsOfAYear = 12
)

// Duration is an ISO 8601 duration of calendar months and whole seconds. A
// year is twelve months, and a day is 24 hours, as it is in UTC. Two Durations
// are equal (==) exactly if they add the same to every time. The zero Duration
// is PT0S.
type Duration struct {
	months  int64
	seconds int64
}

// unit is a letter of the text form, and what one of it lasts.
type unit struct {
	letter string
	one    Duration
}

// ParseDuration reads P1Y2M3W4DT5H6M7S or any part of it. It takes no sign and
// no fraction, and nothing longer than P100Y, reckoned from 1 January 2000.
// Zero parses; whether it is allowed is the caller's rule.
func ParseDuration(text string) (Duration, error) {
	rest, isDuration := strings.CutPrefix(text, "P")
	date, clock, timed := strings.Cut(rest, "T")
	if !isDuration || rest == "" || timed && clock == "" {
		return Duration{}, badDuration()
	}
	var d Duration
	err := errors.Join(
		d.parse(date,
			unit{"Y", Duration{months: monthsOfAYear}}, unit{"M", Duration{months: 1}},
			unit{"W", Duration{seconds: 7 * secondsOfADay}}, unit{"D", Duration{seconds: secondsOfADay}}),
		d.parse(clock,
			unit{"H", Duration{seconds: 3600}}, unit{"M", Duration{seconds: 60}}, unit{"S", Duration{seconds: 1}}))
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Duration{}, longDuration()
	case err != nil:
		return Duration{}, badDuration()
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	longest := start.AddDate(100, 0, 0)
	if d.months > 100*monthsOfAYear || d.seconds > int64(longest.Sub(start)/time.Second) || d.AddTo(start).After(longest) {
		return Duration{}, longDuration()
	}
	return d, nil
}

func badDuration() error {
	return fault.Errorf(fault.InvalidInput, "not a duration: write ISO 8601 in whole numbers, such as P1Y, P30D or PT10M")
}

func longDuration() error { return fault.Errorf(fault.InvalidInput, "a duration is at most P100Y") }

// parse adds what text has of the units, each at most once and in their order.
// A number is at most 2^32-1, which is more than the seconds of P100Y.
func (d *Duration) parse(text string, units ...unit) error {
	for _, u := range units {
		digits, rest, found := strings.Cut(text, u.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return err
		}
		d.months += int64(n) * u.one.months
		d.seconds += int64(n) * u.one.seconds
		text = rest
	}
	if text != "" {
		return strconv.ErrSyntax
	}
	return nil
}

// String gives the canonical text: the fewest, largest units, weeks as days.
func (d Duration) String() string {
	if d.IsZero() {
		return "PT0S"
	}
	b := []byte{'P'}
	b = appendUnit(b, d.months/monthsOfAYear, 'Y')
	b = appendUnit(b, d.months%monthsOfAYear, 'M')
	b = appendUnit(b, d.seconds/secondsOfADay, 'D')
	if clock := d.seconds % secondsOfADay; clock != 0 {
		b = append(b, 'T')
		b = appendUnit(b, clock/3600, 'H')
		b = appendUnit(b, clock/60%60, 'M')
		b = appendUnit(b, clock%60, 'S')
	}
	return string(b)
}

func appendUnit(b []byte, n int64, letter byte) []byte {
	if n == 0 {
		return b
	}
	return append(strconv.AppendInt(b, n, 10), letter)
}

// AddTo gives the time that is d after t: first the months, where a day that
// the month does not have becomes its last, then the rest. It is in UTC and
// never past the year 9999, the last that RFC 3339 can write.
func (d Duration) AddTo(t time.Time) time.Time {
	t = t.UTC()
	moved := t.AddDate(0, int(d.months), 0)
	if moved.Day() != t.Day() { // AddDate went over into the next month
		moved = moved.AddDate(0, 0, -moved.Day())
	}
	return earlier(moved.Add(time.Duration(d.seconds)*time.Second), latest())
}

// noSooner gives a time that is not later than what d adds up to from t or from
// any later time. Since days that a month does not have become its last, that
// is not d after t: a month after the evening of 30 January comes later than a
// month after the morning of the 31st.
func (d Duration) noSooner(t time.Time) time.Time {
	if d.months > 0 {
		t = t.Truncate(day)
	}
	return d.AddTo(t)
}

// IsZero reports whether d adds nothing.
func (d Duration) IsZero() bool { return d == Duration{} }

// AtLeast reports whether d is no shorter than least, wherever it starts: a
// month counts as 28 days.
func (d Duration) AtLeast(least time.Duration) bool {
	return time.Duration(d.months)*28*day+time.Duration(d.seconds)*time.Second >= least
}

// MarshalText gives the canonical text.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}
