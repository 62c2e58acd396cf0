package license_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

func TestParseDurationReadsEveryUnitAndGivesTheCanonicalText(t *testing.T) {
	for text, want := range map[string]string{
		"P1Y": "P1Y", "P12M": "P1Y", "P18M": "P1Y6M", "P30D": "P30D", "P2W": "P14D", "P1W1D": "P8D",
		"PT10M": "PT10M", "PT90M": "PT1H30M", "PT24H": "P1D", "PT86401S": "P1DT1S", "PT3600S": "PT1H",
		"P1Y2M3W4DT5H6M7S": "P1Y2M25DT5H6M7S", "P001Y": "P1Y",
		"P0D": "PT0S", "PT0S": "PT0S", "P0Y0M": "PT0S",
		"P100Y": "P100Y", "P1200M": "P100Y", "P36525D": "P36525D", "PT3155760000S": "P36525D", "P99Y365D": "P99Y365D",
	} {
		got, err := license.ParseDuration(text)
		if err != nil || got.String() != want {
			t.Errorf("%s is read as %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestParseDurationRefusesWhatIsNone(t *testing.T) {
	for _, text := range []string{
		"", "P", "T", "PT", "P1", "1Y", "P1YT", "PT1D", "P1H", "p1y", "P1y", "-P1D", "P-1D", "+P1D", "P+1D",
		"P1.5D", "P1,5D", "PT0.5S", "P1D1Y", "P1Y1Y", "P1M1Y", "P 1D", "P1D ", "P1_000D", "P０D", "P1YT1H1H", "PT1HT1M", "P0x1D",
	} {
		if d, err := license.ParseDuration(text); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%q is read as %s, %v", text, d, err)
		}
	}
}

func TestParseDurationRefusesMoreThanAHundredYears(t *testing.T) {
	for _, text := range []string{
		"P101Y", "P100Y1D", "P100YT1S", "P1201M", "P36526D", "PT3155760001S", "P5218W", "P99Y366D",
		"P4294967295Y", "P4294967295W", "P4294967296D", "P99999999999999999999Y",
	} {
		d, err := license.ParseDuration(text)
		if err == nil || err.Error() != "a duration is at most P100Y" {
			t.Errorf("%s is read as %s, %v", text, d, err)
		}
	}
}

func TestAddToClipsDaysThatDoNotExist(t *testing.T) {
	for _, c := range []struct{ from, add, want string }{
		{"2026-01-31T10:00:00Z", "P1M", "2026-02-28T10:00:00Z"},
		{"2028-01-31T10:00:00Z", "P1M", "2028-02-29T10:00:00Z"},
		{"2028-02-29T00:00:00Z", "P1Y", "2029-02-28T00:00:00Z"},
		{"2028-02-29T00:00:00Z", "P4Y", "2032-02-29T00:00:00Z"},
		{"2026-03-31T00:00:00Z", "P1M", "2026-04-30T00:00:00Z"},
		{"2026-01-31T00:00:00Z", "P1M1D", "2026-03-01T00:00:00Z"},
		{"2026-12-31T23:59:59.999Z", "P2M", "2027-02-28T23:59:59.999Z"},
		{"2026-11-21T02:00:00+05:00", "PT1S", "2026-11-20T21:00:01Z"},
		{"2096-02-29T00:00:00Z", "P4Y", "2100-02-28T00:00:00Z"},
		{"9950-06-01T00:00:00Z", "P100Y", "9999-12-31T23:59:59.999Z"},
	} {
		got := duration(t, c.add).AddTo(instant(c.from))
		if !got.Equal(instant(c.want)) || got.Location() != time.UTC {
			t.Errorf("%s + %s = %s, want %s", c.from, c.add, got, c.want)
		}
	}
}

// The oracle counts days one by one and knows nothing of package time's
// calendar.
func TestAddToAgreesWithACalendarCountedByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.IntRange(1970, 2200).Draw(t, "year")
		month := rapid.IntRange(1, 12).Draw(t, "month")
		dayOfMonth := rapid.IntRange(1, daysIn(year, month)).Draw(t, "day")
		clock := rapid.IntRange(0, 86399).Draw(t, "clock")
		months := rapid.IntRange(0, 1100).Draw(t, "months")
		seconds := rapid.IntRange(0, 200_000_000).Draw(t, "seconds")
		d, err := license.ParseDuration("P" + itoa(months) + "MT" + itoa(seconds) + "S")
		if err != nil {
			t.Fatal(err)
		}
		got := d.AddTo(time.Date(year, time.Month(month), dayOfMonth, 0, 0, clock, 0, time.UTC))

		y, m := year, month
		for range months {
			if m++; m > 12 {
				y, m = y+1, 1
			}
		}
		n := min(dayOfMonth, daysIn(y, m))
		clock += seconds
		for ; clock >= 86400; clock -= 86400 {
			if n++; n > daysIn(y, m) {
				n = 1
				if m++; m > 12 {
					y, m = y+1, 1
				}
			}
		}
		want := time.Date(y, time.Month(m), n, clock/3600, clock/60%60, clock%60, 0, time.UTC)
		if !got.Equal(want) {
			t.Fatalf("%04d-%02d-%02d + %s = %s, want %s", year, month, dayOfMonth, d, got, want)
		}
	})
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func TestAddToGoesForwardInBothArguments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, longer := anyDuration().Draw(t, "d"), anyDuration().Draw(t, "longer")
		from, to := anyTime().Draw(t, "from"), anyTime().Draw(t, "to")
		if from.After(to) {
			from, to = to, from
		}
		if d.AddTo(from).After(d.AddTo(to)) {
			t.Fatalf("%s leads from %s past where it leads from %s", d, from, to)
		}
		sum := longer.AddTo(d.AddTo(from))
		if sum.Before(d.AddTo(from)) || !d.IsZero() && !d.AddTo(from).After(from) {
			t.Fatalf("%s and %s lead back from %s", d, longer, from)
		}
	})
}

