package test_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

// crashRounds is how often the server is killed.
func crashRounds() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 200
	}
	return 20
}

func TestAKillLosesNothingAcknowledgedAndARetryMakesNothingTwice(t *testing.T) {
	openSources(t)
	killAndRetry(t, t.TempDir(), crashRounds())
}

func TestAKillLosesNothingInPostgreSQL(t *testing.T) {
	openSources(t)
	killAndRetry(t, keptIn(t, engines.Postgres(t)), engineRounds())
}

// It shows what the program makes of the protocol; of mongod's own durability it
// shows nothing, since the engine here is the stand-in.
func TestAKillLosesNothingInMongoDB(t *testing.T) {
	openSources(t)
	killAndRetry(t, keptIn(t, engines.MongoDB(t)), engineRounds())
}

// engineRounds is less often, where an engine runs beside.
func engineRounds() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 200
	}
	return 6
}

// killAndRetry kills a server in the midst of calls. When it does, as a part of
// the time that a call takes or more, and the calls follow from the number of
// the round.
func killAndRetry(t *testing.T, data string, rounds int) {
	t.Helper()
	server, c := serveDev(t, data)
	demo, err := c.plans()
	if err != nil {
		t.Fatal(err)
	}
	callers := newCallers(t, c, "c", 8, 1)
	began := time.Now()
	if err := each(callers, calling(c, 1)); err != nil {
		t.Fatal(err)
	}
	latest := max(500*time.Millisecond, 8*time.Since(began))
	if err := each(callers, func(one *caller) error { return one.settle(c) }); err != nil {
		t.Fatal(err)
	}
	calls, inDoubt := 0, 0
	for round := range rounds {
		random := rand.New(rand.NewPCG(2, uint64(round)))
		after := time.Duration(random.Float64() * random.Float64() * float64(latest))
		failed := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("round %d, killed after %v: %v", round, after, err)
			}
		}
		failed(killUnderLoad(server, c, callers, after))
		if round%4 == 3 {
			failed(killAtStart(data, time.Duration(random.IntN(300))*time.Millisecond))
		}
		for _, one := range callers {
			calls += len(one.calls)
			if one.inDoubt() != nil {
				inDoubt++
			}
		}
		server, c = serveDev(t, data)
		failed(each(callers, func(one *caller) error { return one.check(c) }))
		failed(each(callers, func(one *caller) error { return one.settle(c) }))
		failed(exactly(c, demo, callers...))
	}
	if err := errors.Join(journaled(c, demo, callers...), server.stop(), quiet(server), verified(t, data)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calls, of which kills left %d in doubt", calls, inDoubt)
	if inDoubt == 0 || calls == inDoubt {
		t.Error("no kill came in the midst of calls")
	}
}

// killUnderLoad kills the server while all callers call.
func killUnderLoad(s *server, c client, callers []*caller, after time.Duration) error {
	var killed atomic.Bool
	timer := time.AfterFunc(after, func() {
		killed.Store(true)
		s.kill()
	})
	defer timer.Stop()
	err := each(callers, func(one *caller) error {
		for {
			err := one.make(c, one.next())
			if errors.Is(err, errNoAnswer) && killed.Load() {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.Stderr)
	}
	<-s.ended
	return quiet(s)
}

// killAtStart starts a server and kills it at once or a little later.
func killAtStart(data string, after time.Duration) error {
	s, err := launch("", devEnv(), devArgs(data)...)
	if err != nil {
		return err
	}
	timer := time.AfterFunc(after, s.kill)
	defer timer.Stop()
	<-s.ended
	return quiet(s)
}

// quiet fails if the server had to warn, or raced.
func quiet(s *server) error {
	for line := range strings.Lines(s.Stderr.String()) {
		if !strings.Contains(line, "it is not a replica set") { // which the stand-in for MongoDB cannot be
			return fmt.Errorf("the log says: %s", line)
		}
	}
	return nil
}

// What the first start makes is whole or not there, whenever it is killed.
func TestAServerStartsAfterAKillAtItsFirstStart(t *testing.T) {
	openSources(t)
	began := time.Now()
	server, _ := serveDev(t, t.TempDir())
	lasts := time.Since(began)
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	for round := range crashRounds() / 2 {
		after := partOf(lasts, 3, round)
		data := t.TempDir()
		if err := killAtStart(data, after); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		server, c := serveDev(t, data)
		plans, err := c.plans()
		if err != nil || len(plans) != 2 {
			t.Fatalf("round %d, killed after %v: plans %v, %v", round, after, plans, err)
		}
		one := newCallers(t, c, "first", 1, 1)[0]
		if err := one.make(c, one.issue(one.nextID())); err != nil {
			t.Fatalf("round %d, killed after %v: %v", round, after, err)
		}
		if err := errors.Join(server.stop(), quiet(server)); err != nil {
			t.Fatalf("round %d, killed after %v: %v", round, after, err)
		}
	}
}

// partOf draws a part of the time that something lasts; which part follows from
// the number of the round.
func partOf(lasts time.Duration, seed uint64, round int) time.Duration {
	return time.Duration(rand.New(rand.NewPCG(seed, uint64(round))).Float64() * float64(lasts))
}
