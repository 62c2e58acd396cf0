package licensing

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
