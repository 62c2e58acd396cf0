package mongodb

import (
	"errors"
	"strings"
)

const hexDigits = "0123456789ABCDEF"

// key makes of any text a name for a field of a document that a path may
// address: never empty, no number, without dots and dollars. Two texts never
// have one name.
func key(text string) string {
	name := make([]byte, 1, len(text)+1)
	name[0] = 'k'
	for i := range len(text) {
		if b := text[i]; isPlain(b) {
			name = append(name, b)
		} else {
			name = append(name, '%', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return string(name)
}

func isPlain(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-'
}

var errKey = errors.New("a field has a name that was not made here")

// unkey gives the text that key made a name of.
func unkey(name string) (string, error) {
	rest, ok := strings.CutPrefix(name, "k")
	if !ok {
		return "", errKey
	}
	text := make([]byte, 0, len(rest))
	for i := 0; i < len(rest); i++ {
		if isPlain(rest[i]) {
			text = append(text, rest[i])
			continue
		}
		if rest[i] != '%' || len(rest) < i+3 {
			return "", errKey
		}
		high, low := strings.IndexByte(hexDigits, rest[i+1]), strings.IndexByte(hexDigits, rest[i+2])
		if high < 0 || low < 0 || isPlain(byte(high<<4|low)) {
			return "", errKey
		}
		text = append(text, byte(high<<4|low))
		i += 2
	}
	return string(text), nil
}
