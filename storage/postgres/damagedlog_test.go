package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// Else its server would take what it has read for all there is.
func TestABlockThatIsDamagedBeforeAServerReadsItIsNoEndOfTheLog(t *testing.T) {
	u := database(t)
	s, conn := migrated(t, u), connect(t, u)
	one, other := journal.NewLog(journal.Config{Store: s}), journal.NewLog(journal.Config{Store: s})
	for n := range 40 { // beyond what lies together
		if err := s.Commit(t.Context(), storagetest.LicenseChange(n)); err != nil {
			t.Fatal(err)
		}
		if _, err := one.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		var chunks int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM chunk").Scan(&chunks); err != nil {
			t.Fatal(err)
		}
		if chunks > 1 { // the other server knows the first to its end
			continue
		}
		if _, err := other.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read := other.State().Size
	if err := postgres.Exec(t.Context(), s, fmt.Sprintf("UPDATE chunk SET data = substr(data, 1, 1) WHERE first >= %d", read)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := range 2 { // with nothing pending, and with something
		if state, err := other.Sync(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("of %d entries %d were read: %+v, %v", one.State().Size, read, state, err)
		}
		if err := s.Commit(t.Context(), storagetest.LicenseChange(90+n)); err != nil {
			t.Fatal(err)
		}
	}
}
