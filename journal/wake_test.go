package journal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/journal"
)

// waking is a store that tells of blocks as a test says.
type waking struct {
	*store
	wake func(ctx context.Context, f func()) error
}

func (w *waking) Wake(ctx context.Context, f func()) error { return w.wake(ctx, f) }

// until listens until ctx ends.
func until(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// sayings are the lines of a log that is read while it is written.
type sayings struct {
	textMu sync.Mutex
	text   bytes.Buffer
}

func (s *sayings) Write(line []byte) (int, error) {
	s.textMu.Lock()
	defer s.textMu.Unlock()
	return s.text.Write(line)
}

func (s *sayings) String() string {
	s.textMu.Lock()
	defer s.textMu.Unlock()
	return s.text.String()
}

func TestAWordOfABlockSparesTheWaitForThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		word := make(chan struct{})
		s := &waking{newStore(), func(ctx context.Context, f func()) error {
			for {
				select {
				case <-word:
					f()
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}}
		l := journal.NewLog(journal.Config{Store: s, Poll: time.Hour})
		other := journal.NewLog(journal.Config{Store: s.Model})
		defer ran(t, l)()
		passes(time.Second)
		for n := range 3 {
			commitMany(t, s, n, n+1)
			mustSync(t, other)
			word <- struct{}{}
			passes(20 * time.Millisecond)
			if got := l.State(); got != other.State() {
				t.Errorf("20 ms after the word %d entries are read, want %d", got.Size, other.State().Size)
			}
		}
	})
}

func TestWhoHearsNothingPolls(t *testing.T) {
	for name, wake := range map[string]func(context.Context, func()) error{
		"never told":    func(ctx context.Context, _ func()) error { return until(ctx) },
		"cannot listen": func(context.Context, func()) error { return errors.New("no answer") },
		"ended":         func(context.Context, func()) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &waking{newStore(), wake}
				l := journal.NewLog(journal.Config{Store: s})
				defer ran(t, l)()
				s.told()
				passes(10 * time.Second)
				if calls := len(s.told()); calls != 20 {
					t.Errorf("%d calls in ten polls, want 20", calls)
				}
				commitMany(t, s, 0, 1)
				passes(time.Second)
				if got := l.State().Size; got != 1 {
					t.Errorf("%d entries are read after a poll", got)
				}
			})
		})
	}
}

func TestAFloodOfWordsIsNoFloodOfReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &waking{newStore(), func(ctx context.Context, f func()) error {
			for ctx.Err() == nil {
				for range 1000 {
					f()
				}
				select {
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
				}
			}
			return ctx.Err()
		}}
		l := journal.NewLog(journal.Config{Store: s, Pace: 20 * time.Millisecond, Poll: time.Hour})
		defer ran(t, l)()
		s.told()
		passes(10 * time.Second)
		if calls := len(s.told()); calls < 900 || calls > 1002 { // two reads each 20 ms
			t.Errorf("ten million words made %d calls", calls)
		}
	})
}

func TestStorageThatCannotBeListenedToIsTriedLessAndLessAndToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		var up atomic.Bool
		s := &waking{newStore(), func(ctx context.Context, f func()) error {
			tries.Add(1)
			select { // a connection that is not made
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
			}
			if !up.Load() {
				return errors.New("no answer")
			}
			f()
			f()
			return until(ctx)
		}}
		var said sayings
		lines := func() int { return strings.Count(said.String(), "\n") }
		l := journal.NewLog(journal.Config{Store: s, Log: slog.New(slog.NewTextHandler(&said, nil))})
		defer ran(t, l)()
		passes(10 * time.Minute)
		if got := tries.Load(); got < 35 || got > 55 {
			t.Errorf("%d tries in ten minutes", got)
		}
		if lines() != 1 || !strings.Contains(said.String(), "level=WARN") {
			t.Errorf("it said %s", said.String())
		}
		up.Store(true)
		passes(time.Minute)
		if lines() != 2 || !strings.Contains(said.String(), "level=INFO") {
			t.Errorf("it said %s", said.String())
		}
	})
}

func TestAConnectionThatIsLostAgainAndAgainIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &waking{newStore(), func(ctx context.Context, f func()) error {
			f() // as it begins to listen
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return errors.New("the connection was lost")
		}}
		var said sayings
		l := journal.NewLog(journal.Config{Store: s, Log: slog.New(slog.NewTextHandler(&said, nil))})
		defer ran(t, l)()
		passes(10 * time.Minute)
		if got := strings.Count(said.String(), "\n"); got != 1 {
			t.Errorf("it said %s", said.String())
		}
	})
}

func TestEachOutageIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &waking{newStore(), func(context.Context, func()) error {
			<-time.After(time.Hour) // and nothing was heard
			return errors.New("the connection was lost")
		}}
		var said sayings
		l := journal.NewLog(journal.Config{Store: s, Poll: time.Hour, Log: slog.New(slog.NewTextHandler(&said, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.Run(ctx)
		}()
		passes(3*time.Hour + time.Minute)
		if got := strings.Count(said.String(), "\n"); got != 3 {
			t.Errorf("it said %s", said.String())
		}
		cancel()
		<-ended // once Wake has
	})
}

func TestNobodyListensToABrokenLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var listening atomic.Bool
		s := &waking{newStore(), func(ctx context.Context, _ func()) error {
			listening.Store(true)
			defer listening.Store(false)
			return until(ctx)
		}}
		l := journal.NewLog(journal.Config{Store: s})
		defer ran(t, l)()
		if !listening.Load() {
			t.Error("nobody listens")
		}
		l.Break("for the test")
		passes(time.Minute)
		if listening.Load() {
			t.Error("somebody listens still")
		}
	})
}
