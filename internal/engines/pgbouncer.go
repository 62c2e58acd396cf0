package engines

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// BouncerPool is how many connections a PgBouncer has to lend: few enough for a
// test to take them all.
const BouncerPool = 4

// PgBouncer gives the URL of a database as it is behind a PgBouncer of the
// test's own: a connection is lent for one transaction, there are BouncerPool,
// and who has waited 5 s for one is refused.
func PgBouncer(t testing.TB, databaseURL string) string {
	t.Helper()
	base, err := newServer()
	b := &bouncer{base}
	closeAfter(t, b)
	if err != nil {
		t.Fatal(err)
	}
	behind, err := b.start(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return behind
}

type bouncer struct{ server }

func (b *bouncer) start(ctx context.Context, databaseURL string) (string, error) {
	program, err := bouncerProgram()
	if err != nil {
		return "", err
	}
	database, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return "", errors.New("the URL of the database does not parse") // the error would show it
	}
	file := filepath.Join(b.directory, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(b.settings(database)), 0o444); err != nil {
		return "", err
	}
	behind := url.URL{Scheme: "postgres", User: url.User(database.User), Host: b.Address(), Path: "/" + database.Database, RawQuery: "sslmode=disable"}
	answers := func(ctx context.Context) error { return do(ctx, behind.String(), "SELECT 1") }
	return behind.String(), b.server.start(ctx, syscall.SIGKILL, answers, program, file)
}

// settings have it log in as the user of the URL, and let everyone in.
func (b *bouncer) settings(database *pgx.ConnConfig) string {
	password := ""
	if database.Password != "" {
		password = " password='" + strings.ReplaceAll(database.Password, "'", "''") + "'"
	}
	return fmt.Sprintf(`[databases]
%s = host=%s port=%d user=%s%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
query_wait_timeout = 5
`, database.Database, database.Host, database.Port, database.User, password, b.port, BouncerPool)
}

func (b *bouncer) Close() error { return b.remove() }

// bouncerProgram is where Debian has it, which is not in everyone's PATH.
func bouncerProgram() (string, error) {
	const path = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	found, err := exec.LookPath("pgbouncer")
	if err != nil {
		return "", fmt.Errorf("PgBouncer is missing; bash scripts/setup.sh installs it: %w", err)
	}
	return found, nil
}
