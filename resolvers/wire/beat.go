package wire

import (
	"sync"
	"time"
)

// every calls f again and again, a while after it began and after each call
// returned; between calls there is no goroutine. What it gives ends that, and
// waits for a call under way.
func every(interval time.Duration, f func()) (stop func()) {
	var mu sync.Mutex // held while f runs
	var timer *time.Timer
	stopped := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(interval, func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		f()
		timer.Reset(interval)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
