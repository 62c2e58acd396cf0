package licensing

import (
	"encoding/json"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// How records are stored.
var (
	EncodeProduct = encodeProduct
	DecodeProduct = decodeProduct
	EncodePlan    = encodePlan
	DecodePlan    = decodePlan
	EncodeLicense = encodeLicense
	DecodeLicense = decodeLicense

	DecodeSeatBody = decodeSeatBody
	PlainSeatBody  = plainSeatBody
)

// SeatBody is the body of a seat.
type SeatBody = seatBody

// ShownData gives the data of an entry as it is shown.
func ShownData(s *Service, e journal.Entry, record *storage.Stored) (json.RawMessage, error) {
	return s.shownData(e, record)
}

// The bounds of what subscriptions share.
const (
	GlanceLife = glanceLife
	MaxGlances = maxGlances
)

// Glances counts what subscriptions share.
func Glances(s *Service) int {
	s.glances.mu.Lock()
	defer s.glances.mu.Unlock()
	return len(s.glances.last)
}
