// Package strict reads JSON that a stranger sent: within bounds, and so that it
// says the same to whoever else reads it.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// MaxLevels bounds the objects and arrays within each other in a request.
const MaxLevels = 32

// Bounds are those of a text.
type Bounds struct {
	Values int // and names of members
	Levels int // objects and arrays within each other
}

// Decode reads text, which must be one JSON value and nothing more, within the
// bounds. The problem is empty where all is well.
func Decode(text []byte, within Bounds, to any) (problem string) {
	if wrong := Check(text, within); wrong != "" {
		return wrong
	}
	in := decoder(text)
	if in.Decode(to) != nil || !atEnd(in) {
		return "must be a JSON object"
	}
	return ""
}

// Members reads text, which must be one JSON object and nothing more: of its
// members those that have a name in to, as it is written there. encoding/json
// by itself takes a name in any case. Check comes first.
func Members(text []byte, to map[string]any) error {
	in := decoder(text)
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return errNotOne
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		member := any(new(json.RawMessage))
		if known, ok := name.(string); ok && to[known] != nil {
			member = to[known]
		}
		if err := in.Decode(member); err != nil {
			return err
		}
	}
	if _, err := in.Token(); err != nil || !atEnd(in) {
		return errNotOne
	}
	return nil
}

var errNotOne = errors.New("the text is not one JSON object")

// decoder reads numbers as they are written.
func decoder(text []byte) *json.Decoder {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	return in
}

func atEnd(in *json.Decoder) bool {
	_, err := in.Token()
	return errors.Is(err, io.EOF)
}

// Check finds fault with a JSON text before it costs much to read it: what is
// no UTF-8, in whose place encoding/json would put other characters, two
// members of one name, of which it would take the last, and too many levels or
// values. Of text that is no JSON it may say anything.
func Check(text []byte, within Bounds) (problem string) {
	values := 0
	if !utf8.Valid(text) {
		return "must be in UTF-8"
	}
	var open []map[string]bool // the names in each object; nil in an array
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			if len(open) == within.Levels {
				return "has more than " + strconv.Itoa(within.Levels) + " levels of objects and arrays"
			}
			open = append(open, nil)
			values++
		case ',', ':':
			values++
		case '}', ']':
			open = open[:max(0, len(open)-1)]
		case '"':
			end := endOfString(text, i)
			if next := bytes.TrimLeft(text[end:], " \t\r\n"); len(next) > 0 && next[0] == ':' && !isNew(open, text[i:end]) {
				return "has an object with one name twice"
			}
			i = end - 1
		}
		if values > within.Values {
			return "has more than " + strconv.Itoa(within.Values) + " values and names"
		}
	}
	return ""
}

// endOfString gives where the string that begins at i has ended.
func endOfString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(text))
}

// isNew notes a name, still quoted, in the innermost object, and reports
// whether it is the first of its kind.
func isNew(open []map[string]bool, quoted []byte) bool {
	if len(open) == 0 {
		return true // no JSON
	}
	name := string(quoted[1 : len(quoted)-1])
	if bytes.IndexByte(quoted, '\\') >= 0 && json.Unmarshal(quoted, &name) != nil {
		return false
	}
	names := open[len(open)-1]
	if names == nil {
		names = map[string]bool{}
		open[len(open)-1] = names
	}
	if names[name] {
		return false
	}
	names[name] = true
	return true
}
