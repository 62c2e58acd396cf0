package license

import (
	"time"

	"github.com/keywright/keywright/actor"
)

// Product is something that is sold: an app, a plug-in, a service.
type Product struct {
	ID        string
	Code      string // unique and for ever, 2-40 characters of a-z, 0-9 and -
	Name      string
	KeyPrefix string // 2-8 characters of A-Z and 0-9
	Metadata  Metadata
	Archived  bool

	// InputDigest is of the input that created it under an idempotency key.
	InputDigest string

	Version   int64
	Revision  int
	CreatedBy actor.Actor
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ExpiryBasis says when a plan's duration begins.
type ExpiryBasis string

// The values of ExpiryBasis.
const (
	FromCreation        ExpiryBasis = "CREATION"
	FromFirstActivation ExpiryBasis = "FIRST_ACTIVATION"
)

// RenewalBasis says what a renewal adds the duration to.
type RenewalBasis string

// The values of RenewalBasis.
const (
	FromExpiry              RenewalBasis = "FROM_EXPIRY"
	FromLaterOfExpiryAndNow RenewalBasis = "FROM_LATER_OF_EXPIRY_AND_NOW"
)

// Plan holds the terms under which licenses of a product are issued.
// Duration, ExpiryBasis and RenewalBasis act at issue, first activation and
// renewal only; everything else acts at once on every license that does not
// override it.
type Plan struct {
	ID        string
	ProductID string
	Code      string // unique in its product and for ever
	Name      string

	Duration           *Duration // nil: for ever
	ExpiryBasis        ExpiryBasis
	RenewalBasis       RenewalBasis
	Grace              *Duration
	MaxMachines        *int // nil: no limit; 0: none
	MaxDomains         *int
	OveragePercent     int       // of a limit, rounded down
	LeaseDuration      *Duration // nil: seats are kept until released
	RequireFingerprint *bool     // nil: as the license's effective limits say
	RequireDomain      *bool
	RequireProduct     bool
	CheckInInterval    *Duration
	MaxOfflineDuration *Duration
	Entitlements       []Entitlement
	Metadata           Metadata
	Archived           bool

	InputDigest string

	// Due is when Due of its licenses is to be set anew; none: it goes by the
	// plan as it is.
	Due time.Time

	Version   int64
	Revision  int
	CreatedBy actor.Actor
	CreatedAt time.Time
	UpdatedAt time.Time
}
