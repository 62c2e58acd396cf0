package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage/sqlite"
)

// Else its server would take what it has read for all there is.
func TestABlockThatIsDamagedBeforeAServerReadsItIsNoEndOfTheLog(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	one, other := journal.NewLog(journal.Config{Store: s}), journal.NewLog(journal.Config{Store: s})
	for n := range 40 { // beyond what lies together
		if n == 32 {
			if _, err := other.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Commit(t.Context(), whole(n)); err != nil {
			t.Fatal(err)
		}
		if _, err := one.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read := other.State().Size
	if err := sqlite.Exec(t.Context(), s, fmt.Sprintf("UPDATE chunk SET data = x'00' WHERE first >= %d", read)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := range 2 { // with nothing pending, and with something
		if state, err := other.Sync(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("of %d entries %d were read: %+v, %v", one.State().Size, read, state, err)
		}
		if err := s.Commit(t.Context(), whole(90+n)); err != nil {
			t.Fatal(err)
		}
	}
}
