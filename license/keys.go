package license

import (
	"crypto/subtle"
	"time"
)

// MaxKeys bounds the keys that a license lists.
const MaxKeys = 100

// CurrentKey gives the key that has no end; a license always has one.
func (l *License) CurrentKey() Key {
	for _, k := range l.Keys {
		if k.EndsAt.IsZero() {
			return k
		}
	}
	return Key{}
}

// key gives the listed key of a lookup, nil where there is none.
func (l *License) key(lookup []byte) *Key {
	for i := range l.Keys {
		if subtle.ConstantTimeCompare(l.Keys[i].Lookup, lookup) == 1 {
			return &l.Keys[i]
		}
	}
	return nil
}

// Lists reports whether the license lists the key of this lookup, ended or
// not.
func (l *License) Lists(lookup []byte) bool { return l.key(lookup) != nil }

// HasKey reports whether the license lists the key of this lookup, and the
// key has not ended. That a record is found by a key says nothing: only what
// the license itself lists counts.
func (l *License) HasKey(lookup []byte, now time.Time) bool {
	k := l.key(lookup)
	return k != nil && (k.EndsAt.IsZero() || now.Before(k.EndsAt))
}

// KeyEndsAt gives the end of the listed key of this lookup: none for the
// current one, and where there is no such key.
func (l *License) KeyEndsAt(lookup []byte) time.Time {
	if k := l.key(lookup); k != nil {
		return k.EndsAt
	}
	return time.Time{}
}

// RotateKey makes next the current key. The keys before it work on for as long
// as overlap says and no longer, even where an earlier rotation let one work
// on for more: so a further rotation ends what an earlier one left too long.
// Keys that have ended are listed no more, and only the current one keeps its
// sealed copy. Errors, changing nothing: Conflict State where MaxKeys would
// work.
func (l *License) RotateKey(next Key, overlap Duration, now time.Time) error {
	now = stored(now)
	end := overlap.AddTo(now)
	keys := make([]Key, 0, len(l.Keys)+1)
	for _, k := range l.Keys {
		k.EndsAt, k.Sealed = sooner(k.EndsAt, end), nil
		if now.Before(k.EndsAt) {
			keys = append(keys, k)
		}
	}
	if len(keys) >= MaxKeys {
		return clash("%d keys of the license work already: rotate it without overlap, which ends them", len(keys))
	}
	l.Keys, l.UpdatedAt = append(keys, next), now
	return nil
}

// OldKeysEnd gives when the last of the keys ends that were rotated, none
// where there are none.
func (l *License) OldKeysEnd() time.Time {
	var last time.Time
	for _, k := range l.Keys {
		last = later(last, k.EndsAt)
	}
	return last
}
