package test_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// Two servers on one data directory, which neither has made before, are one to
// their callers.
func TestTwoServersShareOneDataDirectory(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	a, b, onA, onB := serveTwo(t, data)
	demo, err := onA.plans()
	if err != nil {
		t.Fatal(err)
	}
	callersOfA, callersOfB := newCallers(t, onA, "a", 2, 6), newCallers(t, onB, "b", 2, 7)
	// Twins make the same calls, each to its own server.
	twinsOfA, twinsOfB := newCallers(t, onA, "twin", 1, 8), newCallers(t, onB, "twin", 1, 8)
	var load errgroup.Group
	load.Go(func() error { return each(slices.Concat(callersOfA, twinsOfA), calling(onA, 20)) })
	load.Go(func() error { return each(slices.Concat(callersOfB, twinsOfB), calling(onB, 20)) })
	if err := load.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, a.Stderr, b.Stderr)
	}
	for i, twin := range twinsOfA {
		if diff := cmp.Diff(twin.licenses, twinsOfB[i].licenses); diff != "" {
			t.Errorf("%s (-of one server +of the other):\n%s", twin.name, diff)
		}
		for id := range twin.licenses { // the later of the two was shown the key again
			twin.happened[happened{"license.key_revealed", id}]++
		}
	}
	all := slices.Concat(callersOfA, callersOfB, twinsOfA)
	for _, c := range []client{onA, onB} {
		err := errors.Join(each(all, func(one *caller) error { return one.check(c) }), exactly(c, demo, all...))
		if err != nil {
			t.Error(err)
		}
	}

	if err := errors.Join(a.stop(), quiet(a)); err != nil {
		t.Error(err)
	}
	err = errors.Join(
		each(all, calling(onB, 5)),
		each(all, func(one *caller) error { return one.settle(onB) }),
		exactly(onB, demo, all...), journaled(onB, demo, all...),
		b.stop(), quiet(b), verified(t, data))
	if err != nil {
		t.Error(err)
	}
}

// serveTwo starts two servers at the same time.
func serveTwo(t *testing.T, data string, flags ...string) (a, b *server, onA, onB client) {
	t.Helper()
	var both errgroup.Group
	both.Go(func() (err error) { a, onA, err = startDev(t, data, flags...); return err })
	both.Go(func() (err error) { b, onB, err = startDev(t, data, flags...); return err })
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	return a, b, onA, onB
}

// calling makes so many calls.
func calling(c client, calls int) func(*caller) error {
	return func(one *caller) error {
		for range calls {
			if err := one.make(c, one.next()); err != nil {
				return err
			}
		}
		return nil
	}
}
