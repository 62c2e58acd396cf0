package license

import "time"

// latest is the last time there is: what RFC 3339 can write.
func latest() time.Time {
	return time.Date(9999, 12, 31, 23, 59, 59, int(999*time.Millisecond), time.UTC)
}

// stored gives t as it is stored: UTC, whole milliseconds.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// storedOrNone gives what t points to as it is stored, and none for nil.
func storedOrNone(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return stored(*t)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// sooner is the earlier of two times either of which may be none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return later(a, b)
	}
	return earlier(a, b)
}
