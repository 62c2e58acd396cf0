package key

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of an imported key, in characters.
const (
	MinImported = 16
	MaxImported = 200
)

// maxText is the longest text that is looked at, in bytes.
const maxText = MaxImported * utf8.UTFMax

// Kind is what a text is taken for.
type Kind string

// The kinds of text.
const (
	Ours      Kind = "ours"      // a key whose check is right
	Malformed Kind = "malformed" // meant as a key of ours, and mistyped
	Imported  Kind = "imported"  // maybe a key that was made elsewhere
	Refused   Kind = "refused"   // no key of any sort
)

// Prefixes is the set of products' prefixes that a server knows; nil is none.
type Prefixes map[string]bool

// Reading is a text as Read took it.
type Reading struct {
	Kind Kind
	Key  Key    // of Ours
	Text string // of Imported: as it came, since such keys are compared byte for byte
}

// Read takes a text for what it is. A text is Ours if its check is right
// under the prefix that it names, known or not. One that names a known prefix
// and has 28 to 32 letters or digits behind it is Malformed. Of the others,
// 16 to 200 printable characters are Imported, and the rest is Refused.
//
// Of our keys Read forgives the case, O for 0, and I and L for 1 (not in the
// prefix), and takes white space, underscores and any dash as separators,
// anywhere behind the prefix. The work is bounded, whatever the text.
func Read(text string, known Prefixes) Reading {
	if len(text) > maxText {
		return Reading{Kind: Refused}
	}
	var k Key
	if rest, ok := k.readPrefix(strings.TrimSpace(text)); ok {
		b := readBody(rest)
		copy(k.data[:], b.values[:Length])
		switch {
		case b.clean && b.count == symbols && b.check() == checkOf(k.name(), k.data):
			return Reading{Kind: Ours, Key: k}
		case b.count >= symbols-2 && b.count <= symbols+2 && known[string(k.name())]:
			return Reading{Kind: Malformed}
		}
	}
	if !importable(text) {
		return Reading{Kind: Refused}
	}
	return Reading{Kind: Imported, Text: text}
}

// Hint gives the last five characters of an imported key, or all of a shorter
// text.
func Hint(text string) string {
	start := len(text)
	for range group {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return text[start:]
}

// readPrefix reads the prefix and the separator that ends it.
func (k *Key) readPrefix(text string) (rest string, ok bool) {
	for i := range len(text) {
		class, size := classOf(text[i:])
		if class == separator {
			return text[i+size:], i >= MinPrefix
		}
		if i == MaxPrefix || class == other || size > 1 {
			return "", false
		}
		c := text[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		k.prefix[i] = c
	}
	return "", false
}

// body is what follows the prefix.
type body struct {
	values [symbols]byte // of the first letters and digits
	count  int           // of all letters and digits
	clean  bool          // nothing but our alphabet and separators
}

func readBody(text string) (b body) {
	b.clean = true
	for len(text) > 0 {
		class, size := classOf(text)
		text = text[size:]
		switch {
		case class == separator:
			continue
		case class == other:
			b.clean = false
			continue
		case class == letter:
			b.clean = false
		case b.count < symbols:
			b.values[b.count] = class
		}
		b.count++
	}
	return b
}

// check gives the check characters as they were typed.
func (b *body) check() check {
	var c check
	for _, value := range b.values[Length:] {
		c = c<<5 | check(value)
	}
	return c
}

// What a character is in the body of a key: a symbol's value, or one of these.
const (
	letter    byte = 32 + iota // a letter or digit that no key has
	separator                  // white space, an underscore or a dash
	other
)

func classOf(text string) (class byte, size int) {
	if c := text[0]; c < utf8.RuneSelf {
		return ascii[c], 1
	}
	r, size := utf8.DecodeRuneInString(text)
	return classOfRune(r), size
}

func classOfRune(r rune) byte {
	switch {
	case r == '_' || unicode.IsSpace(r) || unicode.Is(unicode.Dash, r):
		return separator
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return letter
	}
	return other
}

// ascii holds the class of each ASCII character.
var ascii = makeASCII()

func makeASCII() (table [utf8.RuneSelf]byte) {
	for r := range table {
		table[r] = classOfRune(rune(r))
	}
	for value, digit := range alphabet {
		table[digit] = byte(value)
		table[unicode.ToLower(digit)] = byte(value)
	}
	for mistaken, meant := range map[byte]byte{'O': '0', 'o': '0', 'I': '1', 'i': '1', 'L': '1', 'l': '1'} {
		table[mistaken] = table[meant]
	}
	return table
}

// importable reports whether text may be a key that was made elsewhere.
func importable(text string) bool {
	if n := utf8.RuneCountInString(text); n < MinImported || n > MaxImported || !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
