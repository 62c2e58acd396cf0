// Package rate bounds how often things may happen, for each of very many
// keys, in a bounded memory. It imports nothing of ours.
//
// It is a token bucket that holds nothing but the time at which it is full
// again. Hence a key whose bucket is full costs no memory, what was taken can
// be given back at any time, and a clock that is set back, however far, keeps
// nobody waiting for longer than a period: a bucket of golang.org/x/time/rate
// stands still until the old time comes again.
package rate

import "time"

// Table has a bucket for each key. It is not safe for concurrent use: a
// decision may take from several tables, under one lock.
//
// Buckets lie in two maps, the recent one and the one before it, which is
// dropped when the recent one is full or a period old. What was not touched for
// a period is a full bucket, so nothing is lost by that, unless more keys come
// in a period than the table holds: then those that were touched longest ago
// are forgotten, which is to say that they are full again.
type Table[K comparable] struct {
	period        time.Duration
	half          int // the most that one map holds
	recent, older map[K]time.Time
	turned        time.Time
}

// New makes a Table for rates in that period, of so many keys at most.
func New[K comparable](period time.Duration, keys int) *Table[K] {
	return &Table[K]{period: period, half: max(1, keys/2), recent: map[K]time.Time{}}
}

// Wait gives how long it takes until key has one of n in a period left, zero
// where it has.
func (t *Table[K]) Wait(key K, n int, now time.Time) time.Duration {
	return max(0, t.fullAt(key, now).Sub(now)-time.Duration(n-1)*t.each(n))
}

// Take takes one of n in a period from key, whether it has one left or not: a
// caller who may be refused asks Wait before. The bucket never owes more than
// all of its n.
func (t *Table[K]) Take(key K, n int, now time.Time) {
	t.set(key, t.fullAt(key, now).Add(t.each(n)), now)
}

// Return gives back one of n in a period that was taken.
func (t *Table[K]) Return(key K, n int, now time.Time) {
	t.set(key, t.fullAt(key, now).Add(-t.each(n)), now)
}

// Len says how many keys the table remembers.
func (t *Table[K]) Len() int { return len(t.recent) + len(t.older) }

// each is how long it takes to earn one of n.
func (t *Table[K]) each(n int) time.Duration { return t.period / time.Duration(n) }

// fullAt says when the bucket of key is full again, now at the earliest.
func (t *Table[K]) fullAt(key K, now time.Time) time.Time {
	at, found := t.recent[key]
	if !found {
		at = t.older[key]
	}
	if at.Before(now) || at.After(now.Add(t.period)) { // the clock was set back
		return now
	}
	return at
}

func (t *Table[K]) set(key K, at, now time.Time) {
	delete(t.older, key)
	delete(t.recent, key)
	if len(t.recent) >= t.half || now.Sub(t.turned).Abs() >= t.period {
		t.older, t.recent, t.turned = t.recent, map[K]time.Time{}, now
	}
	if most := now.Add(t.period); at.After(most) {
		at = most
	}
	if at.After(now) {
		t.recent[key] = at
	}
}
