package journal

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/keywright/keywright/storage"
)

// scanner reads canonical JSON without escapes in place. It reports false for
// whatever else, and for much that is good: Decode has the last word then.
type scanner struct {
	in    []byte
	at    int
	ascii bool // whether in is
}

// scan fills f from a body. Where it reports true, Decode would have given the
// same.
func (s *scanner) scan(f *facts, stored *storage.Entry) bool {
	s.in, s.at = stored.Body, 0
	var escapes bool
	if escapes, s.ascii = look(s.in); escapes || len(s.in) > storage.MaxEntry || !s.ascii && !utf8.Valid(s.in) {
		return false
	}
	var seen members
	whole := s.object(func(name []byte) bool { return s.member(name, f, &seen, stored.ID) })
	if !whole || s.at != len(s.in) || seen != required || !f.whole() {
		return false
	}
	if len(f.license) > 0 {
		f.subjects = append(f.subjects, f.license)
	}
	slices.SortFunc(f.subjects, bytes.Compare)
	f.subjects = slices.CompactFunc(f.subjects, bytes.Equal)
	return true
}

// look reports whether there are control characters or backslashes, and whether
// all is ASCII: eight bytes at once, by the bits of each that carry or do not.
func look(text []byte) (escapes, ascii bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	var odd, high uint64
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		slash := word ^ '\\'*ones
		odd |= (word - ' '*ones) & ^word
		odd |= (slash - ones) & ^slash
		high |= word
	}
	for _, b := range text {
		if b < ' ' || b == '\\' {
			odd |= highs
		}
		high |= uint64(b)
	}
	return odd&highs != 0, high&highs == 0
}

// members are those that each entry has, as bits.
type members uint8

const (
	hasActor members = 1 << iota
	hasAt
	hasDigest
	hasID
	hasSubject
	hasType
	hasVersion
	required = 1<<iota - 1
)

func (s *scanner) member(name []byte, f *facts, seen *members, id string) bool {
	var text []byte
	var ok bool
	switch string(name) {
	case "actor":
		*seen |= hasActor
		return s.actor(f)
	case "at":
		*seen |= hasAt
		text, ok = s.text()
		return ok && isTime(text)
	case "data":
		return bytes.HasPrefix(s.in[s.at:], []byte("{\"")) && s.value(0) // none is left out
	case "digest":
		*seen |= hasDigest
		text, ok = s.text()
		return ok && f.setDigest(text)
	case "id":
		*seen |= hasID
		text, ok = s.text()
		return ok && len(text) > 0 && string(text) == id
	case "license":
		f.license, ok = s.text()
		return ok && len(f.license) > 0
	case "product":
		f.product, ok = s.text()
		return ok && len(f.product) > 0
	case "request":
		text, ok = s.text()
		return ok && len(text) > 0
	case "revision":
		number, ok := s.number()
		return ok && string(number) != "0"
	case "subject": // before touches, since members are sorted
		*seen |= hasSubject
		f.subject, ok = s.text()
		f.subjects = append(f.subjects, f.subject)
		return ok && len(f.subject) > 0
	case "touches":
		return s.touches(f)
	case "type":
		*seen |= hasType
		f.kind, ok = s.text()
		return ok && len(f.kind) > 0
	case "version":
		*seen |= hasVersion
		number, ok := s.number()
		return ok && string(number) != "0" && number[0] != '-' && len(number) < 10
	}
	return false
}

func (s *scanner) actor(f *facts) bool {
	n := 0
	ok := s.object(func(name []byte) bool {
		n++
		var ok bool
		switch string(name) {
		case "id":
			f.actorID, ok = s.text()
		case "kind":
			f.actorKind, ok = s.text()
		}
		return ok
	})
	return ok && n == 2 && len(f.actorID) > 0 && len(f.actorKind) > 0
}

func (s *scanner) touches(f *facts) bool {
	n := 0
	ok := s.array(func() bool {
		n++
		text, ok := s.text()
		f.subjects = append(f.subjects, text)
		return ok
	})
	return ok && n > 0
}

// isTime reports whether the text is what timeFormat gives of a time.
func isTime(text []byte) bool {
	if len(text) != len(timeFormat) {
		return false
	}
	for i, b := range []byte(timeFormat) {
		isDigit := '0' <= text[i] && text[i] <= '9'
		if wantDigit := '0' <= b && b <= '9'; wantDigit != isDigit || !wantDigit && text[i] != b {
			return false
		}
	}
	two := func(at int) int { return int(text[at]-'0')*10 + int(text[at+1]-'0') }
	month, day := two(5), two(8)
	if month < 1 || month > 12 || day < 1 || two(11) > 23 || two(14) > 59 || two(17) > 59 {
		return false
	}
	if day <= 28 {
		return true
	}
	_, err := time.Parse(timeFormat, string(text))
	return err == nil
}

func (s *scanner) take(b byte) bool {
	if s.at >= len(s.in) || s.in[s.at] != b {
		return false
	}
	s.at++
	return true
}

// text reads a string.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	n := bytes.IndexByte(s.in[s.at:], '"')
	if n < 0 {
		return nil, false
	}
	text := s.in[s.at : s.at+n]
	s.at += n + 1
	return text, true
}

// number reads a whole number that a double has exactly.
func (s *scanner) number() ([]byte, bool) {
	start := s.at
	minus := s.take('-')
	first := s.at
	for s.at < len(s.in) && '0' <= s.in[s.at] && s.in[s.at] <= '9' {
		s.at++
	}
	digits := s.in[first:s.at]
	if len(digits) == 0 || len(digits) > maxDigits || digits[0] == '0' && (minus || len(digits) > 1) {
		return nil, false
	}
	return s.in[start:s.at], true
}

// object reads an object whose names are ASCII and sorted, each once; member
// reads a value.
func (s *scanner) object(member func(name []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	var last []byte
	for n := 0; !s.take('}'); n++ {
		if n > 0 && !s.take(',') {
			return false
		}
		name, ok := s.text()
		if !ok || n > 0 && bytes.Compare(name, last) <= 0 || !s.ascii && !isASCII(name) || !s.take(':') || !member(name) {
			return false
		}
		last = name
	}
	return true
}

func (s *scanner) array(element func() bool) bool {
	if !s.take('[') {
		return false
	}
	for n := 0; !s.take(']'); n++ {
		if n > 0 && !s.take(',') || !element() {
			return false
		}
	}
	return true
}

func (s *scanner) value(depth int) bool {
	if depth > deepest || s.at >= len(s.in) {
		return false
	}
	switch b := s.in[s.at]; b {
	case '{':
		return s.object(func([]byte) bool { return s.value(depth + 1) })
	case '[':
		return s.array(func() bool { return s.value(depth + 1) })
	case '"':
		_, ok := s.text()
		return ok
	case 't', 'f', 'n':
		for _, word := range []string{"true", "false", "null"} {
			if bytes.HasPrefix(s.in[s.at:], []byte(word)) {
				s.at += len(word)
				return true
			}
		}
		return false
	default:
		_, ok := s.number()
		return ok
	}
}
