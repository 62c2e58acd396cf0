package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
)

// What a standby has may be old. It is none to read from, and one day the primary.
func TestAStandbyIsUnavailableUntilItIsThePrimary(t *testing.T) {
	primary := engines.NewPostgres(t, engines.PostgresOptions{})
	u := parse(t, primary.Database(t))
	migrated(t, u)
	standby := primary.Standby(t)
	u.Host = standby.Address()
	s := open(t, u)
	for _, err := range everyCall(t.Context(), s) {
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "read only") {
			t.Errorf("got %v", err)
		}
	}
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	usable(t, s)
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
}

// A connection that took changes takes none any more, as after a failover behind
// a proxy, which new connections are led past.
func TestAConnectionThatCanOnlyReadIsNotKept(t *testing.T) {
	u := database(t)
	migrated(t, u)
	u.RawQuery += "&pool_max_conns=1"
	s := open(t, u)
	for name, change := range map[string]func() error{
		"a statement":  func() error { return s.Commit(t.Context(), license("lic_a")) },
		"transactions": func() error { _, err := s.Sweep(t.Context(), time.Now(), 1); return err },
	} {
		execute(t, s, "SET default_transaction_read_only = on")
		if err := change(); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, "read only") {
			t.Errorf("%s: got %v", name, err)
		}
		if err := change(); err != nil {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}
