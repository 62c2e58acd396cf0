package secret

import (
	"bytes"
	"encoding/hex"

	"github.com/keywright/keywright/fault"
)

// MaxSecrets is how many secrets a List may have. Each one is another look-up
// for every key that is not known.
const MaxSecrets = 16

// List is the secrets of the server: the first makes what is new, and all are
// tried for what is there. Parse makes it, and it never changes.
type List struct {
	all []*Secret
}

// Parse reads a list: a secret of 64 hexadecimal digits a line, the first
// first, with blank lines and lines that begin with # between them. Its
// errors name the line and never hold any of its text, which may be a secret
// with one character too many.
func Parse(text []byte) (*List, error) {
	l := &List{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var secret [Size]byte
		if len(line) != hex.EncodedLen(Size) {
			return nil, notSecret(number)
		}
		if _, err := hex.Decode(secret[:], line); err != nil {
			return nil, notSecret(number)
		}
		s := fromBytes(secret[:])
		if l.ByID(s.name) != nil {
			return nil, fault.Errorf(fault.InvalidInput, "line %d of the secrets is there twice", number)
		}
		if l.all = append(l.all, s); len(l.all) > MaxSecrets {
			return nil, fault.Errorf(fault.InvalidInput, "there are more than %d secrets", MaxSecrets)
		}
	}
	if len(l.all) == 0 {
		return nil, fault.Errorf(fault.InvalidInput, "there is no secret: it is a line of %d hexadecimal digits", hex.EncodedLen(Size))
	}
	return l, nil
}

func notSecret(line int) error {
	return fault.Errorf(fault.InvalidInput, "line %d of the secrets is not %d hexadecimal digits", line, hex.EncodedLen(Size))
}

// First gives the secret that makes what is new.
func (l *List) First() *Secret { return l.all[0] }

// All gives the secrets, the first first. The slice is the list's own and must
// stay as it is.
func (l *List) All() []*Secret { return l.all }

// ByID gives the secret of this id, nil if the list has none.
func (l *List) ByID(id string) *Secret {
	for _, s := range l.all {
		if s.name == id {
			return s
		}
	}
	return nil
}
