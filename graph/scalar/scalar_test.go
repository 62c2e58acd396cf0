package scalar_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/graph/scalar"
	"github.com/keywright/keywright/license"
)

// written gives what a marshaler writes.
func written(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

// takes fails unless unmarshal makes want of each value, and refuses each of
// the others.
func takes[T any](t *testing.T, unmarshal func(any) (T, error), want map[any]T, others ...any) {
	t.Helper()
	for v, one := range want {
		got, err := unmarshal(v)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(one) {
			t.Errorf("%T %v is read as %v, %v; want %v", v, v, got, err, one)
		}
	}
	for _, v := range others {
		got, err := unmarshal(v)
		if err == nil {
			t.Errorf("%T %v is read as %v", v, v, got)
			continue
		}
		if !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%T %v: %v", v, v, err)
		}
	}
}

func TestStringsAreText(t *testing.T) {
	takes(t, scalar.UnmarshalString, map[any]string{"": "", "a": "a", "3": "3"},
		3, int64(3), json.Number("3"), 3.5, true, nil, []any{"a"}, map[string]any{})
	if got := written(scalar.MarshalString("a\"\n<b>\x00")); got != `"a\"\n<b>\u0000"` {
		t.Errorf("written as %s", got)
	}
}

func TestIDsAreTextOrWholeNumbers(t *testing.T) {
	takes(t, scalar.UnmarshalID, map[any]string{"acme": "acme", int64(3): "3", json.Number("3"): "3"},
		json.Number("3.0"), 3.5, true, nil, []any{"a"})
}

func TestBooleansAreBooleans(t *testing.T) {
	takes(t, scalar.UnmarshalBoolean, map[any]bool{true: true, false: false},
		"true", "false", "", 1, int64(0), json.Number("1"), nil)
}

func TestIntsAreWholeNumbersOf32Bits(t *testing.T) {
	takes(t, scalar.UnmarshalInt, map[any]int{
		3: 3, int64(-3): -3, json.Number("0"): 0, json.Number("2147483647"): 1<<31 - 1, json.Number("-2147483648"): -1 << 31,
	},
		json.Number("3.0"), json.Number("1e3"), json.Number("3.5"), json.Number("2147483648"), json.Number("-2147483649"),
		json.Number("99999999999999999999"), int64(1<<31), 3.0, "3", "", true, nil)
}

func TestInt64sAreWholeNumbersThatEveryReaderTakes(t *testing.T) {
	takes(t, scalar.UnmarshalInt64, map[any]int64{
		3: 3, json.Number("9007199254740991"): 1<<53 - 1, json.Number("-9007199254740991"): -1<<53 + 1,
	},
		json.Number("9007199254740992"), json.Number("-9007199254740992"), json.Number("1e3"), json.Number("3.0"),
		"3", 3.0, true, nil)
	if got := written(scalar.MarshalInt64(1<<53 - 1)); got != "9007199254740991" {
		t.Errorf("written as %s", got)
	}
}

