// Package validation is the holder's door: is this key good, here and now?
// The key is the credential. A refusal is an answer; an error only says that
// the server does not know, and is never a no.
package validation

import (
	"context"
	"log/slog"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// The defaults of Config.
const (
	DefaultMaxStaleness = 5 * time.Second
	DefaultRefresh      = 5 * time.Minute
	DefaultStaleFor     = 15 * time.Minute
)

// minStaleness is the least that a caller may ask for as maxStaleness.
const minStaleness = time.Second

// Licenses is what validation needs of licensing.
type Licenses interface {
	licensing.KeyReader
	// NoteFirstUse notes that a license was used for the first time.
	NoteFirstUse(ctx context.Context, id string, at time.Time) (*license.License, error)
	// Activate takes a seat, or finds the subject's; Deactivate frees one.
	Activate(ctx context.Context, c licensing.SeatClaim) (*licensing.SeatAnswer, error)
	Deactivate(ctx context.Context, r licensing.SeatRelease) (*licensing.SeatAnswer, error)
	// TouchSeat moves the lease of a seat.
	TouchSeat(ctx context.Context, l *license.License, seat *license.Activation, now, until time.Time) (time.Time, error)
	// License gives a license to staff.
	License(ctx context.Context, id, keyText *string) (*licensing.LicenseView, error)
	// SubjectHash is how usage names a subject of a license.
	SubjectHash(l *license.License, subject license.Subject) string
}

// Config is what a Service is made of. Source, Licenses, Secrets and Counter
// are needed; the rest has defaults.
type Config struct {
	Source   Source
	Licenses Licenses
	Secrets  *secret.List
	Counter  storage.Counter
	Now      func() time.Time
	Log      *slog.Logger

	MaxStaleness time.Duration // how old an answer's data may be
	Refresh      time.Duration // when to ask again after a yes
	StaleFor     time.Duration // how old data may be while storage is down; negative is off
	NoImported   bool          // no key was made elsewhere: such text is not looked up
	Limits       Limits        // none, if zero
}

// Service answers the holders of keys. It is safe for concurrent use.
type Service struct {
	Config
	usage   *usage
	unknown *unknownKeys
	seats   *seatGuard
}

// New makes a Service. Whoever makes it calls Run.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxStaleness == 0 {
		c.MaxStaleness = DefaultMaxStaleness
	}
	if c.Refresh == 0 {
		c.Refresh = DefaultRefresh
	}
	if c.StaleFor == 0 {
		c.StaleFor = DefaultStaleFor
	}
	return &Service{
		Config:  c,
		usage:   newUsage(c.Counter, c.Licenses, c.Log),
		unknown: newUnknownKeys(c.Limits, c.Now),
		seats:   newSeatGuard(c.Limits, c.Now),
	}
}

// Run writes usage down once a second until ctx ends, and what is left then.
func (s *Service) Run(ctx context.Context) { s.usage.run(ctx) }

// now is the time as it is answered.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
