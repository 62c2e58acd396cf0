package license

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/keywright/keywright/fault"
)

// jsonRules bound a JSON value that a vendor gives us to keep. Beside the
// bounds a value must be one that every storage engine and every canonical
// form gives back as it is: no name twice, no NUL, no half of a surrogate
// pair, no number beyond a double's range.
type jsonRules struct {
	size   int // bytes
	names  int // members of all objects together
	depth  int // levels of objects and arrays
	object bool
}

var (
	metadataRules = jsonRules{size: 16 << 10, names: 64, depth: 4, object: true}
	valueRules    = jsonRules{size: maxEntitlementValue, names: maxEntitlementValue, depth: 16}
)

// OrEmpty gives metadata as it is shown: the empty object where there is none.
func OrEmpty(raw Metadata) Metadata {
	if len(raw) == 0 {
		return Metadata("{}")
	}
	return raw
}

// CheckMetadata checks metadata: a JSON object of at most 16 KiB, 64 names in
// all and 4 levels, or nothing.
func CheckMetadata(raw Metadata) error {
	if len(raw) == 0 {
		return nil
	}
	if fail := metadataRules.check(raw); fail != "" {
		return fault.Invalid("metadata", "metadata %s", fail)
	}
	return nil
}

// check says what is wrong with raw, and is empty where nothing is.
func (r jsonRules) check(raw []byte) string {
	switch {
	case len(raw) > r.size:
		return fmt.Sprintf("must have at most %d bytes", r.size)
	case !json.Valid(raw) || !utf8.Valid(raw) || halfPair(raw):
		return "must be well-formed JSON"
	case r.object && bytes.TrimLeft(raw, " \t\r\n")[0] != '{':
		return "must be a JSON object"
	}
	walk := jsonWalk{rules: r, in: json.NewDecoder(bytes.NewReader(raw))}
	walk.in.UseNumber()
	if err := walk.value(0); err != nil {
		return err.Error()
	}
	return ""
}

type jsonWalk struct {
	rules jsonRules
	in    *json.Decoder
	names int
}

// value reads one value that lies under depth others.
func (w *jsonWalk) value(depth int) error {
	token, err := w.in.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == w.rules.depth {
			return fmt.Errorf("must have at most %d levels", w.rules.depth)
		}
		return w.members(t == '{', depth+1)
	case json.Number:
		if !inRange(t.String()) {
			return errors.New("must not contain numbers beyond the range of a double")
		}
	case string:
		return noNUL(t)
	}
	return nil
}

// inRange reports whether a number is not beyond the range of a double, at
// either end.
func inRange(number string) bool {
	value, err := strconv.ParseFloat(number, 64)
	digits, _, _ := strings.Cut(strings.ToLower(number), "e")
	return err == nil && (value != 0 || !strings.ContainsAny(digits, "123456789"))
}

// members reads an object or an array, whose opening is read, to its end.
func (w *jsonWalk) members(named bool, depth int) error {
	seen := map[string]bool{}
	for w.in.More() {
		if named {
			if err := w.name(seen); err != nil {
				return err
			}
		}
		if err := w.value(depth); err != nil {
			return err
		}
	}
	_, err := w.in.Token()
	return err
}

func (w *jsonWalk) name(seen map[string]bool) error {
	token, err := w.in.Token()
	if err != nil {
		return err
	}
	name, _ := token.(string)
	if w.names++; w.names > w.rules.names {
		return fmt.Errorf("must have at most %d names", w.rules.names)
	}
	if seen[name] {
		return fmt.Errorf("must not have the name %q twice", name)
	}
	seen[name] = true
	return noNUL(name)
}

func noNUL(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return errors.New("must not contain NUL")
	}
	return nil
}

// halfPair reports whether raw, which is JSON, escapes a surrogate without its
// other half. encoding/json would read it as U+FFFD.
func halfPair(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		unit, escaped := escapedUnit(raw[i:])
		if !escaped {
			i++ // the escaped character, which may be a backslash
			continue
		}
		i += 5
		if !utf16.IsSurrogate(unit) {
			continue
		}
		next, _ := escapedUnit(raw[i+1:])
		if utf16.DecodeRune(unit, next) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escapedUnit reads \uXXXX.
func escapedUnit(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(unit), err == nil
}
