package wire

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
)

// DefaultMaxStreams is how many streams a server has open at most, if not said.
const DefaultMaxStreams = 10_000

// Callers without a credential have one stream in so many, and each of their
// addresses a part of these. An IPv6 address counts by its /64.
const (
	anonymousPart = 4
	addressPart   = 10
)

// Streams are those that a server has open. It is safe for concurrent use.
type Streams struct {
	max, maxAnonymous, maxAddress int

	mu        sync.Mutex // guards what follows
	open      map[*stream]struct{}
	anonymous int
	addresses map[netip.Addr]int // of anonymous ones
	ending    bool
}

// stream is one that is open.
type stream struct {
	all       *Streams
	end       context.CancelCauseFunc
	drain     func(*stream) // soon ends it
	anonymous bool
	from      netip.Addr
}

// NewStreams allows so many at once, DefaultMaxStreams if that is zero.
func NewStreams(most int) *Streams {
	if most == 0 {
		most = DefaultMaxStreams
	}
	anonymous := max(1, most/anonymousPart)
	return &Streams{
		max: most, maxAnonymous: anonymous, maxAddress: max(1, anonymous/addressPart),
		open: map[*stream]struct{}{}, addresses: map[netip.Addr]int{},
	}
}

// errEnding is why streams end at a shutdown.
var errEnding = fault.Errorf(fault.Unavailable, "the server is shutting down")

// End has all streams end soon, and lets no other begin.
func (s *Streams) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for one := range s.open {
		one.drain(one)
	}
}

// Open tells how many there are.
func (s *Streams) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// isEnding reports whether End was called.
func (s *Streams) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// enter makes a stream for whoever calls in ctx, and gives a context that it
// ends. End calls drain, which must not wait; if that is nil, it ends the
// stream itself.
func (s *Streams) enter(ctx context.Context, drain func(*stream)) (*stream, context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := &stream{all: s, anonymous: actor.From(ctx).Nobody(), from: network(actor.AddressFrom(ctx))}
	switch {
	case s.ending:
		return nil, nil, busy("the server is shutting down")
	case len(s.open) >= s.max || one.anonymous && s.anonymous >= s.maxAnonymous:
		return nil, nil, busy("the server has as many streams open as it may")
	case one.anonymous && s.addresses[one.from] >= s.maxAddress:
		full := refusal(http.StatusTooManyRequests, fault.RateLimited, "too many streams are open from this address without a credential")
		full.Fault.RetryAfter = retryAfter
		return nil, nil, full
	}
	ctx, one.end = context.WithCancelCause(ctx)
	if one.drain = drain; drain == nil {
		one.drain = func(one *stream) { one.end(errEnding) }
	}
	s.open[one] = struct{}{}
	one.count(1)
	return one, ctx, nil
}

// retryAfter is when a client that found no place may ask again.
const retryAfter = 5 * time.Second

func busy(message string) *RefusalError {
	r := refusal(http.StatusServiceUnavailable, fault.Unavailable, message)
	r.Fault.RetryAfter = retryAfter
	return r
}

// known says that the stream's caller has shown a credential since.
func (one *stream) known() {
	one.all.mu.Lock()
	defer one.all.mu.Unlock()
	one.count(-1)
	one.anonymous = false
}

// leave says that the stream is over.
func (one *stream) leave() {
	one.end(nil)
	one.all.mu.Lock()
	defer one.all.mu.Unlock()
	one.count(-1)
	delete(one.all.open, one)
}

// count is for whoever holds the lock.
func (one *stream) count(by int) {
	if !one.anonymous {
		return
	}
	one.all.anonymous += by
	if one.all.addresses[one.from] += by; one.all.addresses[one.from] == 0 {
		delete(one.all.addresses, one.from)
	}
}

// network gives the address that stands for all that one caller has.
func network(from netip.Addr) netip.Addr {
	if from = from.Unmap(); !from.Is6() {
		return from
	}
	return netip.PrefixFrom(from, 64).Masked().Addr()
}
