package test_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

// beforeAPoll ends before servers look for news that do so once a minute.
const beforeAPoll = 50 * time.Second

// A subscriber at one server is given what happens at the other at once, and so
// it is where the connections were lost that servers listen on, even of what
// happens before there are others.
func TestAnEventAtOneServerIsHeardOfAtTheOtherThroughPostgreSQL(t *testing.T) {
	openSources(t)
	ctx, cancel := context.WithTimeout(t.Context(), beforeAPoll)
	defer cancel()
	database := engines.Postgres(t)
	a, b, onA, onB := serveTwo(t, keptIn(t, database), "--event-poll=1m")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s%s", err, a.Stderr, b.Stderr)
		}
	}
	engine, err := pgx.Connect(ctx, database)
	ok(err)
	defer engine.Close(context.WithoutCancel(ctx))

	ok(listenedTo(ctx, engine, 2))
	start := onB.lastEvent(t)
	next, end, err := onB.overSocket(ctx, start.Cursor)
	ok(err)
	for n := range 10 {
		if n == 5 {
			cut, err := engine.Exec(ctx, "SELECT pg_terminate_backend(pid, 10000) "+listeners)
			ok(err)
			if cut.RowsAffected() != 2 {
				t.Fatalf("%v connections listened", cut)
			}
		}
		onA.issueOne(t, fmt.Sprint("heard-", n))
		index, err := next()
		ok(err)
		if want := start.Index + int64(n) + 1; index != want {
			t.Fatalf("event %d is given, want %d", index, want)
		}
	}
	end()
	for _, s := range []*server{a, b} {
		ok(errors.Join(s.stop(), onlyUnavailable(s)))
		if got := strings.Count(s.Stderr.String(), "storage does not tell of the events of other servers"); got != 1 {
			t.Errorf("it is said %d times that nothing was heard:\n%s", got, s.Stderr)
		}
	}
}

// listeners are the connections to a database that wait for word of the log.
const listeners = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %' AND state = 'idle'"

// listenedTo waits until so many listen.
func listenedTo(ctx context.Context, engine *pgx.Conn, want int) error {
	for {
		var got int
		err := engine.QueryRow(ctx, "SELECT count(*) "+listeners).Scan(&got)
		if err != nil || got == want {
			return err
		}
		aMoment()
	}
}
