package licensing

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// maxTurn bounds the licenses that one turn of a scheduler looks at.
	maxTurn = 2_000
	// spread is how far the turns of several servers that wait for one time lie
	// apart.
	spread = 200 * time.Millisecond
	// leastWait and the poll bound the wait after an error.
	leastWait = time.Second
)

// Scheduler announces what is due, while the server runs.
type Scheduler struct {
	Licensing *Service
	// Poll is how long it waits at most for what other servers make due: a
	// minute if zero.
	Poll time.Duration

	failed int // turns in a row
}

// Run takes turns until ctx ends, and waits for the commits that are under way
// then. It is called once. Any number of servers may run one.
func (s *Scheduler) Run(ctx context.Context) {
	if s.Poll == 0 {
		s.Poll = time.Minute
	}
	alarm := s.Licensing.alarm
	for {
		alarm.begin()
		next, err := s.turn(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := s.after(ctx, next, err)
		if err != nil {
			alarm.begin() // what is due would wake it at once
		}
		if !alarm.wait(ctx, s.Licensing.clock, wait) {
			return
		}
	}
}

// turn does what is due now, within bounds, and says when there is more: none
// if there is none. What fails keeps nothing else waiting.
func (s *Scheduler) turn(ctx context.Context) (next time.Time, err error) {
	now := s.Licensing.now()
	scheduled, errScheduling := s.Licensing.Reschedule(ctx, now, maxTurn)
	announced, errAnnouncing := s.Licensing.Announce(ctx, now, maxTurn)
	return earliest(scheduled, announced), errors.Join(errScheduling, errAnnouncing)
}

// earliest gives the earlier of two times either of which may be none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// after gives how long to wait for the next turn. What failed is tried again
// soon, and then ever later; it is logged when that begins and when it ends.
func (s *Scheduler) after(ctx context.Context, next time.Time, err error) time.Duration {
	if err != nil {
		if s.failed == 0 {
			s.Licensing.log.WarnContext(ctx, "what is due waits", "error", err.Error())
		}
		s.failed++
		return jitter(min(s.Poll, leastWait<<min(s.failed-1, 10)))
	}
	if s.failed > 0 {
		s.Licensing.log.InfoContext(ctx, "what was due is made up for", "failed", s.failed)
	}
	s.failed = 0
	if next.IsZero() {
		return jitter(s.Poll)
	}
	left := next.Sub(s.Licensing.now())
	if left <= 0 {
		return 0
	}
	return min(jitter(s.Poll), left+rand.N(spread)) //nolint:gosec // jitter is no secret
}

// jitter gives a time of at most d, and of four fifths of it at least.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/5+1) //nolint:gosec // jitter is no secret
}
