package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage/storagetest"
	"github.com/keywright/keywright/validation"
)

// seats measures what holders of keys do to their seats, each change durable
// before it is answered, by use-case and from 32 callers.
func (b bench) seats(ctx context.Context) error {
	clock := newClock()
	w, err := wireAt(ctx, filepath.Join(b.dir, "seats.db"), clock.now)
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	heading("seats, SQLite with synchronous=FULL, 32 callers")
	fsync, err := storagetest.MeasureFsync(ctx, b.dir, b.count/10)
	if err != nil {
		return err
	}
	row(fsync, "")
	s := seatBench{bench: b, wired: w, clock: clock, fsync: fsync}
	for _, part := range []func(context.Context) error{s.spread, s.heartbeats, s.crowd, s.huge} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

type seatBench struct {
	bench
	*wired
	clock *benchClock
	fsync storagetest.Figure
}

// benchClock is the time, and what was added to it.
type benchClock struct{ ahead atomic.Int64 }

func newClock() *benchClock               { return &benchClock{} }
func (c *benchClock) now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *benchClock) set(d time.Duration) { c.ahead.Store(max(c.ahead.Load(), int64(d))) }

func (s seatBench) measure(ctx context.Context, name string, count, aim int, run func(context.Context, int) error) error {
	f, err := storagetest.Measure(ctx, name, connections, count, run)
	if err != nil {
		return err
	}
	note := times(f, s.fsync)
	if aim > 0 {
		note += fmt.Sprintf("; aim %d/s", aim)
	}
	row(f, note)
	return nil
}

// license makes one under a plan of its own, with floating seats.
func (s seatBench) license(ctx context.Context, code string, seats int) (id, key string, err error) {
	lease, err := license.ParseDuration("PT10M")
	if err != nil {
		return "", "", err
	}
	ctx = actor.With(ctx, authz.DevAdmin)
	_, err = s.licensing.CreatePlan(ctx, licensing.CreatePlanInput{
		Product: product, Code: code, Name: code, MaxMachines: &seats, LeaseDuration: &lease,
		ExpiryBasis: "CREATION", RenewalBasis: "FROM_EXPIRY",
	})
	if err != nil {
		return "", "", err
	}
	return s.more(ctx, code)
}

func (s seatBench) more(ctx context.Context, code string) (id, key string, err error) {
	made, err := s.licensing.IssueLicense(actor.With(ctx, authz.DevAdmin), licensing.IssueLicenseInput{Plan: product + "/" + code})
	if err != nil {
		return "", "", err
	}
	return made.License.ID(), made.Key, nil
}

func (s seatBench) keysOf(ctx context.Context, code string, count int) ([]string, error) {
	keys := make([]string, count)
	_, err := storagetest.Measure(ctx, "", 32, count, func(ctx context.Context, n int) (err error) {
		_, keys[n], err = s.more(ctx, code)
		return err
	})
	return keys, err
}

func (s seatBench) activate(ctx context.Context, key string, machine int) error {
	got, err := s.validation.Activate(ctx, validation.ActivateInput{Key: key, Fingerprint: new(fmt.Sprint("machine-", machine))})
	if err == nil && !got.Created {
		err = errors.New("a new machine is refused: " + got.Validation.Code)
	}
	return err
}

func (s seatBench) deactivate(ctx context.Context, key string, machine int) error {
	got, err := s.validation.Deactivate(ctx, validation.DeactivateInput{Key: key, Fingerprint: new(fmt.Sprint("machine-", machine))})
	if err == nil && !got.Removed {
		err = errors.New("a machine's seat is not freed")
	}
	return err
}

// spread activates one machine after the other, each on another license.
func (s seatBench) spread(ctx context.Context) error {
	_, _, err := s.license(ctx, "spread", 100)
	if err != nil {
		return err
	}
	keys, err := s.keysOf(ctx, "spread", licenses)
	if err != nil {
		return err
	}
	return s.measure(ctx, "activate, 1,000 licenses in turn", s.count, 2_000, func(ctx context.Context, n int) error {
		return s.activate(ctx, keys[n%licenses], n)
	})
}

