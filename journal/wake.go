package journal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/keywright/keywright/storage"
)

// How long to wait before storage is listened to again: at first, at most, and
// after how long of listening a failure counts as the first of others.
const (
	wakeAgain   = 250 * time.Millisecond
	wakeLongest = 10 * time.Second
	wakeLasting = time.Minute
)

// listen waits for word that another server may have appended a block, where
// storage offers it, until ctx ends. Its caller waits for it by the function
// that it gives. What is missed is found at the next poll.
func (l *Log) listen(ctx context.Context) (end func()) {
	waker, ok := l.Store.(storage.Waker)
	if !ok {
		return func() {}
	}
	var listening sync.WaitGroup
	listening.Go(func() {
		ears := ears{log: l}
		for ctx.Err() == nil {
			pause(ctx, ears.listen(ctx, waker))
		}
	})
	return listening.Wait
}

// ears is what is known of listening to storage.
type ears struct {
	log      *Log
	mu       sync.Mutex // guards what follows: a driver calls from where it likes
	failures int        // since something was heard
	begun    bool       // whether something was heard since listening began
}

// listen listens until that fails, and gives how long to wait before the next
// time. It says so once, however often it fails.
func (e *ears) listen(ctx context.Context, waker storage.Waker) (wait time.Duration) {
	began := time.Now()
	e.begins()
	err := waker.Wake(ctx, e.hear)
	if ctx.Err() != nil {
		return 0
	}
	if err == nil {
		err = errors.New("journal: listening ended")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(began) >= wakeLasting {
		e.failures = 0
	}
	if e.failures == 0 {
		e.log.Config.Log.WarnContext(ctx, "storage does not tell of the events of other servers; they are looked for instead", "every", e.log.Poll.String(), "error", err)
	}
	e.failures++
	return jittered(min(wakeLongest, wakeAgain<<min(e.failures-1, 8)))
}

func (e *ears) begins() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun = false
}

// hear takes a word. It does not block. One that listening begins with may be
// of nothing, so it ends no row of failures.
func (e *ears) hear() {
	select {
	case e.log.word <- struct{}{}:
	default:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.begun {
		e.begun = true
		return
	}
	if e.failures > 0 {
		e.log.Config.Log.Info("storage tells of the events of other servers again", "failures", e.failures)
	}
	e.failures = 0
}
