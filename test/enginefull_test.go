package test_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

// tellsOfTheEnginesDisk is what the operator reads.
var tellsOfTheEnginesDisk = regexp.MustCompile(`(?m) level=WARN msg=unavailable error="[^"]*: storage is full`)

// The disk of PostgreSQL is full: at first so that it refuses what needs room,
// then so that it ends, for it cannot write its own log.
func TestAFullDiskOfPostgreSQLStopsIssuingAndLosesNothing(t *testing.T) {
	openSources(t)
	disk := engines.NewDisk(t, 256<<20)
	engine := engines.NewPostgres(t, engines.PostgresOptions{Fsync: true, Within: disk.Directory})
	database := engine.Database(t)
	b := newBench(t, keptIn(t, database))

	b.must(t, disk.Fill(256<<10))
	b.must(t, each(b.callers, func(one *caller) error { return untilRefused(b.on, one) }))
	b.must(t, each(b.callers, func(one *caller) error { return one.check(b.on) }))
	b.must(t, refusedAgain(b.on, b.callers[0]))
	b.must(t, b.server.logs(tellsOfTheEnginesDisk))
	b.must(t, disk.Empty())
	b.settled(t)

	connection, err := pgx.Connect(t.Context(), database) // before it can have ended
	b.must(t, err)
	defer connection.Close(context.WithoutCancel(t.Context()))
	end := func() error { return errors.Join(disk.Fill(0), exhaustLog(t.Context(), connection)) }
	b.must(t, endUnderLoad(b.on, b.callers, faultAfter, end))
	b.must(t, disk.Empty())
	b.must(t, engine.Kill()) // if it has not given up
	if !strings.Contains(engine.Output(), "PANIC") {
		t.Errorf("it goes on without room for its log:\n%s", engine.Output())
	}
	b.must(t, engine.Start(t.Context()))
	b.settled(t)
	b.over(t)
}

// exhaustLog writes to PostgreSQL's own log until that ends it.
func exhaustLog(ctx context.Context, connection *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !connection.IsClosed() {
		_, _ = connection.Exec(ctx, "SELECT pg_logical_emit_message(true, 'full', repeat('full', 1000000))") // fails at last
	}
	return ctx.Err()
}
