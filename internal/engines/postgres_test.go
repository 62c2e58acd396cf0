package engines_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

// connect fails the test unless it reaches the database.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close(context.WithoutCancel(t.Context())) })
	return connection
}

func exec(t *testing.T, connection *pgx.Conn, statement string) {
	t.Helper()
	if _, err := connection.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// ask gives the one value that a query answers.
func ask(t *testing.T, connection *pgx.Conn, query string) string {
	t.Helper()
	var answer string
	if err := connection.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func TestEachTestHasAnEmptyDatabaseOfTheSharedServer(t *testing.T) {
	one, two := connect(t, engines.Postgres(t)), connect(t, engines.Postgres(t))
	exec(t, one, "CREATE TABLE only_here (id int)")
	const tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'"
	if first, second := ask(t, one, tables), ask(t, two, tables); first != "1" || second != "0" {
		t.Errorf("%s tables in the one and %s in the other", first, second)
	}
	const server = "SELECT pg_postmaster_start_time()::text || current_setting('port')"
	if first, second := ask(t, one, server), ask(t, two, server); first != second {
		t.Errorf("two servers: %s, %s", first, second)
	}
}

func TestADatabaseGoesWithItsTestThoughAClientIsStillThere(t *testing.T) {
	var url string
	t.Run("test", func(t *testing.T) {
		url = engines.Postgres(t)
		connection, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Ping(context.WithoutCancel(t.Context())) // keeps it
	})
	_, err := pgx.Connect(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("got %v", err)
	}
}

func TestAPostgresServerKeepsWhatWasCommittedHoweverItEnds(t *testing.T) {
	s := engines.NewPostgres(t, engines.PostgresOptions{Fsync: true, Settings: map[string]string{"work_mem": "5MB"}})
	url := s.Database(t)
	if got := ask(t, connect(t, url), "SELECT current_setting('fsync') || current_setting('work_mem')"); got != "on5MB" {
		t.Errorf("settings are %s", got)
	}
	exec(t, connect(t, url), "CREATE TABLE kept (how text)")
	for how, end := range map[string]func() error{"stopped": s.Stop, "at once": s.StopAtOnce, "killed": s.Kill} {
		exec(t, connect(t, url), "INSERT INTO kept VALUES ('"+how+"')")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := pgx.Connect(t.Context(), url); err == nil {
			t.Fatalf("%s, it goes on", how)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, connect(t, url), "SELECT max(how) FROM kept WHERE how = '"+how+"'"); got != how {
			t.Errorf("%s: it kept %q", how, got)
		}
	}
}

func TestAPostgresServerAsksForItsPassword(t *testing.T) {
	s := engines.NewPostgres(t, engines.PostgresOptions{Password: "it's a:secret/@"})
	url := s.Database(t)
	if got := ask(t, connect(t, url), "SELECT current_user::text"); got != "keywright" {
		t.Errorf("the user is %s", got)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "wrong"
	refused := func() {
		t.Helper()
		_, err := pgx.ConnectConfig(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), "password authentication failed") {
			t.Errorf("got %v", err)
		}
	}
	refused()
	if err := s.ChangePassword(t.Context(), "another's"); err != nil {
		t.Fatal(err)
	}
	connect(t, s.Database(t))
	config.Password = "it's a:secret/@"
	refused()
}
