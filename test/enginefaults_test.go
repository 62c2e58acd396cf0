package test_test

import (
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

// answersWithin is the deadline of an operation, and the time for which it is
// looked up what became of a change, and some for a machine that does much else.
const answersWithin = (10 + 5 + 4) * time.Second

// faultAfter is when a fault comes, in the midst of calls.
const faultAfter = 300 * time.Millisecond

// Whatever becomes of the connections between them, every call is answered in
// its time, by what was asked for or by UNAVAILABLE; and when it is over, what
// was acknowledged is there, and what was not is made once by a retry.
func TestFaultsBetweenAServerAndPostgreSQLLoseNothing(t *testing.T) {
	openSources(t)
	for name, fault := range map[string]struct {
		begin   func(*engines.Proxy) (came func() int64)
		refuses bool // whether there must be calls that are refused
	}{
		"no connection":     {always((*engines.Proxy).Cut), true},
		"silence":           {always((*engines.Proxy).BlackHole), true},
		"connections reset": {always((*engines.Proxy).Reset), true},
		"slow by 5 s":       {always(func(p *engines.Proxy) { p.Delay(5 * time.Second) }), false},
		"answers cut short": {always(func(p *engines.Proxy) { p.CutAfter(2000) }), false},
		"answers lost":      {func(p *engines.Proxy) func() int64 { return p.LoseAnswers("", 60) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := engines.Postgres(t)
			u, err := url.Parse(direct)
			if err != nil {
				t.Fatal(err)
			}
			between := engines.Between(t, u.Host)
			b := newBench(t, keptIn(t, between.In(direct)))
			var came func() int64
			refused := b.suffer(t, func() error { came = fault.begin(between); return nil })
			between.Heal()
			b.settled(t)
			b.over(t)
			if came() == 0 || fault.refuses && refused == 0 {
				t.Errorf("the fault came %d times, %d calls were refused", came(), refused)
			}
		})
	}
}

// always is a fault that comes to every connection.
func always(begin func(*engines.Proxy)) func(*engines.Proxy) func() int64 {
	return func(p *engines.Proxy) func() int64 {
		begin(p)
		return func() int64 { return 1 }
	}
}

// bench is a server, and callers that it must lose nothing of.
type bench struct {
	data    string
	server  *server
	on      client
	ready   string
	demo    map[string]string
	callers []*caller
}

func newBench(t *testing.T, data string) *bench {
	t.Helper()
	b := &bench{data: data}
	b.server, b.on, b.ready = serveProbed(t, data)
	var err error
	if b.demo, err = b.on.plans(); err != nil {
		t.Fatal(err)
	}
	b.callers = newCallers(t, b.on, "f", 8, 41)
	return b
}

func (b *bench) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v\n%s", err, b.server.Stderr)
	}
}

// suffer has a fault begin while all callers call. Each goes on until it is
// refused, or has made some calls more once the fault has begun in full. It
// gives how many were refused.
func (b *bench) suffer(t *testing.T, begin func() error) int64 {
	t.Helper()
	var begins, begun atomic.Bool
	var refusals atomic.Int64
	ended := make(chan error, 1)
	time.AfterFunc(faultAfter, func() {
		err := errors.New("the fault has not begun")
		defer func() { // where begin ends this goroutine, too
			begun.Store(true)
			ended <- err
		}()
		begins.Store(true)
		err = begin()
	})
	err := each(b.callers, func(one *caller) error {
		for since := 0; since < 4; {
			if begun.Load() {
				since++
			}
			err := timely(b.on, one)
			if err != nil && begins.Load() {
				refusals.Add(1)
				return refused(err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.must(t, errors.Join(err, <-ended))
	return refusals.Load()
}

// timely makes another call, and fails where the answer comes too late, too.
func timely(c client, one *caller) error {
	asked := time.Now()
	err := one.make(c, one.next())
	if took := time.Since(asked); took > answersWithin {
		return fmt.Errorf("answered after %v: %v", took, err) //nolint:errorlint // it is no refusal any more
	}
	return err
}

// settled is called when a fault is over. It fails unless what is stored is what
// was acknowledged, and what was not can be made now.
func (b *bench) settled(t *testing.T) {
	t.Helper()
	awaitReadiness(t, b.ready, 200, "ready\n")
	b.must(t, each(b.callers, func(one *caller) error { return one.check(b.on) }))
	b.must(t, each(b.callers, func(one *caller) error { return one.settle(b.on) }))
	b.must(t, each(b.callers, calling(b.on, 3)))
	b.must(t, exactly(b.on, b.demo, b.callers...))
}

// over ends the server. It fails unless the journal tells of what happened.
func (b *bench) over(t *testing.T) {
	t.Helper()
	b.must(t, journaled(b.on, b.demo, b.callers...))
	b.must(t, errors.Join(b.server.stop(), onlyUnavailable(b.server), verified(t, b.data)))
}
