package journal

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// canonical gives JSON in canonical form (RFC 8785). As a rule, what
// encoding/json makes of records and entries is that save for the order of its
// members; whatever is not as plain is left to jcs, which is slow.
func canonical(plain []byte) ([]byte, error) {
	if sorted, ok := sortPlain(plain); ok {
		return sorted, nil
	}
	return jcs.Transform(plain)
}

// sortPlain gives the canonical form of an object that holds no white space,
// no escape, no name beyond ASCII, and only whole numbers that a double has
// exactly. It reports false for whatever else, well-formed or not.
func sortPlain(plain []byte) ([]byte, bool) {
	if len(plain) == 0 || plain[0] != '{' || !utf8.Valid(plain) {
		return nil, false
	}
	w := sorter{in: plain, out: make([]byte, 0, len(plain))}
	ok := w.value(0) && w.at == len(plain)
	return w.out, ok
}

const (
	deepest   = 32 // levels that are sorted here
	maxDigits = 15
)

// sorter reads in from at, and writes to out.
type sorter struct {
	in, out, scratch []byte
	at               int
}

// member is one of an object: its name, and where it stands in out.
type member struct {
	name     []byte
	from, to int
}

func (w *sorter) next() byte {
	if w.at < len(w.in) {
		return w.in[w.at]
	}
	return 0
}

// take reads one byte, if it is the one.
func (w *sorter) take(b byte) bool {
	if w.next() != b {
		return false
	}
	w.at++
	return true
}

func (w *sorter) value(depth int) bool {
	switch b := w.next(); {
	case depth > deepest:
		return false
	case b == '{':
		return w.object(depth)
	case b == '[':
		return w.array(depth)
	case b == '"':
		_, ok := w.text()
		return ok
	case b == '-' || '0' <= b && b <= '9':
		return w.number()
	}
	return w.word("true") || w.word("false") || w.word("null")
}

func (w *sorter) word(word string) bool {
	if !bytes.HasPrefix(w.in[w.at:], []byte(word)) {
		return false
	}
	w.at += len(word)
	w.out = append(w.out, word...)
	return true
}

// object writes the members as they come, and then anew in their order.
func (w *sorter) object(depth int) bool {
	w.at++
	var few [16]member
	members, start := few[:0], len(w.out)
	for !w.take('}') {
		if len(members) > 0 && !w.take(',') {
			return false
		}
		from := len(w.out)
		name, ok := w.text()
		if !ok || !isASCII(name) || !w.take(':') {
			return false
		}
		w.out = append(w.out, ':')
		if !w.value(depth + 1) {
			return false
		}
		members = append(members, member{name, from - start, len(w.out) - start})
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	w.scratch = append(w.scratch[:0], w.out[start:]...)
	w.out = append(w.out[:start], '{')
	for i, m := range members {
		if i > 0 {
			if bytes.Equal(m.name, members[i-1].name) {
				return false
			}
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, w.scratch[m.from:m.to]...)
	}
	w.out = append(w.out, '}')
	return true
}

func (w *sorter) array(depth int) bool {
	w.at++
	w.out = append(w.out, '[')
	for n := 0; !w.take(']'); n++ {
		if n > 0 {
			if !w.take(',') {
				return false
			}
			w.out = append(w.out, ',')
		}
		if !w.value(depth + 1) {
			return false
		}
	}
	w.out = append(w.out, ']')
	return true
}

// text copies a string, and gives it without its quotes.
func (w *sorter) text() ([]byte, bool) {
	if !w.take('"') {
		return nil, false
	}
	start := w.at
	for w.at < len(w.in) {
		switch b := w.in[w.at]; {
		case b == '"':
			w.at++
			w.out = append(w.out, w.in[start-1:w.at]...)
			return w.in[start : w.at-1], true
		case b == '\\' || b < ' ':
			return nil, false
		}
		w.at++
	}
	return nil, false
}

func isASCII(text []byte) bool {
	return bytes.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// number copies a whole number.
func (w *sorter) number() bool {
	start := w.at
	w.take('-')
	first := w.at
	for '0' <= w.next() && w.next() <= '9' {
		w.at++
	}
	digits := w.in[first:w.at]
	switch {
	case len(digits) == 0 || len(digits) > maxDigits:
		return false
	case digits[0] == '0' && (len(digits) > 1 || first > start):
		return false
	case w.next() == '.' || w.next() == 'e' || w.next() == 'E':
		return false
	}
	w.out = append(w.out, w.in[start:w.at]...)
	return true
}
