package license

import (
	"crypto/subtle"
	"time"
)

// CurrentKey gives the key that has no end; a license always has one.
func (l *License) CurrentKey() Key {
	for _, k := range l.Keys {
		if k.EndsAt.IsZero() {
			return k
		}
	}
	return Key{}
}

// HasKey reports whether the license lists the key of this lookup, and the
// key has not ended. That a record is found by a key says nothing: only what
// the license itself lists counts.
func (l *License) HasKey(lookup []byte, now time.Time) bool {
	for _, k := range l.Keys {
		if subtle.ConstantTimeCompare(k.Lookup, lookup) == 1 {
			return k.EndsAt.IsZero() || now.Before(k.EndsAt)
		}
	}
	return false
}
