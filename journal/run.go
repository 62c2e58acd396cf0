package journal

import (
	"context"
	"math/rand/v2"
	"time"
)

// Run sequences and follows until ctx ends.
func (l *Log) Run(ctx context.Context) {
	listening, deaf := context.WithCancel(ctx)
	defer l.listen(listening)()
	defer deaf()
	failures := 0
	for ctx.Err() == nil {
		began := time.Now()
		_, err := l.Sync(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case l.Ready(ctx) != nil:
			deaf()
			<-ctx.Done()
			return
		case err != nil:
			if failures == 0 {
				l.Config.Log.Warn("the journal stands still; trying again", "err", err)
			}
			failures++
			pause(ctx, l.retryIn(failures))
		default:
			if failures > 0 {
				l.Config.Log.Info("the journal goes on", "failures", failures)
			}
			failures = 0
			l.await(ctx, began)
		}
	}
}

// retryIn gives how long to wait after the nth failure: no longer than for a
// poll, since that is how old what a server knows may become.
func (l *Log) retryIn(n int) time.Duration {
	return jittered(min(l.Poll, l.Poll/16<<min(n-1, 4)))
}

// await waits for a reason to sequence: a commit of this server, word of one of
// another, or that it is time to look for those. A block is given the time to
// fill, and many words make one look: began is when the last one did.
func (l *Log) await(ctx context.Context, began time.Time) {
	poll := time.NewTimer(l.Poll)
	defer poll.Stop()
	select {
	case <-ctx.Done():
	case <-poll.C:
	case <-l.wake:
		pause(ctx, time.Until(l.view.Load().seen.Add(jittered(l.Pace))))
	case <-l.word:
		pause(ctx, time.Until(began.Add(l.Pace)))
	}
}

// Committed says that a change was committed on this server, so that nobody
// waits for a poll. It does not block.
func (l *Log) Committed() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// jittered gives a time from three quarters of d to d, so that servers do not
// keep in step.
func jittered(d time.Duration) time.Duration {
	if d < 4 {
		return d
	}
	return d - rand.N(d/4) //nolint:gosec // jitter is no secret
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
