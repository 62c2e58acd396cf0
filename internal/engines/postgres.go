package engines

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres gives the URL of an empty database of the PostgreSQL server that
// the tests share. It is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := shared.startedPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server.Database(t)
}

// NewPostgres starts a PostgreSQL server of the test's own, and stops it when
// the test ends.
func NewPostgres(t testing.TB, o PostgresOptions) *PostgresServer {
	t.Helper()
	s, err := StartPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s)
	return s
}

// PostgresOptions says how a server differs from the shared one.
type PostgresOptions struct {
	Password string            // asked for by SCRAM; without it everyone is let in
	Fsync    bool              // so that what is committed survives a crash of the machine
	Settings map[string]string // as in postgresql.conf
	Within   string            // a directory for its own, instead of that for temporary ones
}

// PostgresServer is a PostgreSQL server.
type PostgresServer struct {
	server
	options PostgresOptions
}

const postgresUser = "keywright"

// StartPostgres starts a server; Close stops it.
func StartPostgres(ctx context.Context, o PostgresOptions) (*PostgresServer, error) {
	base, err := newServerIn(o.Within)
	s := &PostgresServer{server: base, options: o}
	if err == nil {
		err = s.initialize(ctx)
	}
	if err == nil {
		err = s.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *PostgresServer) initialize(ctx context.Context) error {
	args := []string{"-D", s.data(), "-U", postgresUser, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"}
	if s.options.Password == "" {
		return s.tool(ctx, "initdb", append(args, "-A", "trust")...)
	}
	// It is read as the servers' user, from a directory that no other can enter.
	file := filepath.Join(s.directory, "password")
	if err := os.WriteFile(file, []byte(s.options.Password), 0o444); err != nil {
		return err
	}
	return s.tool(ctx, "initdb", append(args, "-A", "scram-sha-256", "--pwfile", file)...)
}

func (s *PostgresServer) data() string { return filepath.Join(s.directory, "data") }

// tool runs a program of PostgreSQL's as the servers' user.
func (s *PostgresServer) tool(ctx context.Context, name string, args ...string) error {
	path, err := postgresProgram(name)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, path, args...)
	command.SysProcAttr, command.Dir = unprivileged(), "/"
	command.Env = append(os.Environ(), "HOME="+s.directory, "PGPASSWORD="+s.options.Password)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}

// postgresProgram finds what Debian keeps out of PATH, at the newest version.
func postgresProgram(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well formed
	if len(found) > 0 {
		return slices.Max(found), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is missing; bash scripts/setup.sh installs it: %w", err)
	}
	return path, nil
}

// Start starts a server that was stopped, on the port that it had, and returns
// when it answers.
func (s *PostgresServer) Start(ctx context.Context) error {
	path, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	answers := func(ctx context.Context) error { return s.do(ctx, "SELECT 1") }
	return s.start(ctx, syscall.SIGQUIT, answers, path, s.arguments()...)
}

func (s *PostgresServer) arguments() []string {
	args := []string{"-D", s.data()}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", "127.0.0.1")
	set("port", fmt.Sprint(s.port))
	set("unix_socket_directories", "")
	set("max_connections", "400")
	set("dynamic_shared_memory_type", "mmap") // files of its own, which a kill leaves nowhere else
	if !s.options.Fsync {
		set("fsync", "off")
		set("full_page_writes", "off")
	}
	for name, value := range s.options.Settings {
		set(name, value)
	}
	return args
}

// URL names a database of the server.
func (s *PostgresServer) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(postgresUser), Host: s.Address(), Path: "/" + database}
	if s.options.Password != "" {
		u.User = url.UserPassword(postgresUser, s.options.Password)
	}
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Create makes an empty database, and names it by its URL.
func (s *PostgresServer) Create(ctx context.Context, database string) (string, error) {
	return s.URL(database), s.do(ctx, "CREATE DATABASE "+database)
}

// Database makes an empty database, names it by its URL and drops it when the
// test ends.
func (s *PostgresServer) Database(t testing.TB) string {
	t.Helper()
	name := databaseName()
	made, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.running == nil {
			return // and its directory goes with it
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stopTimeout)
		defer cancel()
		if err := s.do(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return made
}

// ChangePassword has it ask for another password from now on, if it asks for
// one.
func (s *PostgresServer) ChangePassword(ctx context.Context, password string) error {
	err := s.do(ctx, "ALTER ROLE "+postgresUser+" PASSWORD '"+strings.ReplaceAll(password, "'", "''")+"'")
	if err == nil {
		s.options.Password = password
	}
	return err
}

// do runs a statement in a database that is always there.
func (s *PostgresServer) do(ctx context.Context, statement string) error {
	return do(ctx, s.URL("postgres"), statement)
}

func do(ctx context.Context, databaseURL, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	connection, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = connection.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, connection.Close(ctx))
}

// Stop has the server refuse and end what its clients do, write everything to
// its files and end.
func (s *PostgresServer) Stop() error { return s.end(syscall.SIGINT) }

// StopAtOnce has it end as it is, to recover from its log at the next start.
func (s *PostgresServer) StopAtOnce() error { return s.end(syscall.SIGQUIT) }

// Close stops the server and removes its files.
func (s *PostgresServer) Close() error { return errors.Join(s.StopAtOnce(), s.remove()) }
