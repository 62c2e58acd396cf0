package validation

import "time"

// SeatGuard is what bounds the changes of seats.
type SeatGuard struct{ guard *seatGuard }

// NewSeatGuard makes one.
func NewSeatGuard(l Limits, now func() time.Time) SeatGuard { return SeatGuard{newSeatGuard(l, now)} }

// Take asks for a change.
func (g SeatGuard) Take(id string, limit *int, hash string) (giveBack func(), err error) {
	return g.guard.take(id, limit, hash)
}

// Note counts a change that nobody asked for.
func (g SeatGuard) Note(id string, limit *int, hash string) { g.guard.note(id, limit, hash) }

// Remembered says how many licenses and subjects are remembered.
func (g SeatGuard) Remembered() (licenses, subjects int) {
	return g.guard.licenses.Len(), g.guard.subjects.Len()
}

// Remembered says how many addresses are remembered.
func (s *Service) Remembered() int { return s.unknown.addresses.Len() }
