package validation_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/validation"
)

// unknown gives the n-th key of our shape that nobody has.
func unknown(t *testing.T, n int) string {
	t.Helper()
	var data [key.Length]byte
	for i := range 6 {
		data[i] = byte(n >> (5 * i) & 31)
	}
	k, err := key.New("ACME", data)
	ok(t, err)
	return k.String()
}

// elsewhere gives the n-th text that may be a key made elsewhere.
func elsewhere(n int) string { return fmt.Sprintf("made elsewhere %09d", n) }

func from(ctx context.Context, address string) context.Context {
	return actor.WithAddress(ctx, netip.MustParseAddr(address))
}

// limited validates within these limits.
func (w *world) limited(l validation.Limits) *validation.Service {
	return w.service(func(c *validation.Config) { c.Limits = l })
}

// tries validates each key, and says how many were NOT_FOUND; the rest must be
// RATE_LIMITED.
func tries(ctx context.Context, t *testing.T, s *validation.Service, keys ...string) (found int) {
	t.Helper()
	for _, keyText := range keys {
		v, err := s.Validate(ctx, asked(keyText, nil))
		if err == nil {
			wantCode(t, v, license.CodeNotFound)
			found++
			continue
		}
		wantLimited(t, err)
	}
	return found
}

func wantLimited(t *testing.T, err error) *fault.Error {
	t.Helper()
	all := fault.All(err)
	if len(all) != 1 || all[0].Code != fault.RateLimited || all[0].RetryAfter <= 0 {
		t.Fatalf("got %v, want RATE_LIMITED", err)
	}
	return all[0]
}

// many gives so many keys by one of the above, from the first on.
func many(first, count int, of func(int) string) []string {
	keys := make([]string, count)
	for i := range keys {
		keys[i] = of(first + i)
	}
	return keys
}

func ours(t *testing.T) func(int) string { return func(n int) string { return unknown(t, n) } }

func TestTooManyUnknownKeysFromOneAddressAreRefused(t *testing.T) {
	for name, of := range map[string]func(int) string{"of our shape": ours(t), "made elsewhere": elsewhere} {
		w := newWorld(t)
		s, here := w.limited(validation.DefaultLimits()), from(t.Context(), "192.0.2.1")
		if got := tries(here, t, s, many(0, 15, of)...); got != 10 {
			t.Errorf("%s: %d of 15 were looked up, want 10", name, got)
		}
		_, err := s.Validate(here, asked(of(99), nil))
		if got := wantLimited(t, err).RetryAfter; got != 6*time.Second {
			t.Errorf("%s: again after %v, want 6s", name, got)
		}
		w.clock.advance(6 * time.Second)
		if got := tries(here, t, s, many(20, 3, of)...); got != 1 {
			t.Errorf("%s: after 6 s %d were looked up, want 1", name, got)
		}
		w.clock.advance(time.Minute)
		if got := tries(here, t, s, many(30, 15, of)...); got != 10 {
			t.Errorf("%s: after a minute %d were looked up, want 10", name, got)
		}
		if got := tries(from(t.Context(), "192.0.2.2"), t, s, many(50, 15, of)...); got != 10 {
			t.Errorf("%s: from elsewhere %d were looked up, want 10", name, got)
		}
	}
}

// Customers share the address of their network with whoever else is there.
func TestAKnownKeyIsAnsweredWhateverItsAddressDid(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s, here := w.limited(validation.DefaultLimits()), from(t.Context(), "192.0.2.1")
	tries(here, t, s, many(0, 15, ours(t))...)
	tries(here, t, s, many(0, 15, elsewhere)...)
	for range 50 {
		v, err := s.Validate(here, asked(keyText, nil))
		ok(t, err)
		wantCode(t, v, license.CodeValid)
	}
}

func TestKnownKeysCountForNothing(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	const imported = "an older key, made elsewhere"
	_, err := w.licensing.IssueLicense(asStaff(t), licensing.IssueLicenseInput{Plan: "acme/pro", Key: new(imported)})
	ok(t, err)
	s, here := w.limited(validation.Limits{UnknownKeys: 10, UnknownTexts: 12}), from(t.Context(), "192.0.2.1")
	for range 100 {
		for _, known := range []string{keyText, imported} {
			v, err := s.Validate(here, asked(known, nil))
			ok(t, err)
			wantCode(t, v, license.CodeValid)
		}
	}
	if got := tries(here, t, s, many(0, 15, elsewhere)...); got != 10 {
		t.Errorf("%d were looked up, want 10", got)
	}
}

