package test_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

func TestAnEngineThatGoesAndComesBackLosesNothing(t *testing.T) {
	openSources(t)
	engine := engines.NewPostgres(t, engines.PostgresOptions{Fsync: true})
	b := newBench(t, keptIn(t, engine.Database(t)))
	for name, stop := range map[string]func() error{"stopped": engine.Stop, "stopped at once": engine.StopAtOnce} {
		if b.suffer(t, stop) == 0 {
			t.Errorf("%s: no call was refused", name)
		}
		if status, said := readiness(t, b.ready); status != 503 {
			t.Errorf("%s: readiness is %d %s", name, status, said)
		}
		b.must(t, engine.Start(t.Context()))
		b.settled(t)
	}
	b.over(t)
}

// The URL names both servers. What was acknowledged before the first was lost is
// with the second, and the program finds it there.
func TestAStandbyTakesOverWithAllThatWasAcknowledged(t *testing.T) {
	openSources(t)
	primary := engines.NewPostgres(t, engines.PostgresOptions{Fsync: true})
	database := primary.Database(t)
	standby := primary.Standby(t)
	both := strings.Replace(database, primary.Address(), primary.Address()+","+standby.Address(), 1)
	b := newBench(t, keptIn(t, both))
	refused := b.suffer(t, func() error {
		return errors.Join(primary.Kill(), standby.Promote(context.WithoutCancel(t.Context())))
	})
	b.settled(t)
	b.over(t)
	t.Logf("%d of %d callers were refused", refused, len(b.callers))
}

// Others hold every connection that the pooler has to give.
func TestAPoolThatIsExhaustedLosesNothing(t *testing.T) {
	openSources(t)
	behind := engines.PgBouncer(t, engines.Postgres(t))
	b := newBench(t, keptIn(t, behind))
	var held []pgx.Tx
	refused := b.suffer(t, func() error {
		for range engines.BouncerPool {
			connection, err := pgx.Connect(t.Context(), behind+"&default_query_exec_mode=simple_protocol")
			if err != nil {
				return err
			}
			t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
			tx, err := connection.Begin(t.Context())
			if err != nil {
				return err
			}
			held = append(held, tx)
			if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
				return err
			}
		}
		return nil
	})
	if refused == 0 {
		t.Error("no call was refused")
	}
	for _, tx := range held {
		b.must(t, tx.Rollback(t.Context()))
	}
	b.settled(t)
	b.over(t)
}

// A pool of one makes all wait for each other, and refuses nobody.
func TestAPoolOfOneConnectionServesEveryone(t *testing.T) {
	openSources(t)
	b := newBench(t, keptIn(t, engines.Postgres(t)+"&pool_max_conns=1"))
	b.must(t, each(b.callers, calling(b.on, 20)))
	b.settled(t)
	b.over(t)
	if err := quiet(b.server); err != nil {
		t.Error(err)
	}
}
