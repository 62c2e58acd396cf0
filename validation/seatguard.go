package validation

import (
	"sync"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/validation/rate"
)

// seatGuard bounds how often the holder of a key changes seats: a seat taken
// is a change, and so is one freed; to find one's own or to be refused is none.
// Only taking can be refused. Freeing counts all the same, since it is what
// lets a few seats go round many machines.
type seatGuard struct {
	changes int // an hour and license, beside two for each of its seats; 0: no bound
	subject int // an hour and subject
	now     func() time.Time

	mu       sync.Mutex // guards what follows
	licenses *rate.Table[string]
	subjects *rate.Table[string]
}

func newSeatGuard(l Limits, now func() time.Time) *seatGuard {
	return &seatGuard{
		changes: l.SeatChanges, subject: l.SubjectChanges, now: now,
		licenses: rate.New[string](time.Hour, maxRemembered),
		subjects: rate.New[string](time.Hour, maxRemembered),
	}
}

// seatChange is a seat that one request asks for. Others may decide that, more
// than once, and even when its caller is gone.
type seatChange struct {
	guard *seatGuard

	takenMu sync.Mutex // guards undo
	undo    func()     // nil: not taken
}

// admit takes the change, once.
func (c *seatChange) admit(id string, limit *int, hash string) (err error) {
	c.takenMu.Lock()
	defer c.takenMu.Unlock()
	if c.undo == nil {
		c.undo, err = c.guard.take(id, limit, hash)
	}
	return err
}

// giveBack gives the change back where it was taken.
func (c *seatChange) giveBack() {
	c.takenMu.Lock()
	defer c.takenMu.Unlock()
	if c.undo != nil {
		c.undo()
		c.undo = nil
	}
}

// take is called where it is decided that a subject gets a seat, before the
// commit: what is under way counts. id and limit are the license's, the limit for
// that kind of seat and nil for none; hash names the subject, and differs from
// license to license. Where nothing comes of it, the change is given back.
// Errors: RateLimited.
func (g *seatGuard) take(id string, limit *int, hash string) (giveBack func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, ofLicense := g.now(), g.ofLicense(limit)
	wait := time.Duration(0)
	if ofLicense > 0 {
		wait = g.licenses.Wait(id, ofLicense, now)
	}
	if g.subject > 0 {
		wait = max(wait, g.subjects.Wait(hash, g.subject, now))
	}
	if wait > 0 {
		return nil, tooMany("the seats of this license are changed too often", wait)
	}
	g.count(id, ofLicense, hash, now)
	return func() { g.giveBack(id, ofLicense, hash) }, nil
}

// note counts a seat that was freed.
func (g *seatGuard) note(id string, limit *int, hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count(id, g.ofLicense(limit), hash, g.now())
}

// ofLicense is how many changes an hour a license has.
func (g *seatGuard) ofLicense(limit *int) int {
	if g.changes == 0 {
		return 0
	}
	seats := license.MaxSeats
	if limit != nil {
		seats = *limit
	}
	return g.changes + 2*seats
}

func (g *seatGuard) count(id string, ofLicense int, hash string, now time.Time) {
	if ofLicense > 0 {
		g.licenses.Take(id, ofLicense, now)
	}
	if g.subject > 0 {
		g.subjects.Take(hash, g.subject, now)
	}
}

func (g *seatGuard) giveBack(id string, ofLicense int, hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if ofLicense > 0 {
		g.licenses.Return(id, ofLicense, now)
	}
	if g.subject > 0 {
		g.subjects.Return(hash, g.subject, now)
	}
}