func TestTimesAreInstantsToTheMillisecond(t *testing.T) {
	at := func(text string) time.Time {
		read, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	takes(t, scalar.UnmarshalTime, map[any]time.Time{
		"2026-11-21T12:00:00Z":              at("2026-11-21T12:00:00Z"),
		"2026-11-21T14:00:00.5+02:00":       at("2026-11-21T12:00:00.5Z"),
		"2026-11-21T00:30:00-05:00":         at("2026-11-21T05:30:00Z"),
		"2026-11-21T12:00:00.12345Z":        at("2026-11-21T12:00:00.123Z"),
		"2026-11-21T12:00:00.123999999999Z": at("2026-11-21T12:00:00.123Z"),
		"1970-01-01T00:00:00Z":              at("1970-01-01T00:00:00Z"),
		"9999-12-31T23:59:59.999Z":          at("9999-12-31T23:59:59.999Z"),
		"2028-02-29T12:00:00Z":              at("2028-02-29T12:00:00Z"),
	},
		"", "2026-11-21", "2026-11-21 12:00:00Z", "2026-11-21T12:00:00", "2026-11-21T12:00Z",
		"1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
		"10000-01-01T00:00:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T12:00:60Z",
		"2026-11-21T3:00:00Z", "2026-11-21T12:00:00,5Z", "2026-11-21T12:00:00+24:00", "2026-11-21T12:00:00+02:60",
		"2026-11-21T12:00:00 Z", " 2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z\n", "1795262400",
		1795262400, json.Number("1795262400"), true, nil)
}

func TestTimesAreWrittenInUTCWithThreeDecimals(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	for want, at := range map[string]time.Time{
		`"2026-11-21T12:00:00.000Z"`: time.Date(2026, 11, 21, 14, 0, 0, 0, east),
		`"2026-11-21T12:00:00.999Z"`: time.Date(2026, 11, 21, 12, 0, 0, 999_999_999, time.UTC),
		`null`:                       {},
	} {
		if got := written(scalar.MarshalTime(at)); got != want {
			t.Errorf("%v is written as %s, want %s", at, got, want)
		}
	}
}

func TestDurationsAreISO8601(t *testing.T) {
	of := func(text string) license.Duration {
		d, err := license.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	takes(t, scalar.UnmarshalDuration, map[any]license.Duration{
		"P1Y": of("P12M"), "P2W": of("P14D"), "PT10M": of("PT600S"), "P1Y2M3DT4H5M6S": of("P1Y2M3DT4H5M6S"), "PT0S": of("PT0S"), "P100Y": of("P100Y"),
	},
		"", "P", "PT", "P1", "1Y", "P1.5D", "PT0.5S", "-P1D", "P-1D", "+P1D", "P1DT", "p1d", "P1D ", "P101Y", "P1S", "PT1D",
		"P99999999999Y", 5, json.Number("5"), true, nil)
	if got := written(scalar.MarshalDuration(of("P14M"))); got != `"P1Y2M"` {
		t.Errorf("written as %s", got)
	}
}

func TestJSONIsOneTextForOneValue(t *testing.T) {
	got, err := scalar.UnmarshalJSON(map[string]any{
		"b": []any{json.Number("1.10"), nil, true}, "a": map[string]any{"y": "z", "x": int64(1)},
	})
	if err != nil || string(got) != `{"a":{"x":1,"y":"z"},"b":[1.10,null,true]}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := scalar.UnmarshalJSON(func() {}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a value that is none: %v", err)
	}
	if got := written(scalar.MarshalJSON(json.RawMessage(`{"a":1}`))) + written(scalar.MarshalJSON(nil)); got != `{"a":1}null` {
		t.Errorf("written as %s", got)
	}
}

func TestMetadataIsAnObjectWithinItsBounds(t *testing.T) {
	deep := func(levels int) any {
		var v any = 1
		for range levels {
			v = map[string]any{"a": v}
		}
		return v
	}
	wide := func(names int) any {
		v := map[string]any{}
		for i := range names {
			v[fmt.Sprint(i)] = i
		}
		return v
	}
	long := func(bytes int) any { return map[string]any{"a": strings.Repeat("x", bytes-len(`{"a":""}`))} }
	for name, c := range map[string]struct {
		value any
		good  bool
	}{
		"empty": {map[string]any{}, true}, "a list": {[]any{}, false}, "text": {"{}", false}, "null": {nil, false}, "a number": {3, false},
		"4 levels": {deep(4), true}, "5 levels": {deep(5), false},
		"64 names": {wide(64), true}, "65 names": {wide(65), false},
		"16 KiB": {long(16 << 10), true}, "16 KiB and a byte": {long(16<<10 + 1), false}, "17 KiB": {long(17 << 10), false},
		"NUL":                 {map[string]any{"a": "\x00"}, false},
		"more than a double":  {map[string]any{"a": json.Number("1e400")}, false},
		"as much as a double": {map[string]any{"a": json.Number("1e308")}, true},
	} {
		got, err := scalar.UnmarshalMetadata(c.value)
		if (err == nil) != c.good || err != nil && !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %.40s, %v", name, got, err)
		}
	}
	if got := written(scalar.MarshalMetadata(nil)); got != "{}" {
		t.Errorf("no metadata is written as %s", got)
	}
}

func TestErrorsDoNotTellWhatWasSent(t *testing.T) {
	const canary = "canary"
	for name, err := range map[string]error{
		"Time":     refusal(scalar.UnmarshalTime(canary)),
		"Duration": refusal(scalar.UnmarshalDuration(canary)),
		"Int":      refusal(scalar.UnmarshalInt(canary)),
		"Int64":    refusal(scalar.UnmarshalInt64(canary)),
		"Boolean":  refusal(scalar.UnmarshalBoolean(canary)),
		"ID":       refusal(scalar.UnmarshalID([]any{canary})),
		"String":   refusal(scalar.UnmarshalString([]any{canary})),
		"Metadata": refusal(scalar.UnmarshalMetadata(canary)),
		"an enum":  refusal(scalar.UnmarshalLicenseOrder(canary)),
	} {
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func refusal[T any](_ T, err error) error { return err }
