package storage

import (
	"strings"
	"unicode/utf8"

	"github.com/keywright/keywright/fault"
)

// IsText reports whether storage can hold a text: UTF-8 without NUL. Not every
// engine can hold another, so none does, and what a query names that is none
// is nowhere to be found.
func IsText(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

func checkText(texts ...string) error {
	for _, text := range texts {
		if !IsText(text) {
			return fault.Errorf(fault.InvalidInput, "a text is not UTF-8 or has a NUL in it")
		}
	}
	return nil
}
