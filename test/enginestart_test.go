package test_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/internal/engines"
)

// startsWithin bounds a start that fails: nobody looks at a program that hangs.
const startsWithin = 20 * time.Second

// refusesToStart fails unless a server ends soon, with these words and without
// those.
func refusesToStart(t *testing.T, data, words string, without ...string) {
	t.Helper()
	began := time.Now()
	s, err := start("", devEnv(), devArgs(data)...)
	if !errors.Is(err, errEarly) {
		t.Errorf("got %v", err)
		s.kill()
	}
	if took := time.Since(began); took > startsWithin {
		t.Errorf("it took %v", took)
	}
	told := s.Stderr.String() + s.Stdout.String()
	if !strings.Contains(told, words) {
		t.Errorf("it does not say %q:\n%s", words, told)
	}
	for _, word := range without {
		if strings.Contains(told, word) {
			t.Errorf("it says %q:\n%s", word, told)
		}
	}
}

func TestAServerDoesNotStartWithoutItsEngine(t *testing.T) {
	openSources(t)
	engine := engines.NewPostgres(t, engines.PostgresOptions{})
	direct := engine.Database(t)
	between := engines.Between(t, engine.Address())

	between.BlackHole()
	refusesToStart(t, keptIn(t, between.In(direct)), "keywright: storage (--storage): storage is unavailable")
	between.Heal()
	if err := engine.Stop(); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, keptIn(t, direct), "keywright: storage (--storage): storage is unavailable")
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server, c := serveDev(t, keptIn(t, between.In(direct)))
	if plans, err := c.plans(); err != nil || len(plans) != 2 {
		t.Errorf("got %v, %v", plans, err)
	}
	if err := errors.Join(server.stop(), quiet(server)); err != nil {
		t.Error(err)
	}
}

func TestAWrongPasswordIsToldNowhere(t *testing.T) {
	openSources(t)
	const right, wrong = "right-hunter2", "wrong-hunter3"
	engine := engines.NewPostgres(t, engines.PostgresOptions{Password: right})
	database := engine.Database(t)
	data := keptIn(t, strings.Replace(database, right, wrong, 1))
	for _, command := range [][]string{{"migrate"}, {"journal", "verify"}} {
		stdout, stderr, err := keywright(t, data, command...)
		if err == nil || !strings.Contains(stderr, "storage does not let this program in") || strings.Contains(stdout+stderr, wrong) {
			t.Errorf("%v: %v\n%s%s", command, err, stdout, stderr)
		}
	}
	refusesToStart(t, data, "storage does not let this program in", wrong, right)

	keepIn(t, data, database)
	s, _, ready := serveProbed(t, data)
	change := func(password string) {
		t.Helper()
		// Who is in stays in, until the engine starts anew.
		err := errors.Join(engine.ChangePassword(t.Context(), password), engine.Stop(), engine.Start(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
	}
	change(wrong)
	awaitReadiness(t, ready, http.StatusServiceUnavailable, "storage does not let this program in\n")
	change(right)
	awaitReadiness(t, ready, http.StatusOK, "ready\n")
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if told := s.Stdout.String() + s.Stderr.String(); strings.Contains(told, right) {
		t.Errorf("the password is told:\n%s", told)
	}
}

// awaitReadiness asks until a server answers so.
func awaitReadiness(t *testing.T, address string, status int, words string) {
	t.Helper()
	end := time.Now().Add(readyWithin)
	for {
		got, said := readiness(t, address)
		if got == status && said == words {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("readiness is %d %q, want %d %q", got, said, status, words)
		}
		aMoment()
	}
}

// execute runs SQL on a database.
func execute(t *testing.T, url, statement string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	if _, err := connection.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestASchemaThatIsNotTheProgramsIsRefused(t *testing.T) {
	openSources(t)
	database := engines.Postgres(t)
	data := keptIn(t, database)
	secret := filepath.Join(data, "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(words string, command ...string) {
		t.Helper()
		stdout, stderr, err := keywright(t, data, command...)
		if err == nil || !strings.Contains(stderr, words) {
			t.Errorf("%v: %v\n%s%s", command, err, stdout, stderr)
		}
	}
	serve := []string{"serve", "--listen=127.0.0.1:0", "--ops-listen=off", "--checkpoint-file=" + filepath.Join(data, "checkpoint")}
	refused("run keywright migrate", serve...)
	if stdout, stderr, err := keywright(t, data, "migrate"); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	server, _ := serveDev(t, data)
	if err := server.stop(); err != nil {
		t.Error(err)
	}
	execute(t, database, "INSERT INTO keywright_schema (version_id, is_applied) VALUES (99, true)")
	refused("run a newer keywright", serve...)
	refused("run a newer keywright", "migrate")
	refusesToStart(t, data, "run a newer keywright")
}

func TestManyMigrateAtOnce(t *testing.T) {
	openSources(t)
	data := keptIn(t, engines.Postgres(t))
	var all errgroup.Group
	for range 4 {
		all.Go(func() error {
			stdout, stderr, err := keywright(t, data, "migrate")
			if err != nil {
				err = fmt.Errorf("%w\n%s%s", err, stdout, stderr)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	a, b, onA, onB := serveTwo(t, data)
	for _, c := range []client{onA, onB} {
		if plans, err := c.plans(); err != nil || len(plans) != 2 {
			t.Errorf("got %v, %v", plans, err)
		}
	}
	if err := errors.Join(a.stop(), b.stop(), quiet(a), quiet(b), verified(t, data)); err != nil {
		t.Error(err)
	}
}

func TestParametersThatStorageDoesNotKnowAreRefused(t *testing.T) {
	openSources(t)
	url := engines.Postgres(t) + "&pool_max_connections=5&hunter=hunter2"
	refusesToStart(t, keptIn(t, url), `keywright: storage (--storage): the postgres URL does not take "hunter", "pool_max_connections"`, "hunter2")
}
