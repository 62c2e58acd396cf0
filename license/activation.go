package license

import "time"

// SeatKind is what holds a seat.
type SeatKind string

// The kinds of seats.
const (
	Machine SeatKind = "MACHINE"
	Domain  SeatKind = "DOMAIN"
)

// Activation is a seat of a license: a machine or a domain that uses it.
type Activation struct {
	ID      string
	Kind    SeatKind
	Subject string // as the client sent it
	Domain  string // of a domain, its normal form, by which it is compared

	Name         string
	Platform     string
	CreatedAt    time.Time
	LastSeenAt   time.Time
	LeaseUntil   time.Time // none: kept until released
	OfflineUntil time.Time // a signed license is out until then
}
