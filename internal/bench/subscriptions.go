package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/server"
	"github.com/keywright/keywright/storage/storagetest"
)

// subscriptions measures what idle ones cost, and how long an event takes from
// the return of the call that made it to its subscribers. The clients share
// the processors with the server.
func (b bench) subscriptions(ctx context.Context) error {
	w, err := wireNew(ctx, filepath.Join(b.dir, "subscriptions.db"))
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { w.journal.Run(ctx) })
	addr, end, err := serve(w.front())
	if err != nil {
		return err
	}
	defer end()
	defer w.streams.End()
	s := subscriptionBench{wired: w, addr: addr}
	heading("subscriptions, SQLite with synchronous=FULL")
	for _, idle := range []struct {
		name string
		open func(addr, after string) (subscriber, error)
		aim  int
	}{{"WebSocket", bySocket, 48}, {"event stream", byEvents, 32}} {
		if err := s.idle(ctx, idle.name, idle.open, idle.aim); err != nil {
			return fmt.Errorf("%s: %w", idle.name, err)
		}
	}
	for _, load := range []struct {
		subscribers, rate int
		note              string
	}{{50, 200, "aim 60ms at p99"}, {1_000, 10, ""}} {
		if err := s.arrival(ctx, load.subscribers, load.rate, load.note); err != nil {
			return err
		}
	}
	return nil
}

// front is the server that the program would run, without its log.
func (w *wired) front() http.Handler {
	return server.New(server.Config{
		GraphQL: w.graphql, Ready: w.store.Ready, Log: discarded,
		Authenticate: server.AdminToken("bench", authz.DevAdmin),
	})
}

type subscriptionBench struct {
	*wired
	addr string
}

// cursor is that of the last event.
func (s subscriptionBench) cursor(ctx context.Context) (string, error) {
	state, err := s.journal.Sync(ctx)
	return s.journal.CursorAt(state.Size - 1), err
}

const idleSubscribers = 1_000

// idle measures the bytes that a subscription takes to which nothing happens,
// its client's end included.
func (s subscriptionBench) idle(ctx context.Context, name string, open func(addr, after string) (subscriber, error), aim int) (err error) {
	after, err := s.cursor(ctx)
	if err != nil {
		return err
	}
	before := memory()
	all := make([]subscriber, 0, idleSubscribers)
	defer func() { closeAll(all) }()
	for range idleSubscribers {
		one, err := open(s.addr, after)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if _, err := s.issue(ctx); err != nil {
		return err
	}
	from := bufio.NewReader(nil)
	for _, one := range all { // each has been given an event, so each has begun
		from.Reset(one.conn)
		if _, err := one.next(from); err != nil {
			return err
		}
	}
	kib := float64(memory()-before) / idleSubscribers / (1 << 10)
	fmt.Printf("%-46s %11s %10s %10s  aim %d KiB\n", fmt.Sprintf("idle, %s, 1 of %d", name, idleSubscribers), fmt.Sprintf("%.1f KiB", kib), "", "", aim)
	return nil
}

func memory() uint64 {
	for range 4 {
		runtime.GC() // each halves the stacks of which little is used
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// made are the times at which events were made, by their subjects.
type made struct {
	mu sync.Mutex // guards at
	at map[string]time.Time
}

func (m *made) set(subject string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at[subject] = at
}

// since gives zero for what reached a subscriber before the call returned.
func (m *made) since(subject string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.at[subject]
	if !ok {
		return 0
	}
	return time.Since(at)
}

const arrivalSeconds = 5

// arrival measures how long events that come at a rate take to so many
// subscribers, half of them over each transport.
func (s subscriptionBench) arrival(ctx context.Context, subscribers, rate int, note string) error {
	after, err := s.cursor(ctx)
	if err != nil {
		return err
	}
	var all []subscriber
	defer func() { closeAll(all) }()
	for n := range subscribers {
		open := bySocket
		if n%2 == 1 {
			open = byEvents
		}
		one, err := open(s.addr, after)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	events := rate * arrivalSeconds
	times := &made{at: map[string]time.Time{}}
	took := make([]*hdrhistogram.Histogram, subscribers)
	var group errgroup.Group
	for n, one := range all {
		took[n] = hdrhistogram.New(1, time.Minute.Nanoseconds(), 3)
		group.Go(func() error { return follow(one, events, times, took[n]) })
	}
	began := time.Now()
	if err := s.make(ctx, events, rate, times); err != nil {
		closeAll(all)
		return errors.Join(err, group.Wait())
	}
	if err := group.Wait(); err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	for _, h := range took[1:] {
		took[0].Merge(h)
	}
	row(storagetest.Figure{
		Name: fmt.Sprintf("%d events/s to %d subscribers", rate, subscribers), Rate: float64(events*subscribers) / seconds,
		P50: time.Duration(took[0].ValueAtQuantile(50)), P99: time.Duration(took[0].ValueAtQuantile(99)),
	}, note)
	return nil
}

// make issues licenses at a rate, from as many callers as that takes.
func (s subscriptionBench) make(ctx context.Context, events, rate int, times *made) error {
	ticks := time.NewTicker(time.Second / time.Duration(rate))
	defer ticks.Stop()
	var group errgroup.Group
	for range events {
		<-ticks.C
		group.Go(func() error {
			issued, err := s.licensing.IssueLicense(actor.With(ctx, authz.DevAdmin), order())
			if err == nil {
				times.set(issued.License.ID(), time.Now())
			}
			return err
		})
	}
	return group.Wait()
}

func follow(one subscriber, events int, times *made, took *hdrhistogram.Histogram) error {
	from := bufio.NewReader(one.conn)
	for range events {
		answer, err := one.next(from)
		if err != nil {
			return err
		}
		subject, err := told(answer)
		if err != nil {
			return err
		}
		_ = took.RecordValue(times.since(subject).Nanoseconds()) // longer than a minute is left out
	}
	return nil
}

func closeAll(all []subscriber) {
	for _, one := range all {
		_ = one.conn.Close()
	}
}
