package licensing

import (
	"context"
	"sync"
	"time"
)

// alarm is when the scheduler of this server looks next. What this server makes
// due sooner than that moves it.
type alarm struct {
	atMu sync.Mutex
	at   time.Time     // the soonest that was noted; none: never
	rung chan struct{} // holds one: at has moved
}

func newAlarm() *alarm { return &alarm{rung: make(chan struct{}, 1)} }

// begin forgets what was noted: a look begins, which finds what is due.
func (a *alarm) begin() {
	a.atMu.Lock()
	defer a.atMu.Unlock()
	a.at = time.Time{}
}

// due notes that something is due at a time, or never.
func (a *alarm) due(at time.Time) {
	a.atMu.Lock()
	defer a.atMu.Unlock()
	if at.IsZero() || !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	select {
	case a.rung <- struct{}{}:
	default:
	}
}

// left gives how long it is until then, at most a time.
func (a *alarm) left(now time.Time, most time.Duration) time.Duration {
	a.atMu.Lock()
	defer a.atMu.Unlock()
	if a.at.IsZero() {
		return most
	}
	return min(most, a.at.Sub(now))
}

// wait waits until something is due, at most for a time, and reports whether
// ctx lasted until then.
func (a *alarm) wait(ctx context.Context, clock func() time.Time, most time.Duration) bool {
	for {
		timer := time.NewTimer(a.left(clock(), most))
		select {
		case <-timer.C:
			return ctx.Err() == nil
		case <-a.rung:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}
