package postgres_test

import (
	"testing"

	"github.com/keywright/keywright/storage/storagetest"
)

// An entry of the log may cost 600 bytes of disk, with all that it is found by,
// however few there are in a block: SQLite's share and what PostgreSQL adds to
// each row and keeps of it in an index again. What chunks grew from is not
// counted, as vacuum gives its room to others.
func TestAnEntryOfTheLogFitsItsShareOfTheDisk(t *testing.T) {
	const share, entries = 600, 5_000
	for _, size := range []int{1, 7, 50, 1000} {
		u := database(t)
		s, conn := migrated(t, u), connect(t, u)
		var empty, full int64
		query := "SELECT pg_total_relation_size('chunk') + pg_total_relation_size('tag')"
		if err := conn.QueryRow(t.Context(), query).Scan(&empty); err != nil {
			t.Fatal(err)
		}
		if err := storagetest.FillLog(t.Context(), s, 0, entries, size); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "VACUUM FULL chunk"); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), query).Scan(&full); err != nil {
			t.Fatal(err)
		}
		each := (full - empty) / entries
		t.Logf("%d entries, %d a block, cost %d bytes each", entries, size, each)
		if each > share {
			t.Errorf("that is more than %d", share)
		}
	}
}
