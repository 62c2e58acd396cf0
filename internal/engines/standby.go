package engines

import (
	"context"
	"errors"
	"testing"
)

// Standby starts a server that follows this one, and has this one acknowledge
// no commit that the other has not written down: while that is stopped, commits
// wait. Promote ends it.
func (s *PostgresServer) Standby(t testing.TB) *PostgresServer {
	t.Helper()
	base, err := newServer()
	standby := &PostgresServer{server: base, options: s.options}
	closeAfter(t, standby)
	t.Cleanup(func() { // before the standby is closed: commits would wait for it
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stopTimeout)
		defer cancel()
		if err := s.release(ctx); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		err = s.follow(t.Context(), standby)
	}
	if err != nil {
		t.Fatal(err)
	}
	return standby
}

func (s *PostgresServer) follow(ctx context.Context, standby *PostgresServer) error {
	const name = "standby"
	source := s.URL("postgres") + "&application_name=" + name
	err := standby.tool(ctx, "pg_basebackup", "-d", source, "-D", standby.data(), "-R", "-c", "fast", "--no-sync")
	if err != nil {
		return err
	}
	if err := standby.Start(ctx); err != nil {
		return err
	}
	err = errors.Join(
		s.do(ctx, "ALTER SYSTEM SET synchronous_standby_names = '"+name+"'"),
		s.do(ctx, "SELECT pg_reload_conf()"))
	if err != nil {
		return err
	}
	return s.running.ready(ctx, func(ctx context.Context) error {
		return s.do(ctx, "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
	})
}

// Promote has a standby follow no longer, and take commits.
func (s *PostgresServer) Promote(ctx context.Context) error {
	return errors.Join(s.do(ctx, "SELECT pg_promote()"), s.release(ctx))
}

// release has a server that runs wait for no standby.
func (s *PostgresServer) release(ctx context.Context) error {
	if s.running == nil {
		return nil
	}
	return errors.Join(
		s.do(ctx, "ALTER SYSTEM RESET synchronous_standby_names"),
		s.do(ctx, "SELECT pg_reload_conf()"))
}
