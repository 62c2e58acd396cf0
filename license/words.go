package license

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keywright/keywright/fault"
)

// The bounds of searching. Words are compared as searchable writes them.
const (
	leastSearch  = 3   // characters of a text, and so of a word
	maxSearch    = 320 // characters of a text
	maxWord      = 1 << 10
	maxBeginning = 8 // words of a name at which it is found
)

// Words gives what a license is found by when its beginning is typed: the
// customer's address, the customer's name from each of its first words on, both
// external ids, the current key's last characters and the license's id. They
// are in byte order, each once. Whoever is erased leaves none behind, since
// they are made anew with every change.
func (l *License) Words() []string {
	words := []string{l.ID, l.ExternalID, l.Customer.Email, l.Customer.ExternalID}
	if len(l.Keys) > 0 {
		words = append(words, l.CurrentKey().Hint)
	}
	for i := range words {
		words[i] = searchable(words[i])
	}
	words = append(words, beginnings(searchable(l.Customer.Name))...)
	for i := range words {
		words[i] = cut(words[i], maxWord)
	}
	words = slices.DeleteFunc(words, func(word string) bool { return utf8.RuneCountInString(word) < leastSearch })
	slices.Sort(words)
	return slices.Compact(words)
}

// SearchText gives a text as the words that begin with it are written. Errors:
// InvalidInput on text.
func SearchText(text string) (string, error) {
	var prefix string
	tooLong := utf8.RuneCountInString(text) > maxSearch
	if !tooLong {
		prefix = searchable(text)
	}
	switch {
	case tooLong || len(prefix) > maxWord:
		return "", fault.Invalid("text", "text must have at most %d characters", maxSearch)
	case utf8.RuneCountInString(prefix) < leastSearch:
		return "", fault.Invalid("text", "text must have at least %d characters, spaces around it aside", leastSearch)
	}
	return prefix, nil
}

// searchable writes a text as searches compare it: in lower case, composed as
// NFC composes it, with one space where any white space is and none around. A
// sigma is the same wherever it stands, since a text may end where a word goes
// on. Control characters and what is no text are left out.
func searchable(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r):
			return -1
		case r == 'ς':
			return 'σ'
		}
		return unicode.ToLower(r)
	}, norm.NFC.String(text))
	return norm.NFC.String(strings.Join(strings.Fields(plain), " "))
}

// beginnings gives a name from each of its first words on, so that a surname
// finds it, with or without what follows. A word begins with a letter or digit
// behind something else.
func beginnings(name string) []string {
	if name == "" {
		return nil
	}
	all := []string{name}
	inWord := true
	for i, r := range name {
		was := inWord
		inWord = unicode.In(r, unicode.Letter, unicode.Digit, unicode.Mark)
		if i > 0 && inWord && !was && len(all) < maxBeginning {
			all = append(all, name[i:])
		}
	}
	return all
}

// cut shortens a text to at most so many bytes, between two characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
