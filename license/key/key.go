// Package key is the license key that a person types: how it is written, read
// and checked. Programs in the field use it too, so it imports nothing of
// ours and asks nobody.
//
// A key is PREFIX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX: the prefix of its
// product, 26 characters of 130 bits, and 4 check characters, in the digits
// and letters of Crockford's base 32 (no I, L, O, U).
package key

import (
	"errors"
	"log/slog"
)

// The parts of a key, in characters.
const (
	MinPrefix = 2
	MaxPrefix = 8
	Length    = 26 // of the data: 5 bits each

	checks  = 4
	symbols = Length + checks
	group   = 5
)

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Key is a well-formed key: its check is right. New and Read make it; two of
// them are the same key exactly if they are equal.
type Key struct {
	prefix [MaxPrefix]byte // zeros behind it
	data   [Length]byte    // the values of the characters
}

// New makes the key of a prefix and of 26 values of 5 bits each.
func New(prefix string, data [Length]byte) (Key, error) {
	if !ValidPrefix(prefix) {
		return Key{}, errors.New("a key's prefix is 2 to 8 characters of A-Z and 0-9")
	}
	for _, value := range data {
		if int(value) >= len(alphabet) {
			return Key{}, errors.New("a key's characters have values from 0 to 31")
		}
	}
	k := Key{data: data}
	copy(k.prefix[:], prefix)
	return k, nil
}

// ValidPrefix reports whether keys may start with prefix, written as here: 2
// to 8 characters of A-Z and 0-9.
func ValidPrefix(prefix string) bool {
	if len(prefix) < MinPrefix || len(prefix) > MaxPrefix {
		return false
	}
	for i := range len(prefix) {
		if c := prefix[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// String gives the key as it is shown to its holder. It is a credential: it
// belongs in no log and no error.
func (k Key) String() string {
	text := make([]byte, 0, MaxPrefix+symbols+symbols/group)
	text = append(text, k.name()...)
	check := checkOf(k.name(), k.data)
	for i := range symbols {
		if i%group == 0 {
			text = append(text, '-')
		}
		if i < Length {
			text = append(text, alphabet[k.data[i]])
		} else {
			text = append(text, alphabet[check.symbol(i-Length)])
		}
	}
	return string(text)
}

// Prefix gives the prefix, which names the key's product.
func (k Key) Prefix() string { return string(k.name()) }

// Data gives the 26 characters between the prefix and the check: all of the
// key that is secret.
func (k Key) Data() string {
	var text [Length]byte
	for i, value := range k.data {
		text[i] = alphabet[value]
	}
	return string(text[:])
}

// Hint gives the last five characters, by which people tell keys apart. One is
// data and four are the check of all of it, so they give 25 of the 130 bits
// away; 105 stay secret.
func (k Key) Hint() string { return Hint(k.String()) }

// LogValue gives the prefix and the hint, so that no log holds a key.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.Prefix() + "-*-" + k.Hint()) }

func (k *Key) name() []byte {
	n := MaxPrefix
	for n > 0 && k.prefix[n-1] == 0 {
		n--
	}
	return k.prefix[:n]
}
