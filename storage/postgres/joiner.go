package postgres

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/keywright/keywright/storage"
)

const (
	maxStatements = 3   // of joined calls at a time
	maxJoined     = 256 // ids of one statement, or those of one call
)

// ask is a call of Get that waits for its answer.
type ask struct {
	ctx   context.Context
	ids   []string
	found []*storage.Stored
	err   error
	done  chan struct{}
}

// joiner answers calls of Get together. A round trip costs server and client
// more than the look-up of a record does; so while a few statements are under
// way, calls wait and then share the next one, which begins after all of them
// and thus sees what they must. Under one caller nothing waits.
type joiner struct {
	answer func(context.Context, []*ask)

	asksMu  sync.Mutex
	waiting []*ask
	serving int
	closed  bool
	ended   sync.WaitGroup
}

// join has a call answered, unless the store is closed.
func (j *joiner) join(a *ask) bool {
	j.asksMu.Lock()
	defer j.asksMu.Unlock()
	if j.closed {
		return false
	}
	j.waiting = append(j.waiting, a)
	if j.serving < maxStatements {
		j.serving++
		j.ended.Go(j.serve)
	}
	return true
}

// serve answers until nobody waits.
func (j *joiner) serve() {
	for {
		asks := j.next()
		if len(asks) == 0 {
			return
		}
		j.together(asks)
	}
}

// next takes the calls of the next statement. None is the end of serving.
func (j *joiner) next() []*ask {
	j.asksMu.Lock()
	defer j.asksMu.Unlock()
	taken, ids := 0, 0
	for taken < len(j.waiting) && (taken == 0 || ids+len(j.waiting[taken].ids) <= maxJoined) {
		ids += len(j.waiting[taken].ids)
		taken++
	}
	asks := j.waiting[:taken:taken]
	j.waiting = j.waiting[taken:]
	if taken == 0 {
		j.waiting = nil
		j.serving--
	}
	return asks
}

// together answers calls by one statement, which is given up once all of them
// have left.
func (j *joiner) together(asks []*ask) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(asks[0].ctx))
	defer cancel()
	var left atomic.Int64
	for _, a := range asks {
		stop := context.AfterFunc(a.ctx, func() {
			if left.Add(1) == int64(len(asks)) {
				cancel()
			}
		})
		defer stop()
	}
	j.answer(ctx, asks)
	for _, a := range asks {
		close(a.done)
	}
}

// close waits for the calls under way; later ones are refused.
func (j *joiner) close() {
	j.asksMu.Lock()
	j.closed = true
	j.asksMu.Unlock()
	j.ended.Wait()
}