func TestMistypedKeysAndFailuresCountForNothing(t *testing.T) {
	w := newWorld(t)
	s, here := w.limited(validation.Limits{UnknownKeys: 10, UnknownTexts: 12}), from(t.Context(), "192.0.2.1")
	for _, text := range []string{"", "ACME-12345", unknown(t, 1) + "0"} {
		for range 30 {
			v, err := s.Validate(here, asked(text, nil))
			ok(t, err)
			wantCode(t, v, license.CodeKeyMalformed)
		}
	}
	w.store.get.set(func() error { return fault.Errorf(fault.Unavailable, "storage is down") })
	for i := range 30 {
		for _, text := range []string{unknown(t, i), elsewhere(i)} {
			v, err := s.Validate(here, asked(text, nil))
			wantUnavailable(t, v, err)
		}
	}
	w.store.get.clear()
	if got := tries(here, t, s, many(0, 15, elsewhere)...); got != 10 {
		t.Errorf("%d were looked up, want 10", got)
	}
}

func TestUnknownTextsAreBoundedInAll(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s := w.limited(validation.DefaultLimits())
	found, refused := 0, 0
	for i := range 210 {
		here := from(t.Context(), fmt.Sprintf("192.0.%d.%d", i/100, i%100))
		got := tries(here, t, s, many(5*i, 5, elsewhere)...)
		found, refused = found+got, refused+5-got
	}
	if found != 1_000 || refused != 50 {
		t.Errorf("%d were looked up and %d refused, want 1000 and 50", found, refused)
	}
	other := from(t.Context(), "198.51.100.1")
	if got := tries(other, t, s, many(0, 12, ours(t))...); got != 10 { // those are not counted among them
		t.Errorf("%d of our shape were looked up, want 10", got)
	}
	v, err := s.Validate(other, asked(keyText, nil))
	ok(t, err)
	wantCode(t, v, license.CodeValid)
}

func TestWhatIsRefusedFirstAsksNoSource(t *testing.T) {
	w := newWorld(t)
	asked := 0
	s := w.service(func(c *validation.Config) {
		c.Limits = validation.DefaultLimits()
		c.Source = source(func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
			asked++
			return validation.Snapshot{}, time.Time{}, fault.Errorf(fault.NotFound, "nothing")
		})
	})
	tries(from(t.Context(), "192.0.2.1"), t, s, many(0, 30, elsewhere)...)
	if asked != 10 {
		t.Errorf("the source was asked for %d texts, want 10", asked)
	}
	tries(from(t.Context(), "192.0.2.1"), t, s, many(0, 30, ours(t))...)
	if asked != 40 {
		t.Errorf("and for %d keys of our shape, want all of them", asked-10)
	}
}