// heartbeats each write: the clock goes on by more than a third of a lease
// before a machine's turn comes again.
func (s seatBench) heartbeats(ctx context.Context) error {
	_, _, err := s.license(ctx, "beating", 10)
	if err != nil {
		return err
	}
	const machine, many = 1, 4 * licenses
	keys, err := s.keysOf(ctx, "beating", many)
	if err != nil {
		return err
	}
	_, err = storagetest.Measure(ctx, "", 32, many, func(ctx context.Context, n int) error {
		return s.activate(ctx, keys[n], machine)
	})
	if err != nil {
		return err
	}
	ahead := time.Duration(s.clock.ahead.Load())
	return s.measure(ctx, "heartbeat that writes, 4,000 licenses", s.count, 5_000, func(ctx context.Context, n int) error {
		s.clock.set(ahead + time.Duration(1+n/many)*210*time.Second)
		got, err := s.validation.Heartbeat(ctx, validation.HeartbeatInput{Key: keys[n%many], Fingerprint: new(fmt.Sprint("machine-", machine))})
		if err == nil && got.LeaseUntil == nil {
			err = errors.New("a heartbeat is refused: " + got.Validation.Code)
		}
		return err
	})
}

// crowd goes for the 1,000 floating seats of one license.
func (s seatBench) crowd(ctx context.Context) error {
	const seats = 1_000
	_, key, err := s.license(ctx, "crowd", seats)
	if err != nil {
		return err
	}
	err = s.measure(ctx, "activate, one license, from 0 to 1,000 seats", seats, 1_000, func(ctx context.Context, n int) error {
		return s.activate(ctx, key, n)
	})
	if err != nil {
		return err
	}
	return s.measure(ctx, "deactivate and activate, one of 1,000 seats", seats, 500, func(ctx context.Context, n int) error {
		return errors.Join(s.deactivate(ctx, key, n), s.activate(ctx, key, seats+n))
	})
}

// huge measures a license of 10,000 seats, by one caller.
func (s seatBench) huge(ctx context.Context) error {
	id, key, err := s.license(ctx, "huge", license.MaxSeats)
	if err != nil {
		return err
	}
	const free = 500
	err = s.measure(ctx, "activate, one license, from 0 to 9,500 seats", license.MaxSeats-free, 0, func(ctx context.Context, n int) error {
		return s.activate(ctx, key, n)
	})
	if err != nil {
		return err
	}
	heading("a license of 10,000 seats, 1 caller; aim 50 ms at p99")
	staff := actor.With(ctx, authz.DevAdmin)
	for _, one := range []struct {
		name string
		run  func(context.Context, int) error
	}{
		{"activate", func(ctx context.Context, n int) error { return s.activate(ctx, key, license.MaxSeats+n) }},
		{"validate", func(ctx context.Context, n int) error {
			got, err := s.validation.Validate(ctx, validation.ValidateInput{Key: key, Fingerprint: new(fmt.Sprint("machine-", n))})
			if err == nil && !got.Valid {
				err = errors.New("a machine with a seat is " + got.Code)
			}
			return err
		}},
		{"revoke, and reinstate", func(_ context.Context, n int) error {
			if n%2 == 0 {
				_, err := s.licensing.RevokeLicense(staff, licensing.RevokeLicenseInput{License: id})
				return err
			}
			_, err := s.licensing.ReinstateLicense(staff, licensing.ReinstateLicenseInput{License: id})
			return err
		}},
	} {
		f, err := storagetest.Measure(ctx, one.name, 1, free, one.run)
		if err != nil {
			return err
		}
		row(f, fmt.Sprintf("%.2f of the aim", float64(f.P99)/float64(50*time.Millisecond)))
	}
	return nil
}
