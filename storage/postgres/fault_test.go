package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
)

func license(id string) storage.Change {
	return storage.Change{
		Record: storage.Record{
			Kind: storage.License, ID: id, Body: []byte(`{"of":"` + id + `"}`),
			Index: storage.Index{Product: "prd_1", Plan: "pln_1", State: "issued", Words: []string{id}},
		},
		Attempt: "attempt of " + id,
		Put:     []storage.Seat{{ID: "act_a", Lease: time.UnixMilli(9_000), Body: []byte("{}")}},
		Entries: []storage.Entry{{ID: "evt_" + id, Type: "license.created", Body: []byte("{}")}},
	}
}

func TestACallThatFindsNoConnectionIsUnavailableInTime(t *testing.T) {
	u := database(t)
	migrated(t, u)
	u.RawQuery += "&pool_max_conns=2"
	s := open(t, u)
	release := postgres.HoldAll(t.Context(), s)
	unavailableInTime(t, s)
	release()
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
}

func TestACallOfAServerThatIsSilentIsUnavailableInTime(t *testing.T) {
	u := database(t)
	migrated(t, u)
	between := engines.Between(t, u.Host)
	s := open(t, parse(t, between.In(u.String())))
	if err := s.Ready(t.Context()); err != nil { // so that there is a connection
		t.Fatal(err)
	}
	between.BlackHole()
	unavailableInTime(t, s)
	between.Heal()
	usable(t, s)
}

// Reads are joined, so a statement is not its caller's alone. It ends with the
// last of them, and its connection is free.
func TestAStatementThatNobodyWaitsForIsGivenUp(t *testing.T) {
	u := database(t)
	migrated(t, u)
	holder, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close(context.WithoutCancel(t.Context())) }()
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE record"); err != nil {
		t.Fatal(err)
	}
	u.RawQuery += "&pool_max_conns=1"
	s := open(t, u)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := s.Get(ctx, "lic_a"); !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.Clock(ctx); err != nil {
		t.Errorf("while nobody waits: %v", err)
	}
}

// unavailableInTime makes every call with little time.
func unavailableInTime(t *testing.T, s storage.Store) {
	t.Helper()
	const given = 200 * time.Millisecond
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), given)
	defer cancel()
	for _, err := range everyCall(ctx, s) {
		if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	if took := time.Since(start); took > given+5*time.Second { // on a busy machine
		t.Errorf("%v passed of %v", took, given)
	}
}

// usable waits until a store answers again, as whoever calls it does.
func usable(t *testing.T, s storage.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for s.Ready(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("the store does not recover")
		}
	}
}

func TestACommitWhoseAnswerIsLostIsFoundByItsAttempt(t *testing.T) {
	u := database(t)
	migrated(t, u)
	between := engines.Between(t, u.Host)
	s := open(t, parse(t, between.In(u.String())))
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
	c := license("lic_b")
	between.LoseAnswers("SELECT 1\x00", 1) // how the statement's end is told
	if err := s.Commit(t.Context(), c); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	between.Heal()
	usable(t, s)
	found, err := s.Get(t.Context(), "lic_b")
	if err != nil || found[0] == nil || found[0].Attempt != c.Attempt || found[0].Version != 1 || len(found[0].Seats) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := s.Commit(t.Context(), c); !fault.Is(err, fault.Conflict) {
		t.Fatalf("again: %v", err)
	}
}

// Who asks only reads, so asking again harms nobody.
func TestAReadIsMadeAgainWhereItsConnectionIsLost(t *testing.T) {
	u := database(t)
	s := migrated(t, u)
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := postgres.EndConnections(t.Context(), u.String()); err != nil {
			t.Fatal(err)
		}
		if found, err := s.Get(t.Context(), "lic_a"); err != nil || found[0] == nil {
			t.Fatalf("%v, %v", found, err)
		}
	}
}

func TestUsesWhoseFateIsUnknownAreNotToldAsUncounted(t *testing.T) {
	u := database(t)
	migrated(t, u)
	between := engines.Between(t, u.Host)
	s := open(t, parse(t, between.In(u.String())))
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
	uses := []storage.UsageDelta{{Record: "lic_a", Day: "2026-11-21", Valid: 1}}
	between.LoseAnswers("COMMIT", 1)
	if err := s.AddUsage(t.Context(), uses); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	between.Heal()
	usable(t, s)
	between.Cut()
	if err := s.AddUsage(t.Context(), uses); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	between.Heal()
	usable(t, s)
	found, err := s.Get(t.Context(), "lic_a")
	if err != nil || found[0].Total.Count != 1 {
		t.Fatalf("%v, %v", found, err)
	}
}

func TestAWakerHearsOfBlocksOfOthersUntilItIsTold(t *testing.T) {
	u := database(t)
	s, peer := migrated(t, u), open(t, u)
	heard := make(chan struct{}, 100)
	ended := make(chan error, 2)
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- s.(storage.Waker).Wake(ctx, func() { heard <- struct{}{} }) }()
	word := func(of string) {
		t.Helper()
		select {
		case <-heard:
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing is heard of %s", of)
		}
	}
	word("what was appended before")
	for first := range int64(3) {
		b := storage.Block{First: first, At: time.UnixMilli(1), Head: []byte("h"), Entries: license("lic_a").Entries}
		if err := peer.AppendBlock(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		word("a block")
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Wake says %v", err)
	}
	go func() { ended <- s.(storage.Waker).Wake(t.Context(), func() {}) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !fault.Is(err, fault.Unavailable) {
		t.Errorf("Wake of a closed store says %v", err)
	}
}
