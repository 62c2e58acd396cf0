package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
)

const password = "s3cret-hunter2"

func TestOpenRefusesWhatItDoesNotKnowAndTellsNoPassword(t *testing.T) {
	known := "postgres://u:" + password + "@127.0.0.1:1/db"
	for name, text := range map[string]string{
		"an unknown parameter":  known + "?sslmode=disable&cache=shared",
		"a runtime parameter":   known + "?statement_timeout=5",
		"a password beside":     known + "?password=" + password,
		"another user beside":   known + "?user=x",
		"a bad port":            "postgres://u:" + password + "@127.0.0.1:99999/db",
		"a bad mode of TLS":     known + "?sslmode=maybe",
		"a bad certificate":     known + "?sslmode=verify-full&sslrootcert=/nowhere&sslpassword=" + password,
		"a pool of none":        known + "?pool_max_conns=0",
		"a bad mode":            known + "?default_query_exec_mode=" + password,
		"unequal hosts":         known + "?host=a,b&port=1,2,3",
		"a fragment":            known + "#" + password,
		"two names":             known + "/" + password,
		"no slashes":            "postgres:u:" + password,
		"malformed parameters":  known + "?a=%zz" + password,
		"a bad limit on server": known + "?target_session_attrs=" + password,
	} {
		u := parse(t, text)
		s, err := postgres.Open(t.Context(), u)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v tells the password", name, err)
		}
	}
	_, err := postgres.Open(t.Context(), parse(t, known+"?cache=shared"))
	if err == nil || !strings.Contains(err.Error(), `"cache"`) || !strings.Contains(err.Error(), "pool_max_conns") {
		t.Errorf("%v does not say what is unknown and what is known", err)
	}
}

func TestOpenTakesWhatItKnows(t *testing.T) {
	for _, text := range []string{
		"postgres://u@a/db", "postgresql://u@a:1,b:2/db?application_name=x&connect_timeout=3",
		"postgres://u@a/db?sslmode=require&pool_max_conns=7&pool_max_conn_idle_time=1m&default_query_exec_mode=exec&target_session_attrs=any",
		"postgres:///db?sslmode=disable", "postgres://u@/db?host=a,b,c&port=1,2,3", "postgres:///db?host=/var/run/postgresql",
	} {
		s, err := postgres.Open(t.Context(), parse(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAWrongPasswordIsUnavailableAndInNoError(t *testing.T) {
	server := engines.NewPostgres(t, engines.PostgresOptions{Password: "right"})
	u := parse(t, strings.Replace(server.URL("postgres"), ":right@", ":"+password+"@", 1))
	s := open(t, u)
	for _, err := range []error{s.Ready(t.Context()), s.Migrate(t.Context())} {
		if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), password) {
			t.Errorf("got %v", err)
		}
	}
}

// A server of the program may start before its database does, and outlives it.
func TestAStoreIsUsableWheneverItsServerIs(t *testing.T) {
	server := engines.NewPostgres(t, engines.PostgresOptions{})
	u := parse(t, server.Database(t))
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	s := open(t, u)
	r := storage.Change{Record: storage.Record{Kind: storage.License, ID: "lic_a", Body: []byte("{}")}, Attempt: "a"}
	for range 2 {
		start := time.Now()
		for _, err := range everyCall(t.Context(), s) {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("without a server: %v", err)
			}
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("all calls took %v to fail", took)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		r.Record.Version++
		if err := server.StopAtOnce(); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := s.Get(t.Context(), "lic_a")
	if err != nil || found[0] == nil || found[0].Version != 2 {
		t.Fatalf("%v, %v", found, err)
	}
}

// everyCall makes one call of each kind and gives their errors.
func everyCall(ctx context.Context, s storage.Store) []error {
	_, errGet := s.Get(ctx, "lic_a")
	_, errList := s.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 1})
	_, errSearch := s.Search(ctx, storage.SearchQuery{Kind: storage.License, Prefix: "x", First: 1})
	_, errTouch := s.Touch(ctx, []storage.Lease{{Record: "lic_a", Seat: "act_a"}})
	_, errUsage := s.Usage(ctx, "lic_a", "2026-11-21", "2026-11-21")
	_, errSweep := s.Sweep(ctx, time.Now(), 1)
	_, errClock := s.Clock(ctx)
	_, errPending := s.Pending(ctx, 1)
	return []error{
		errGet, errList, errSearch, errTouch, errUsage, errSweep, errClock, errPending, s.Ready(ctx),
		s.Commit(ctx, storage.Change{Record: storage.Record{Kind: storage.License, ID: "lic_x", Body: []byte("{}")}, Attempt: "x"}),
		s.AddUsage(ctx, []storage.UsageDelta{{Record: "lic_a", Day: "2026-11-21"}}),
	}
}

func TestReadyNamesTheCommandThatAnOlderSchemaNeeds(t *testing.T) {
	s := open(t, database(t))
	unready(t, s, "keywright migrate")
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, s, "DELETE FROM keywright_schema WHERE version_id = 2")
	unready(t, s, "keywright migrate")
}

func TestAForeignDatabaseIsLeftAlone(t *testing.T) {
	s := open(t, database(t))
	execute(t, s, "CREATE TABLE theirs (x integer)")
	if err := s.Migrate(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "not a Keywright database") {
		t.Fatalf("Migrate says %v", err)
	}
	unready(t, s, "keywright migrate")
}

func TestManyMigrateANewDatabaseAtOnce(t *testing.T) { manyMigrate(t, database(t), 8) }

func manyMigrate(t *testing.T, u *url.URL, many int) {
	t.Helper()
	var all sync.WaitGroup
	for range many {
		s := open(t, u)
		all.Go(func() {
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func unready(t *testing.T, s storage.Store, want string) {
	t.Helper()
	err := s.Ready(t.Context())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, want) {
		t.Fatalf("Ready says %v, want %q", err, want)
	}
}

func execute(t *testing.T, s storage.Store, statement string) {
	t.Helper()
	if err := postgres.Exec(t.Context(), s, statement); err != nil {
		t.Fatal(err)
	}
}
