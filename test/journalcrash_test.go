package test_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/internal/engines"
)

// journalRounds is how often two servers are killed.
func journalRounds() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 100
	}
	return 8
}

func TestKillsOfTwoServersLeaveTheJournalAsTheAcknowledgedChangesImply(t *testing.T) {
	openSources(t)
	killTwo(t, t.TempDir(), journalRounds())
}

func TestKillsOfTwoServersLeaveTheJournalInPostgreSQLAsTheAcknowledgedChangesImply(t *testing.T) {
	openSources(t)
	killTwo(t, keptIn(t, engines.Postgres(t)), engineRounds())
}

// killTwo has two servers move entries into one log, and kills them while eight
// writers write: one of them or both, at any moment.
func killTwo(t *testing.T, data string, rounds int) {
	t.Helper()
	a, b, onA, onB := serveTwo(t, data)
	demo, err := onA.plans()
	if err != nil {
		t.Fatal(err)
	}
	ofA, ofB := newCallers(t, onA, "a", 4, 21), newCallers(t, onB, "b", 4, 22)
	all := slices.Concat(ofA, ofB)
	inDoubt := 0
	for round := range rounds {
		random := rand.New(rand.NewPCG(23, uint64(round)))
		moment := func() time.Duration {
			return time.Duration(random.Float64() * random.Float64() * float64(600*time.Millisecond))
		}
		// Of each third round one server is killed first, and the other goes on alone.
		afterA := moment()
		afterB := afterA
		if round%3 != 0 {
			afterB = moment()
		}
		failed := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("round %d, killed after %v and %v: %v", round, afterA, afterB, err)
			}
		}
		failed(killBoth(doomed{a, onA, ofA, afterA}, doomed{b, onB, ofB, afterB}))
		for _, one := range all {
			if one.inDoubt() != nil {
				inDoubt++
			}
		}
		a, b, onA, onB = serveTwo(t, data)
		failed(each(ofA, func(one *caller) error { return one.settle(onB) }))
		failed(each(ofB, func(one *caller) error { return one.settle(onA) }))
		if round%10 == 0 || round == rounds-1 {
			failed(errors.Join(journaled(onA, demo, all...), journaled(onB, demo, all...)))
			failed(verified(t, data))
		}
	}
	if err := errors.Join(exactly(onA, demo, all...), a.stop(), quiet(a), b.stop(), quiet(b), verified(t, data)); err != nil {
		t.Fatal(err)
	}
	if inDoubt == 0 {
		t.Error("no kill came in the midst of calls")
	}
}

// doomed is a server that is killed after a time, and who calls it until then.
type doomed struct {
	*server
	client
	callers []*caller
	after   time.Duration
}

// killBoth has all callers call until their server is killed.
func killBoth(all ...doomed) error {
	var running errgroup.Group
	for _, d := range all {
		running.Go(func() error { return killUnderLoad(d.server, d.client, d.callers, d.after) })
	}
	return running.Wait()
}
