package licensing

// How records are stored.
var (
	EncodeProduct = encodeProduct
	DecodeProduct = decodeProduct
	EncodePlan    = encodePlan
	DecodePlan    = decodePlan
	EncodeLicense = encodeLicense
	DecodeLicense = decodeLicense
)
