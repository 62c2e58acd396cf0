package test_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

// Of three rounds one kills PostgreSQL alone, one the server a moment before it,
// and one a moment after. When, and the calls, follow from the number of the
// round.
func TestKillsOfPostgreSQLLoseNothingAcknowledgedAndARetryMakesNothingTwice(t *testing.T) {
	openSources(t)
	engine := engines.NewPostgres(t, engines.PostgresOptions{Fsync: true})
	data := keptIn(t, engine.Database(t))
	server, c := serveDev(t, data)
	demo, err := c.plans()
	if err != nil {
		t.Fatal(err)
	}
	callers := newCallers(t, c, "e", 8, 31)
	inDoubt := 0
	for round := range engineRounds() {
		random := rand.New(rand.NewPCG(32, uint64(round)))
		after := time.Duration(random.Float64() * float64(800*time.Millisecond))
		failed := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("round %d, killed after %v: %v\n%s", round, after, err, server.Stderr)
			}
		}
		kill := []func() error{
			engine.Kill,
			func() error { server.kill(); return engine.Kill() },
			func() error { err := engine.Kill(); server.kill(); return err },
		}[round%3]
		failed(endUnderLoad(c, callers, after, kill))
		for _, one := range callers {
			if one.inDoubt() != nil {
				inDoubt++
			}
		}
		failed(engine.Start(t.Context()))
		if round%3 != 0 {
			failed(onlyUnavailable(server))
			server, c = serveDev(t, data)
		}
		failed(each(callers, func(one *caller) error { return one.check(c) }))
		failed(each(callers, func(one *caller) error { return one.settle(c) }))
		failed(exactly(c, demo, callers...))
	}
	if err := errors.Join(journaled(c, demo, callers...), server.stop(), onlyUnavailable(server), verified(t, data)); err != nil {
		t.Fatal(err)
	}
	if inDoubt == 0 {
		t.Error("no kill came in the midst of calls")
	}
}

// endUnderLoad ends something while all callers call, each of whom stops at the
// first call that is refused for it, or that nobody answers.
func endUnderLoad(c client, callers []*caller, after time.Duration, end func() error) error {
	var began atomic.Bool
	ended := make(chan error, 1)
	time.AfterFunc(after, func() {
		began.Store(true)
		ended <- end()
	})
	err := each(callers, func(one *caller) error {
		for {
			err := timely(c, one)
			var refused *refusal
			unavailable := errors.As(err, &refused) && refused.Extensions.Code == "UNAVAILABLE"
			if began.Load() && (unavailable || errors.Is(err, errNoAnswer)) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	return errors.Join(err, <-ended)
}

// tellsOfTheEngine is a line of a log that says that storage fails, and why.
var tellsOfTheEngine = regexp.MustCompile(` level=WARN msg=("[^"]*"|\S+) .*(storage|journal) `)

// onlyUnavailable fails if the server warned of anything else than storage, or
// raced.
func onlyUnavailable(s *server) error {
	for line := range strings.Lines(s.Stderr.String()) {
		if !tellsOfTheEngine.MatchString(line) {
			return fmt.Errorf("the log says: %s", line)
		}
	}
	return nil
}
