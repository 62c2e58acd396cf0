package engines_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

func TestAStandbyHasWhatWasAcknowledged(t *testing.T) {
	primary := engines.NewPostgres(t, engines.PostgresOptions{Password: "it's secret"})
	url := primary.Database(t)
	exec(t, connect(t, url), "CREATE TABLE kept (id int)")
	standby := primary.Standby(t)
	exec(t, connect(t, url), "INSERT INTO kept VALUES (1)")

	there := strings.Replace(url, primary.Address(), standby.Address(), 1)
	reader := connect(t, there)
	if got := ask(t, reader, "SELECT pg_is_in_recovery()::text"); got != "true" {
		t.Error("it takes commits before it is promoted")
	}
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, reader, "INSERT INTO kept VALUES (2)")
	if got := ask(t, reader, "SELECT count(*)::text FROM kept"); got != "2" {
		t.Errorf("it has %s rows", got)
	}
}

func TestWithoutItsStandbyAServerAcknowledgesNothing(t *testing.T) {
	primary := engines.NewPostgres(t, engines.PostgresOptions{})
	url := primary.Database(t)
	exec(t, connect(t, url), "CREATE TABLE kept (id int)")
	standby := primary.Standby(t)
	if err := standby.Kill(); err != nil {
		t.Fatal(err)
	}
	writer := connect(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := writer.Exec(ctx, "INSERT INTO kept VALUES (1)"); err == nil {
		t.Error("it was acknowledged")
	}
	if err := standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, connect(t, url), "INSERT INTO kept VALUES (2)")
}