func TestWhichAddressesAreOne(t *testing.T) {
	tests := map[string]struct {
		addresses []string
		want      int
	}{
		"a network of IPv6":          {[]string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2:8000:1:2:3"}, 10},
		"two of them":                {[]string{"2001:db8:1:2::1", "2001:db8:1:3::1"}, 20},
		"zones":                      {[]string{"fe80::1%eth0", "fe80::1%eth1"}, 10},
		"IPv4":                       {[]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, 30},
		"IPv4 mapped into IPv6":      {[]string{"::ffff:192.0.2.1", "192.0.2.1"}, 10},
		"two of IPv4 mapped into it": {[]string{"::ffff:192.0.2.1", "::ffff:192.0.2.2"}, 20},
	}
	for name, test := range tests {
		w := newWorld(t)
		s, got := w.limited(validation.DefaultLimits()), 0
		for i, address := range test.addresses {
			got += tries(from(t.Context(), address), t, s, many(100*i, 15, ours(t))...)
		}
		if got != test.want {
			t.Errorf("%s: %d were looked up, want %d", name, got, test.want)
		}
	}
}

func TestWithoutAnAddressOrALimitAllIsAnswered(t *testing.T) {
	w := newWorld(t)
	if got := tries(t.Context(), t, w.limited(validation.Limits{UnknownKeys: 10}), many(0, 100, ours(t))...); got != 100 {
		t.Errorf("in process %d were looked up, want 100", got)
	}
	for name, of := range map[string]func(int) string{"of our shape": ours(t), "made elsewhere": elsewhere} {
		if got := tries(from(t.Context(), "192.0.2.1"), t, w.limited(validation.Limits{}), many(0, 2_000, of)...); got != 2_000 {
			t.Errorf("%s: without a limit %d were looked up, want 2000", name, got)
		}
	}
	texts := w.limited(validation.Limits{UnknownTexts: 20}) // and this one goes by no address
	if got := tries(t.Context(), t, texts, many(0, 30, elsewhere)...); got != 20 {
		t.Errorf("%d were looked up, want 20", got)
	}
}

// Whoever sends all guesses at once is not told more.
func TestAHundredAtOncePassNoMoreThanTheBurst(t *testing.T) {
	w := newWorld(t)
	for name, of := range map[string]func(int) string{"of our shape": ours(t), "made elsewhere": elsewhere} {
		var lookUps, found, refused atomic.Int64
		arrived, release := make(chan struct{}, 200), make(chan struct{})
		s := w.service(func(c *validation.Config) {
			c.Limits = validation.DefaultLimits()
			c.Source = source(func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
				lookUps.Add(1)
				arrived <- struct{}{}
				<-release // none ends before all have begun
				return validation.Snapshot{}, time.Time{}, fault.Errorf(fault.NotFound, "nothing")
			})
		})
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				v, err := s.Validate(from(t.Context(), "192.0.2.1"), asked(of(i), nil))
				switch {
				case err == nil && v.Code == string(license.CodeNotFound):
					found.Add(1)
				case fault.Is(err, fault.RateLimited):
					refused.Add(1)
				default:
					t.Errorf("%s: %+v, %v", name, v, err)
				}
				arrived <- struct{}{} // for those that were not looked up
			})
		}
		for range 100 {
			<-arrived
		}
		close(release)
		callers.Wait()
		wantLookUps := map[string]int64{"of our shape": 100, "made elsewhere": 10}[name]
		if found.Load() != 10 || refused.Load() != 90 || lookUps.Load() != wantLookUps {
			t.Errorf("%s: %d told, %d refused, %d looked up", name, found.Load(), refused.Load(), lookUps.Load())
		}
	}
}

func TestAClockThatIsSetBackLocksNobodyOut(t *testing.T) {
	w := newWorld(t)
	s, here := w.limited(validation.DefaultLimits()), from(t.Context(), "192.0.2.1")
	for _, back := range []time.Duration{time.Second, time.Hour, 50 * 365 * 24 * time.Hour} {
		tries(here, t, s, many(0, 15, elsewhere)...)
		w.clock.advance(-back)
		w.clock.advance(time.Minute)
		if got := tries(here, t, s, many(30, 15, elsewhere)...); got < 9 {
			t.Errorf("a minute after it was set back %v %d were looked up", back, got)
		}
		w.clock.advance(time.Hour)
	}
}

func TestAnyNumberOfAddressesTakesABoundedMemory(t *testing.T) {
	w := newWorld(t)
	nothing := fails(fault.Errorf(fault.NotFound, "nothing"))
	s := w.service(func(c *validation.Config) { c.Source, c.Limits = nothing, validation.DefaultLimits() })
	keyText := unknown(t, 1)
	var address [16]byte
	copy(address[:], []byte{0x20, 0x01, 0x0d, 0xb8})
	for i := range uint32(150_000) {
		binary.BigEndian.PutUint32(address[4:], i)
		_, err := s.Validate(actor.WithAddress(t.Context(), netip.AddrFrom16(address)), asked(keyText, nil))
		ok(t, err)
	}
	if got := s.Remembered(); got > 100_000 || got < 50_000 {
		t.Errorf("%d addresses are remembered", got)
	}
}
