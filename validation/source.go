package validation

import (
	"context"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// Snapshot is what a decision goes by. What it points to is shared and never
// changed.
type Snapshot struct {
	License   *license.License
	Plan      *license.Plan
	Product   *license.Product
	KeyEndsAt time.Time // of the key that asks; not the Source's to say
}

// decide judges a request with the key that asks.
func (s Snapshot) decide(r license.Request, now time.Time) license.Decision {
	r.KeyEndsAt = s.KeyEndsAt
	return license.Decide(s.License, s.Plan, s.Product, r, now)
}

// Source gives what is known of a key's license.
type Source interface {
	// Snapshot gives the license that a key's lookup leads to, with its plan
	// and product, and when the read of the oldest of them began. That is not
	// before notOlderThan, unless storage cannot be asked and older data is at
	// hand. Errors: NotFound where the lookup leads nowhere, Unavailable.
	Snapshot(ctx context.Context, lookup [32]byte, notOlderThan time.Time) (s Snapshot, asOf time.Time, err error)
}

// StorageSource is a Source that asks storage each time.
type StorageSource struct {
	Licensing *licensing.Service
	Now       func() time.Time
}

var _ Source = StorageSource{}

// Snapshot implements Source.
func (s StorageSource) Snapshot(ctx context.Context, lookup [32]byte, _ time.Time) (Snapshot, time.Time, error) {
	asOf := s.Now()
	v, err := s.Licensing.ByLookup(ctx, lookup)
	if err != nil {
		return Snapshot{}, time.Time{}, err
	}
	return Snapshot{License: v.License, Plan: v.Plan.Plan, Product: v.Product}, asOf, nil
}
