// Package scalar turns the scalars and enums of the schema into Go values and
// back. It is strict: what a client sends is of the right kind, or refused.
package scalar

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

// wanted is the InvalidInput for a value of another kind than what is wanted.
// Which field it was in is known to whoever asked.
func wanted(what string) error {
	return fault.Errorf(fault.InvalidInput, "%s is wanted", what)
}

// MarshalString writes a String.
func MarshalString(text string) graphql.Marshaler { return graphql.MarshalString(text) }

// UnmarshalString reads a String; 3 is none.
func UnmarshalString(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	return "", wanted("a String")
}

// MarshalID writes an ID.
func MarshalID(text string) graphql.Marshaler { return graphql.MarshalString(text) }

// UnmarshalID reads an ID: text, or as GraphQL allows, a whole number.
func UnmarshalID(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	n, err := whole(v)
	if err != nil {
		return "", wanted("an ID")
	}
	return strconv.FormatInt(n, 10), nil
}

// MarshalBoolean writes a Boolean.
func MarshalBoolean(b bool) graphql.Marshaler { return graphql.MarshalBoolean(b) }

// UnmarshalBoolean reads a Boolean; "true" and 1 are none.
func UnmarshalBoolean(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, wanted("a Boolean")
}

// MarshalInt writes an Int.
func MarshalInt(n int) graphql.Marshaler { return graphql.MarshalInt(n) }

// UnmarshalInt reads an Int: a whole number of 32 bits.
func UnmarshalInt(v any) (int, error) {
	n, err := whole(v)
	if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
		return 0, wanted("an Int: a whole number of 32 bits")
	}
	return int(n), nil
}

// maxInt64 is the greatest whole number that every JSON reader takes exactly.
const maxInt64 = 1<<53 - 1

// MarshalInt64 writes an Int64.
func MarshalInt64(n int64) graphql.Marshaler { return graphql.MarshalInt64(n) }

// UnmarshalInt64 reads an Int64.
func UnmarshalInt64(v any) (int64, error) {
	n, err := whole(v)
	if err != nil || n < -maxInt64 || n > maxInt64 {
		return 0, wanted("an Int64: a whole number up to 2^53-1")
	}
	return n, nil
}

func whole(v any) (int64, error) {
	switch n := v.(type) {
	case int64:
		return n, nil
	case int:
		return int64(n), nil
	case json.Number:
		return n.Int64()
	}
	return 0, wanted("a whole number")
}

// timeFormat has exactly three decimals.
const timeFormat = "2006-01-02T15:04:05.000Z"

// MarshalTime writes a Time; the zero time is null.
func MarshalTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+t.UTC().Format(timeFormat)+`"`)
	})
}

// UnmarshalTime reads a Time of the years 1970 to 9999.
func UnmarshalTime(v any) (time.Time, error) {
	text, ok := v.(string)
	t, err := time.Parse(time.RFC3339, text)
	t = t.UTC()
	if !ok || err != nil || !isRFC3339(text) || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, wanted("a Time, such as 2026-11-21T12:00:00Z,")
	}
	return t.Truncate(time.Millisecond), nil
}

// isRFC3339 refuses what time.Parse takes beyond RFC 3339: an hour of one
// digit, a comma before the fraction, and zones that there are not.
func isRFC3339(parsed string) bool {
	if len(parsed) < len("2006-01-02T15:04:05Z") || parsed[len("2006-01-02T15")] != ':' || strings.Contains(parsed, ",") {
		return false
	}
	zone := parsed[len(parsed)-len("+00:00"):]
	return strings.HasSuffix(zone, "Z") || zone[1:3] <= "23" && zone[4:] <= "59"
}

// MarshalDuration writes a Duration.
func MarshalDuration(d license.Duration) graphql.Marshaler { return graphql.MarshalString(d.String()) }

// UnmarshalDuration reads a Duration.
func UnmarshalDuration(v any) (license.Duration, error) {
	text, ok := v.(string)
	if !ok {
		return license.Duration{}, wanted("a Duration, such as P1Y or PT10M,")
	}
	d, err := license.ParseDuration(text)
	if err != nil {
		return license.Duration{}, wanted("a Duration of at most P100Y, such as P1Y or PT10M,")
	}
	return d, nil
}

// MarshalJSON writes any JSON value; nothing is null.
func MarshalJSON(raw json.RawMessage) graphql.Marshaler {
	if len(raw) == 0 {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(raw) })
}

// UnmarshalJSON reads any JSON value. Its members are sorted: one value has
// one text.
func UnmarshalJSON(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, wanted("a JSON value")
	}
	return text, nil
}

// MarshalMetadata writes Metadata; nothing is the empty object.
func MarshalMetadata(raw license.Metadata) graphql.Marshaler {
	if len(raw) == 0 {
		raw = license.Metadata("{}")
	}
	return MarshalJSON(raw)
}

// UnmarshalMetadata reads Metadata.
func UnmarshalMetadata(v any) (license.Metadata, error) {
	if _, ok := v.(map[string]any); !ok {
		return nil, wanted("a JSON object")
	}
	raw, err := UnmarshalJSON(v)
	if err != nil {
		return nil, err
	}
	if err := license.CheckMetadata(raw); err != nil {
		return nil, err
	}
	return raw, nil
}
