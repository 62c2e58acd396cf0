// Package license is the domain: products, plans, licenses, activations and
// every rule about them. It takes the time and all randomness as arguments
// and does no I/O, so each rule is written once, here, and can be tested
// without a server.
//
// Times are UTC and whole milliseconds; the zero time is «none».
package license

import (
	"encoding/json"
	"time"

	"github.com/keywright/keywright/actor"
)

// State is what is stored of a license's life. SCHEDULED, ACTIVE and EXPIRED
// follow from the clock; see Status.
type State string

// The stored states.
const (
	Issued    State = "issued"
	Suspended State = "suspended"
	Revoked   State = "revoked"
)

// License is one customer's right to use a product under a plan. What it has
// of its own, beside the plan, sits in Overrides, so that no stored field has
// the name of one that the public contract computes.
type License struct {
	ID        string
	ProductID string
	PlanID    string
	State     State
	Reason    string // why it was last suspended, revoked or reinstated

	ExternalID string
	Customer   Customer

	StartsAt    time.Time // none: from its creation
	ExpiresAt   time.Time // none: never, or not before its first activation
	ActivatedAt time.Time // none: never used

	// AwaitsActivation says that the plan's duration begins with the first
	// activation, and until then the license has no end.
	AwaitsActivation bool

	Overrides      Overrides
	AllowedDomains []string // patterns, in normal form; nil is any domain
	Metadata       Metadata

	Keys     []Key  // the current one, and those before it that a rotation left valid for a time
	SecretID string // of the secret that its activation ids and subject hashes are made under

	Seats []Activation

	// InputDigest is of the input that issued it under an idempotency key;
	// empty where it was issued without one.
	InputDigest string

	RevealReason string // that was given last for showing its key again

	LimitTold LimitTold

	ValidationCount int64
	LastValidatedAt time.Time

	Announced Announced
	// Due is a time before which there is nothing to announce; none: there
	// never is. Whoever changes the license sets it by NextDue.
	Due time.Time

	Version   int64 // storage's
	Revision  int
	CreatedBy actor.Actor
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Customer is who holds a license. Empty text is none.
type Customer struct {
	Email      string
	Name       string
	ExternalID string // the customer's id in the vendor's own system
}

// Overrides is what a license has of its own; nil follows the plan.
type Overrides struct {
	MaxMachines  *Limit
	MaxDomains   *Limit
	Grace        *Duration
	Entitlements []Entitlement // added to the plan's; the same code overrides
}

// Limit bounds a number of seats; a nil Max is no limit.
type Limit struct {
	Max *int `json:"max"`
}

// Key is one key of a license. The key itself is never stored in the clear.
type Key struct {
	Lookup   []byte    `json:"lookup"`             // HMAC-SHA256, 32 bytes
	Hint     string    `json:"hint"`               // its last five characters
	Sealed   []byte    `json:"sealed,omitempty"`   // nil where revealing is off
	Imported bool      `json:"imported,omitempty"` // made elsewhere, and compared as it is
	EndsAt   time.Time `json:"endsAt,omitzero"`    // of a rotated key; none for the current one
}

// Metadata is a JSON object of the vendor's own.
type Metadata = json.RawMessage

// Entitlement is a feature that a license grants, with a value where it needs
// one, and an end of its own where it has one.
type Entitlement struct {
	Code      string          `json:"code"`
	Value     json.RawMessage `json:"value,omitempty"`
	ExpiresAt time.Time       `json:"expiresAt,omitzero"`
}
