package storage

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/keywright/keywright/fault"
)

// MaxLevels is how many objects and arrays of a body may lie in each other.
const MaxLevels = 64

// checkBody refuses what is not the text of a JSON object, or not one that
// every engine gives back.
func checkBody(body []byte) error {
	if len(body) == 0 || body[0] != '{' || !utf8.Valid(body) || !json.Valid(body) {
		return fault.Errorf(fault.InvalidInput, "a body is not a JSON object")
	}
	if !isPlain(body) {
		return fault.Errorf(fault.InvalidInput,
			"a body has a NUL, half of a surrogate pair, a number beyond the range of a double or more than %d levels", MaxLevels)
	}
	return nil
}

// isPlain reports whether well-formed JSON keeps the rules of a body that are
// not JSON's own.
func isPlain(body []byte) bool {
	levels := 0
	for at := 0; at < len(body); {
		switch b := body[at]; {
		case b == '"':
			end, ok := endOfString(body, at+1)
			if !ok {
				return false
			}
			at = end
			continue
		case b == '-' || '0' <= b && b <= '9':
			end := endOfNumber(body, at)
			if !inRange(string(body[at:end])) {
				return false
			}
			at = end
			continue
		case b == '{' || b == '[':
			levels++
		case b == '}' || b == ']':
			levels--
		}
		if levels > MaxLevels {
			return false
		}
		at++
	}
	return true
}

// inRange reports whether a number is not beyond the range of a double, at
// either end.
func inRange(number string) bool {
	value, err := strconv.ParseFloat(number, 64)
	digits, _, _ := strings.Cut(strings.ToLower(number), "e")
	return err == nil && (value != 0 || !strings.ContainsAny(digits, "123456789"))
}

func endOfNumber(body []byte, at int) int {
	for at < len(body) {
		switch b := body[at]; {
		case '0' <= b && b <= '9', b == '-', b == '+', b == '.', b == 'e', b == 'E':
			at++
		default:
			return at
		}
	}
	return at
}

// endOfString gives the place behind the string that at is in, and reports
// whether its escapes are of text.
func endOfString(body []byte, at int) (int, bool) {
	for body[at] != '"' {
		if body[at] != '\\' {
			at++
			continue
		}
		if body[at+1] != 'u' {
			at += 2
			continue
		}
		unit := escaped(body[at:])
		at += 6
		if utf16.IsSurrogate(unit) {
			if utf16.DecodeRune(unit, escaped(body[at:])) == utf8.RuneError {
				return at, false
			}
			at += 6
		} else if unit == 0 {
			return at, false
		}
	}
	return at + 1, true
}

// escaped gives the unit that text begins with as an escape; zero if it does
// not.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}
