package licensing

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// maxServed bounds the requests that are decided together.
	maxServed = 256
	// serveTimeout bounds the time that requests are served in: whoever leads
	// serves the others too, and does not leave them when its caller is gone.
	serveTimeout = 10 * time.Second
)

var errUndecided = errors.New("licensing: a request for a seat was left undecided")

// lines are where requests for the seats of one license wait for each other.
// While one group of them is being decided and committed, what comes joins the
// next group: so a crowd at one license costs one commit for each group, and
// nobody of it loses a race to another.
//
// No goroutine stands behind a line. Who finds nobody serving serves, and then
// calls the first who waits to do so.
type lines struct {
	waitingMu sync.Mutex
	waiting   map[string][]*ticket // by license; an id that is there is being served
}

// ticket is a request in a line.
type ticket struct {
	seatRequest
	answer *SeatAnswer
	err    error
	// called is told once: true to serve, oneself among others; false when the
	// answer is there.
	called chan bool
}

// wait has a request decided: by serve, in a group with others of its line.
// One whose ctx ends leaves the line if it is not being decided yet.
func (l *lines) wait(ctx context.Context, id string, r seatRequest, serve func(context.Context, []*ticket)) (*SeatAnswer, error) {
	t := &ticket{seatRequest: r, err: errUndecided, called: make(chan bool, 1)}
	leads := l.join(id, t)
	if !leads {
		select {
		case leads = <-t.called:
		case <-ctx.Done():
			l.leave(id, t)
			return nil, gaveUp(ctx)
		}
	}
	if leads {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveTimeout)
		defer cancel()
		l.lead(ctx, id, t, serve)
	}
	return t.answer, t.err
}

// join puts t into a line and reports whether it is to serve.
func (l *lines) join(id string, t *ticket) bool {
	l.waitingMu.Lock()
	defer l.waitingMu.Unlock()
	if l.waiting == nil {
		l.waiting = map[string][]*ticket{}
	}
	line, served := l.waiting[id]
	if served {
		line = append(line, t)
	}
	l.waiting[id] = line
	return !served
}

// lead serves t and what waits, and calls the next to serve.
func (l *lines) lead(ctx context.Context, id string, t *ticket, serve func(context.Context, []*ticket)) {
	group := l.take(id, t)
	// Even where serve panics nobody is left waiting, and the line goes on.
	defer func() {
		for _, served := range group[1:] {
			served.called <- false
		}
		l.pass(id)
	}()
	serve(ctx, group)
}

// take gives the group that t leads.
func (l *lines) take(id string, t *ticket) []*ticket {
	l.waitingMu.Lock()
	defer l.waitingMu.Unlock()
	line := l.waiting[id]
	n := min(len(line), maxServed-1)
	l.waiting[id] = slices.Clone(line[n:])
	return append([]*ticket{t}, line[:n]...)
}

// pass calls the first who waits, or ends the line.
func (l *lines) pass(id string) {
	l.waitingMu.Lock()
	defer l.waitingMu.Unlock()
	line := l.waiting[id]
	if len(line) == 0 {
		delete(l.waiting, id)
		return
	}
	l.waiting[id] = line[1:]
	line[0].called <- true
}

// leave takes t out of the line. One that was called to serve meanwhile calls
// the next; one that is being decided is left to its fate.
func (l *lines) leave(id string, t *ticket) {
	if l.remove(id, t) {
		return
	}
	select {
	case leads := <-t.called:
		if leads {
			l.pass(id)
		}
	default: // is being decided
	}
}

func (l *lines) remove(id string, t *ticket) bool {
	l.waitingMu.Lock()
	defer l.waitingMu.Unlock()
	for i, one := range l.waiting[id] {
		if one == t {
			l.waiting[id] = slices.Delete(l.waiting[id], i, i+1)
			return true
		}
	}
	return false
}