func TestAtLeastCountsTheShortestMonths(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		text  string
		least time.Duration
		want  bool
	}{
		{"PT10S", 10 * time.Second, true},
		{"PT9S", 10 * time.Second, false},
		{"PT0S", 0, true},
		{"PT0S", 1, false},
		{"P1M", 28 * day, true},
		{"P1M", 28*day + 1, false},
		{"P100Y", 33600 * day, true},
	} {
		if got := duration(t, c.text).AtLeast(c.least); got != c.want {
			t.Errorf("%s is at least %s: %v", c.text, c.least, got)
		}
	}
}

func TestDurationIsTextInJSON(t *testing.T) {
	type body struct {
		Grace *license.Duration `json:"grace,omitempty"`
	}
	d := duration(t, "P14D")
	text, err := json.Marshal(body{&d})
	if err != nil || string(text) != `{"grace":"P14D"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back body
	if err := json.Unmarshal(text, &back); err != nil || *back.Grace != d {
		t.Fatalf("%v, %v", back.Grace, err)
	}
	if err := json.Unmarshal([]byte(`{"grace":"-P1D"}`), &back); err == nil || *back.Grace != d {
		t.Fatalf("a bad duration gives %v and leaves %v", err, back.Grace)
	}
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"P1Y2M3W4DT5H6M7S", "PT0S", "P100Y", "P1.5D", "-P1D", "P", "P36525D", "P1M1Y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := license.ParseDuration(text)
		if err != nil {
			if d != (license.Duration{}) {
				t.Fatalf("%q is refused and gives %s", text, d)
			}
			return
		}
		again, err := license.ParseDuration(d.String())
		if err != nil || again != d || again.String() != d.String() {
			t.Fatalf("%q is %s, which is %s, %v", text, d, again, err)
		}
	})
}
