package journal_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
)

// ran runs l for a test in a bubble, and gives what ends it and waits.
func ran(t *testing.T, l *journal.Log) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	synctest.Wait()
	return func() {
		t.Helper()
		was := time.Now()
		cancel()
		running.Wait()
		if took := time.Since(was); took > 0 {
			t.Errorf("Run ended %v after it should", took)
		}
	}
}

// passes lets time pass.
func passes(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestACommitOfThisServerIsLoggedAtOnceAndAnothersAtThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		defer ran(t, l)()
		passes(300 * time.Millisecond)
		commitMany(t, s, 0, 1)
		l.Committed()
		synctest.Wait()
		if got := l.State().Size; got != 1 {
			t.Errorf("at once %d entries are logged", got)
		}
		commitMany(t, s, 1, 2)
		passes(999 * time.Millisecond)
		if got := l.State().Size; got != 1 {
			t.Errorf("before the poll %d entries are logged", got)
		}
		passes(time.Millisecond)
		if got := l.State().Size; got != 2 {
			t.Errorf("after the poll %d entries are logged", got)
		}
	})
}

func TestUnderLoadBlocksAreGivenTheTimeToFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s, Pace: 20 * time.Millisecond, Poll: time.Minute})
		defer ran(t, l)()
		for n := range 1000 { // one a millisecond
			commitMany(t, s, n, n+1)
			l.Committed()
			l.Committed() // never waits, whoever reads it
			passes(time.Millisecond)
		}
		passes(20 * time.Millisecond)
		if got := l.State().Size; got != 1000 {
			t.Errorf("%d entries are logged", got)
		}
		if made := len(blocks(t, s)); made < 1000/21 || made > 1000/14 {
			t.Errorf("%d blocks were made", made)
		}
	})
}

func TestWhileStorageIsDownRunBacksOffAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.hook(func(string) error { return fault.Errorf(fault.Unavailable, "storage is unavailable") }, nil)
		var said bytes.Buffer
		l := journal.NewLog(journal.Config{Store: s, Log: slog.New(slog.NewTextHandler(&said, nil))})
		defer ran(t, l)()
		commitMany(t, s, 0, 1)
		for range 600 {
			l.Committed() // is no reason to ask more often
			passes(100 * time.Millisecond)
		}
		if tries := len(s.told()); tries < 60 || tries > 90 {
			t.Errorf("%d tries in a minute", tries)
		}
		if lines := strings.Split(strings.TrimSpace(said.String()), "\n"); len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") {
			t.Errorf("it said %q", lines)
		}
		s.hook(nil, nil)
		passes(time.Second)
		if got := l.State().Size; got != 1 {
			t.Errorf("a second after storage came back %d entries are logged", got)
		}
		if lines := strings.Split(strings.TrimSpace(said.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "level=INFO") {
			t.Errorf("it said %q", lines)
		}
	})
}

func TestRunEndsWithItsContextWhateverItWaitsFor(t *testing.T) {
	for name, hook := range map[string]func(context.Context, string) error{
		"a poll":         func(context.Context, string) error { return nil },
		"storage":        func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() },
		"the next try":   func(context.Context, string) error { return fault.Errorf(fault.Unavailable, "down") },
		"a broken log":   nil,
		"a block's time": func(context.Context, string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				commitMany(t, s, 0, 1)
				ctx, cancel := context.WithCancel(t.Context())
				l := journal.NewLog(journal.Config{Store: s, Pace: time.Hour, Poll: 3 * time.Hour})
				if hook == nil {
					l.Break("for the test")
				} else {
					s.hook(func(call string) error { return hook(ctx, call) }, nil)
				}
				end := ran(t, l)
				l.Committed()
				passes(time.Millisecond)
				cancel()
				end()
			})
		})
	}
}

func TestOnceTheLogIsBrokenNothingIsAppendedAndNothingTriedAgain(t *testing.T) {
	for _, call := range []string{"pending", "blocks"} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			var said bytes.Buffer
			l := journal.NewLog(journal.Config{Store: s, Log: slog.New(slog.NewTextHandler(&said, nil))})
			mustSync(t, l)
			commitMany(t, s, 0, 1)
			s.hook(func(c string) error {
				if c == call {
					l.Break("of a checkpoint")
				}
				return nil
			}, nil)
			defer ran(t, l)()
			passes(time.Minute)
			if ids := logged(t, s.Model); len(ids) > 0 {
				t.Errorf("%v is logged", ids)
			}
			if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "level=ERROR") || !strings.Contains(said.String(), "of a checkpoint") {
				t.Errorf("it said %s", &said)
			}
		})
	}
}

// rival makes each of the first races that l runs for an append a lost one: a
// block of one entry is there first.
func rival(t *testing.T, s *store, races int) {
	theirs := &store{Model: s.Model}
	other := journal.NewLog(journal.Config{Store: theirs}).Within(99, 1)
	s.hook(func(call string) error {
		if call == "append" && races > 0 {
			races--
			theirs.hook(failingAt("append", 2), nil)
			_, _ = other.Sync(context.Background())
		}
		return nil
	}, nil)
	t.Cleanup(func() {
		if races > 0 {
			t.Errorf("%d races were not run", races)
		}
	})
}

func TestARaceThatIsLostToOneWhoLoggedAllIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		mustSync(t, l)
		s.told()
		commitMany(t, s, 0, 1)
		rival(t, s, 1)
		was := time.Now()
		got := mustSync(t, l)
		if diff := cmp.Diff([]string{"pending", "blocks", "pending", "blocks", "append", "blocks", "blocks"}, s.told()); diff != "" || got.Size != 1 {
			t.Errorf("%+v, and the calls: %s", got, diff)
		}
		if time.Since(was) != 0 {
			t.Error("it backed off for nothing")
		}
		nonePending(t, s)
	})
}

func TestWhoLosesARaceBacksOffAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := journal.NewLog(journal.Config{Store: s})
		ids := commitMany(t, s, 0, 20)
		rival(t, s, 12)
		was := time.Now()
		if got := mustSync(t, l); got.Size != 20 {
			t.Errorf("%+v", got)
		}
		if took := time.Since(was); took < 50*time.Millisecond || took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		if diff := cmp.Diff(ids, logged(t, s)); diff != "" {
			t.Error(diff)
		}
		nonePending(t, s)
	})
}

func TestABackOffEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.hook(func(call string) error {
			if call == "append" {
				return fault.Errorf(fault.Conflict, "taken")
			}
			return nil
		}, nil)
		commitMany(t, s, 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		was := time.Now()
		_, err := journal.NewLog(journal.Config{Store: s}).Sync(ctx)
		if took := time.Since(was); !fault.Is(err, fault.Unavailable) || took != time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		if tries := len(s.told()); tries > 4*60*10*2 {
			t.Errorf("%d calls in a minute", tries)
		}
	})
}
