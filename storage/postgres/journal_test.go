package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
	"github.com/keywright/keywright/storage/storagetest"
)

// connect gives a connection to the database that is no store's.
func connect(t *testing.T, u *url.URL) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func appended(t *testing.T, s storage.Store, blocks ...storage.Block) {
	t.Helper()
	for _, b := range blocks {
		if err := s.AppendBlock(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// A block that begins a chunk and one that goes on in the last are not both
// written, even by programs that disagree on which is due.
func TestABlockIsNotWrittenBehindALogThatHasGrown(t *testing.T) {
	s := migrated(t, database(t))
	first, second := storagetest.LogBlock(0, 5), storagetest.LogBlock(5, 3)
	appended(t, s, first, second)
	late := storagetest.LogBlock(5, 1)
	late.Head = []byte("late")
	if written, err := postgres.WriteBlock(t.Context(), s, 5, late); written || err != nil {
		t.Errorf("written: %v, %v", written, err)
	}
	third := storagetest.LogBlock(8, 1)
	if written, err := postgres.WriteBlock(t.Context(), s, 8, third); !written || err != nil {
		t.Errorf("written: %v, %v", written, err)
	}
	got, err := s.Blocks(t.Context(), 0, 9)
	if diff := cmp.Diff([]storage.Block{first, second, third}, got, cmp.Comparer(bytes.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if misfit, err := s.CheckEntries(t.Context()); misfit != nil || err != nil {
		t.Errorf("%+v, %v", misfit, err)
	}
}

func TestAnAppenderWaitsForItsTurnNoLongerThanItsCaller(t *testing.T) {
	u := database(t)
	s, conn := migrated(t, u), connect(t, u)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), postgres.LockLog); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.AppendBlock(ctx, storagetest.LogBlock(0, 1)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What it gave up may be written yet.
	if err := s.AppendBlock(t.Context(), storagetest.LogBlock(0, 1)); err != nil && !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if some, err := s.Blocks(t.Context(), 0, 9); err != nil || len(some) != 1 {
		t.Errorf("%d blocks, %v", len(some), err)
	}
}

// A place is taken before its commit: between records places are no order.
func TestWhatCommitsLateIsPendingAllTheSame(t *testing.T) {
	u := database(t)
	s, conn := migrated(t, u), connect(t, u)
	for n := range 2 {
		if err := s.Commit(t.Context(), storagetest.LicenseChange(n)); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	late := storagetest.LogEntry(100)
	insert := "INSERT INTO pending (row, id, entry) SELECT row, $2, $3 FROM record WHERE id = $1"
	if _, err := tx.Exec(t.Context(), insert, storagetest.LicenseID(0), late.ID, sqlstore.AppendEntry(nil, late)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), storagetest.LicenseChange(2)); err != nil {
		t.Fatal(err)
	}
	early, err := s.Pending(t.Context(), 9)
	if err != nil || len(early) != 3 {
		t.Fatalf("%d are pending, %v", len(early), err)
	}
	if err := s.Settle(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Pending(t.Context(), 9)
	want := []storage.Pending{{Record: storagetest.LicenseID(0), Entry: late}}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestServersThatSettleTheSameDoNotHoldEachOtherUp(t *testing.T) {
	u := database(t)
	s := migrated(t, u)
	const rounds, settlers, entries = 20, 4, 200
	for round := range rounds {
		if err := storagetest.Fill(t.Context(), s, round*entries, (round+1)*entries, true); err != nil {
			t.Fatal(err)
		}
		waiting, err := s.Pending(t.Context(), 2*entries)
		if err != nil || len(waiting) != entries {
			t.Fatalf("%d are pending, %v", len(waiting), err)
		}
		var all sync.WaitGroup
		for range settlers {
			all.Go(func() {
				mine := slices.Clone(waiting)
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				if err := s.Settle(t.Context(), mine); err != nil {
					t.Error(err)
				}
				left, err := s.Pending(t.Context(), 1)
				if err != nil || len(left) > 0 {
					t.Errorf("%d are pending once they are settled, %v", len(left), err)
				}
			})
		}
		all.Wait()
	}
	var deadlocks int
	query := "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
	if err := connect(t, u).QueryRow(t.Context(), query).Scan(&deadlocks); err != nil || deadlocks > 0 {
		t.Errorf("%d deadlocks, %v", deadlocks, err)
	}
}

// A read of several statements goes on in a chunk that has grown between them.
func TestALogThatGrowsUnderAReadIsReadWithoutAGap(t *testing.T) {
	s := migrated(t, database(t))
	const chunk, atOnce = 32, 8
	next := atOnce*chunk - 5 // as many chunks as are read at once, and room in the last
	appended(t, s, storagetest.LogBlock(0, next))
	for round := range 200 {
		first := int64(next/chunk-atOnce+1) * chunk
		var appender sync.WaitGroup
		appender.Go(func() {
			for range 3 {
				b := storagetest.LogBlock(next, 19+round%2)
				if err := s.AppendBlock(t.Context(), b); err != nil {
					t.Error(err)
				}
				next += len(b.Entries)
			}
		})
		if err := contiguous(t.Context(), s, first); err != nil {
			t.Error(err)
		}
		appender.Wait()
		for ; (next-1)%chunk > chunk-3; next++ { // no room for what is to come
			appended(t, s, storagetest.LogBlock(next, 1))
		}
	}
}

// contiguous reads the log from an index on in each way, and fails where it
// misses something.
func contiguous(ctx context.Context, s storage.Store, first int64) error {
	after := first - 1
	page, err := s.Entries(ctx, storage.EntryQuery{First: 1000, After: &after})
	if err != nil {
		return err
	}
	for i, e := range page.Entries {
		if want := first + int64(i); e.Index != want {
			return fmt.Errorf("entry %d comes where %d should", e.Index, want)
		}
	}
	blocks, err := s.Blocks(ctx, first, 1000)
	if err != nil {
		return err
	}
	for i, b := range blocks[1:] {
		if b.First != blocks[i].Next() {
			return fmt.Errorf("a block begins at %d behind one that ends at %d", b.First, blocks[i].Next())
		}
	}
	return nil
}
