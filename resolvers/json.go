package resolvers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/keywright/keywright/actor"
)

// maxLevels bounds the objects and arrays within each other in a request.
const maxLevels = 32

// maxValues bounds the values in a request, members' names aside.
func maxValues(who actor.Actor) int {
	if who.Nobody() {
		return 2_000
	}
	return 50_000
}

// decode reads text, which must be one JSON value in UTF-8 and nothing more,
// of at most so many values, without a name twice in one object. encoding/json
// would take the last of them, and put other characters in the place of what
// is no UTF-8. The problem is empty where all is well.
func decode(text []byte, values int, to any) (problem string) {
	switch wrong := checkJSON(text, values); {
	case wrong != "":
		return wrong
	case !utf8.Valid(text) || decodeNumbers(text, to) != nil:
		return "must be one JSON object in UTF-8"
	}
	return ""
}

// decodeNumbers reads one JSON value and keeps its numbers as they are written.
func decodeNumbers(text []byte, to any) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(to); err != nil {
		return err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

// checkJSON finds fault with a JSON text before it costs much to read it: too
// many levels or values, or two members of one name. Of text that is no JSON it
// may say anything.
func checkJSON(text []byte, values int) (problem string) {
	var open []map[string]bool // the names in each object; nil in an array
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			if len(open) == maxLevels {
				return "has more than " + strconv.Itoa(maxLevels) + " levels of objects and arrays"
			}
			open = append(open, nil)
			values--
		case ',':
			values--
		case '}', ']':
			open = open[:max(0, len(open)-1)]
		case '"':
			end := endOfString(text, i)
			if next := bytes.TrimLeft(text[end:], " \t\r\n"); len(next) > 0 && next[0] == ':' && !isNew(open, text[i:end]) {
				return "has an object with one name twice"
			}
			i = end - 1
		}
		if values < 0 {
			return "has too many values"
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
