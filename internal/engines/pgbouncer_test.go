package engines_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/internal/engines"
)

func plainly(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	return connect(t, url+"&default_query_exec_mode=simple_protocol")
}

func TestPgBouncerLendsAConnectionForOneTransaction(t *testing.T) {
	server := engines.NewPostgres(t, engines.PostgresOptions{Password: "it's secret"})
	behind := engines.PgBouncer(t, server.Database(t))
	holders := make([]*pgx.Conn, 5)
	lent := map[string]bool{}
	for i := range holders {
		holders[i] = plainly(t, behind)
		lent[ask(t, holders[i], "SELECT pg_backend_pid()::text")] = true
	}
	if len(lent) != 1 {
		t.Errorf("one after the other, five clients had the connections %v", lent)
	}
	for _, holder := range holders[:4] {
		exec(t, holder, "BEGIN")
		lent[ask(t, holder, "SELECT pg_backend_pid()::text")] = true
	}
	if len(lent) != 4 {
		t.Errorf("at once, four clients had the connections %v", lent)
	}
	_, err := holders[4].Exec(t.Context(), "SELECT 1")
	if err == nil || !strings.Contains(err.Error(), "query_wait_timeout") {
		t.Errorf("a fifth got %v", err)
	}
}
