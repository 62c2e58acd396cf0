package test_test

import (
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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
		begin func(*engines.Proxy) (times func() int64)
		came  func(seen) bool
	}{
		"no connection":     {uncounted((*engines.Proxy).Cut), func(s seen) bool { return s.refused > 0 }},
		"silence":           {uncounted((*engines.Proxy).BlackHole), func(s seen) bool { return s.refused > 0 }},
		"connections reset": {uncounted((*engines.Proxy).Reset), func(s seen) bool { return s.refused > 0 }},
		"slow by 5 s":       {uncounted(func(p *engines.Proxy) { p.Delay(5 * time.Second) }), func(s seen) bool { return s.slowest >= 5*time.Second }},
		"answers cut short": {uncounted(func(p *engines.Proxy) { p.CutAfter(2000) }), func(s seen) bool { return s.sessions > mostSessions }},
		"answers lost":      {func(p *engines.Proxy) func() int64 { return p.LoseAnswers("", 60) }, func(s seen) bool { return s.times > 0 }},
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
			before := sessions(t, direct)
			var s seen
			var times func() int64
			s.refused = b.suffer(t, func() error { times = fault.begin(between); return nil })
			between.Heal()
			b.settled(t)
			b.over(t)
			s.times, s.sessions = times(), sessions(t, direct)-before
			for _, one := range b.callers {
				s.slowest = max(s.slowest, one.slowest)
			}
			if !fault.came(s) {
				t.Errorf("nothing is to be seen of the fault: %+v", s)
			}
		})
	}
}

// seen is what a fault has left.
type seen struct {
	times    int64 // that it came, where it is counted
	refused  int64 // calls
	slowest  time.Duration
	sessions int64 // that the engine had meanwhile
}

// mostSessions is more than a server, and what looks after it here, has where no
// connection is lost, which is about 30.
const mostSessions = 50

// uncounted is a fault that nobody counts.
func uncounted(begin func(*engines.Proxy)) func(*engines.Proxy) func() int64 {
	return func(p *engines.Proxy) func() int64 {
		begin(p)
		return func() int64 { return 0 }
	}
}

// sessions gives how many a database has had.
func sessions(t *testing.T, database string) (count int64) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	err = connection.QueryRow(t.Context(), "SELECT sessions FROM pg_stat_database WHERE datname = current_database()").Scan(&count)
	if err := errors.Join(err, connection.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return count
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
	took := time.Since(asked)
	one.slowest = max(one.slowest, took)
	if took > answersWithin {
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
