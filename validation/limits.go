package validation

import (
	"time"

	"github.com/keywright/keywright/fault"
)

// Limits bound what the holders of keys, and those who guess at them, may do.
// They are this server's own, and in memory. Zero is no bound. Refusals are
// RateLimited; who has a key of our shape and keeps what it has meets none.
type Limits struct {
	UnknownKeys    int // a minute and address (IPv6: /64), at most so many unknown keys
	UnknownTexts   int // a minute, of all addresses, among them keys that are not of our shape
	SeatChanges    int // an hour and license, and two more for each seat of its limit
	SubjectChanges int // an hour and subject of a license
}

// DefaultLimits are those of a server that is told nothing else.
func DefaultLimits() Limits {
	return Limits{UnknownKeys: 10, UnknownTexts: 1_000, SeatChanges: 20, SubjectChanges: 6}
}

// maxRemembered bounds what each limit remembers: addresses, licenses,
// subjects.
const maxRemembered = 100_000

func tooMany(what string, wait time.Duration) error {
	e := fault.Errorf(fault.RateLimited, "%s; ask again later", what)
	e.RetryAfter = wait
	return e
}
