// Package licensing holds the use-cases that change or show products, plans
// and licenses, one family a file. It is the only writer of them. Each
// use-case opens with authorize, asks the domain, and commits once, with the
// journal entry that accounts for the change.
package licensing

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// Store is what the use-cases need of storage.
type Store interface {
	storage.Reader
	storage.Committer
}

// Config is what a Service is made of. Store, Secrets and Enforcer are
// needed; the rest has defaults.
type Config struct {
	Store    Store
	Secrets  *secret.List
	Enforcer authz.Enforcer
	// Journal is the log over Store. If nil there is none, and events are
	// Unavailable.
	Journal Journal
	// Checkpoint gives the last signed checkpoint of the journal, empty where
	// there is none. If nil none is signed.
	Checkpoint func() string
	Now        func() time.Time // the clock; time.Now if nil
	Random     io.Reader        // safe for concurrent use; crypto/rand if nil
	Log        *slog.Logger     // discarded if nil
	// KeepKeys seals a copy of each key, so that it can be revealed later.
	KeepKeys bool
	// ExpiryNotices are the days before its end at which a license is
	// announced, each at most license.MaxNotice: license.DefaultNotices if nil.
	ExpiryNotices []int
}

// Service answers the use-cases. It is safe for concurrent use.
type Service struct {
	store      Store
	secrets    *secret.List
	enforcer   authz.Enforcer
	journal    Journal
	checkpoint func() string
	clock      func() time.Time
	random     io.Reader
	log        *slog.Logger
	keepKeys   bool
	prefixes   prefixCache
	lines      lines
	denials    denials
	notices    []int // the most days first
	rounds     rounds
	alarm      *alarm
	glances    glances
}

// New makes a Service.
func New(c Config) *Service {
	s := &Service{
		store: c.Store, secrets: c.Secrets, enforcer: c.Enforcer,
		journal: c.Journal, checkpoint: c.Checkpoint,
		clock: c.Now, random: c.Random, log: c.Log, keepKeys: c.KeepKeys,
		notices: slices.Clone(c.ExpiryNotices), alarm: newAlarm(),
	}
	if c.ExpiryNotices == nil {
		s.notices = license.DefaultNotices()
	}
	slices.SortFunc(s.notices, func(a, b int) int { return b - a })
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// now is the time as it is stored.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }

// caller is who asks for a use-case, and the products it may do it on.
type caller struct {
	actor.Actor
	scope    authz.Scope
	products []string // their ids, where the scope is not all
}

// authorize opens a use-case, and accounts for a refusal. Errors:
// Unauthenticated, Denied.
func (s *Service) authorize(ctx context.Context, action authz.Action) (caller, error) {
	c, err := s.judge(ctx, action)
	if err != nil {
		s.denied(ctx, action, "")
	}
	return c, err
}

// judge gives the caller as far as the action goes. Errors: Unauthenticated,
// Denied; to account for these is the use-case's.
func (s *Service) judge(ctx context.Context, action authz.Action) (caller, error) {
	scope, err := authz.Authorize(ctx, s.enforcer, action)
	if err != nil {
		return caller{}, err
	}
	c := caller{Actor: actor.From(ctx), scope: scope}
	if !scope.All() {
		c.products = []string{}
		for _, code := range scope.Codes() {
			c.products = append(c.products, license.ProductID(code))
		}
		slices.Sort(c.products) // cursors belong to the set
	}
	return c, nil
}

// sees reports whether the caller may do what it asks for on this product.
func (c caller) sees(productID string) bool {
	return c.scope.All() || slices.Contains(c.products, productID)
}

// read gives the record of this id and kind. One of a product that the caller
// may not touch is NotFound, like one that is not there.
func (s *Service) read(ctx context.Context, c caller, kind storage.Kind, id string) (*storage.Stored, error) {
	stored, err := storage.One(ctx, s.store, kind, id)
	if err != nil {
		return nil, err
	}
	if !c.sees(stored.Index.Product) {
		return nil, fault.Errorf(fault.NotFound, "%s not found", kind)
	}
	return stored, nil
}
