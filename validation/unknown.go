package validation

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/validation/rate"
)

// unknownKeys bounds how many keys that lead nowhere are asked for. One of our
// own shape cannot be guessed, so it is looked up in any case, and a good one
// is answered whatever others did behind the same address; what is bounded is
// how many of them are told to be unknown. Other text may be guessed: it takes
// its place before it is looked up, and gives it back if it is known.
type unknownKeys struct {
	keys  int // an address; 0: no bound
	texts int
	now   func() time.Time

	mu        sync.Mutex // guards what follows
	addresses *rate.Table[netip.Addr]
	all       *rate.Table[struct{}] // of other text
}

func newUnknownKeys(l Limits, now func() time.Time) *unknownKeys {
	return &unknownKeys{
		keys: l.UnknownKeys, texts: l.UnknownTexts, now: now,
		addresses: rate.New[netip.Addr](time.Minute, maxRemembered),
		all:       rate.New[struct{}](time.Minute, maxRemembered),
	}
}

// attempt is a key that is being looked up.
type attempt struct {
	of   *unknownKeys
	from netip.Addr // whom it counts for; the zero Addr: nobody
	text bool       // it counts among all other text, too
	ours bool
}

// begin is called before a key is looked up. Errors: RateLimited.
func (u *unknownKeys) begin(ctx context.Context, r key.Reading) (attempt, error) {
	a := attempt{of: u, ours: r.Kind == key.Ours}
	a.text = !a.ours && u.texts > 0
	if u.keys > 0 {
		a.from = counted(actor.AddressFrom(ctx))
	}
	if a.ours {
		return a, nil
	}
	return a, u.take(a)
}

// end is called with the error of the look-up, and gives what it comes to:
// RateLimited in place of a NotFound too many, or else err itself.
func (a attempt) end(err error) error {
	unknown := fault.Is(err, fault.NotFound)
	if unknown && a.ours {
		if limited := a.of.take(a); limited != nil {
			return limited
		}
	}
	if !unknown && !a.ours {
		a.of.giveBack(a)
	}
	return err
}

func (u *unknownKeys) take(a attempt) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	if a.from.IsValid() {
		if wait := u.addresses.Wait(a.from, u.keys, now); wait > 0 {
			return tooMany("too many unknown keys from this address", wait)
		}
	}
	if a.text {
		if wait := u.all.Wait(struct{}{}, u.texts, now); wait > 0 {
			return tooMany("too many unknown keys", wait)
		}
		u.all.Take(struct{}{}, u.texts, now)
	}
	if a.from.IsValid() {
		u.addresses.Take(a.from, u.keys, now)
	}
	return nil
}

func (u *unknownKeys) giveBack(a attempt) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	if a.text {
		u.all.Return(struct{}{}, u.texts, now)
	}
	if a.from.IsValid() {
		u.addresses.Return(a.from, u.keys, now)
	}
}

// counted gives the address that stands for all that one caller has: the /64
// of an IPv6 address, and IPv4 for an address that is only mapped into IPv6.
func counted(from netip.Addr) netip.Addr {
	from = from.Unmap()
	if !from.Is6() {
		return from
	}
	return netip.PrefixFrom(from, 64).Masked().Addr()
}
