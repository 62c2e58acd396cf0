package mongodb_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/storagetest"
)

// licenseAt is a change of one license, each with an attempt of its own.
func licenseAt(version int64, attempt string, words ...string) storage.Change {
	c := storagetest.LicenseChange(1)
	c.Record.Version, c.Attempt, c.Entries = version, attempt, nil
	if words != nil {
		c.Record.Index.Words = words
	}
	return c
}

func stored(t *testing.T, s storage.Reader) *storage.Stored {
	t.Helper()
	found, err := storage.One(t.Context(), s, storage.License, storagetest.LicenseID(1))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lost fails unless so many answers were lost: else a test proves nothing.
func lost(t *testing.T, l *lossy, want int) {
	t.Helper()
	if got := l.count(); got != want {
		t.Fatalf("%d answers were lost, want %d", got, want)
	}
}

func TestACommitWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	l, through, _ := newLossy(t)
	s := migrated(t, through)
	for version, lose := range []string{"insert", "update"} {
		l.loseAnswer(lose, "record", nil)
		c := licenseAt(int64(version), lose)
		c.Entries = []storage.Entry{storagetest.LogEntry(version)}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatalf("%s: %v", lose, err)
		}
		lost(t, l, version+1)
		if got := stored(t, s); got.Version != int64(version)+1 || got.Attempt != lose {
			t.Fatalf("version %d, attempt %s", got.Version, got.Attempt)
		}
	}
	waiting, err := s.Pending(t.Context(), 9)
	if err != nil || len(waiting) != 2 {
		t.Errorf("%d entries are pending, %v", len(waiting), err)
	}
}

func TestACommitThatChangesWordsIsMadeOnceWhereverAnAnswerIsLost(t *testing.T) {
	for _, lose := range [][2]string{{"insert", "word"}, {"update", "record"}, {"delete", "word"}} {
		l, through, _ := newLossy(t)
		s := migrated(t, through)
		if err := s.Commit(t.Context(), licenseAt(0, "first", "ada")); err != nil {
			t.Fatal(err)
		}
		l.loseAnswer(lose[0], lose[1], nil)
		if err := s.Commit(t.Context(), licenseAt(1, "second", "byron")); err != nil {
			t.Fatalf("%v: %v", lose, err)
		}
		lost(t, l, 1)
		finds(t, s, "ada", 0)
		finds(t, s, "byron", 1)
		if n := words(t, s); n != 1 {
			t.Errorf("%v: %d words are left", lose, n)
		}
	}
}

func TestAConflictAfterALostAnswerIsOneOnlyWhereNothingWasChanged(t *testing.T) {
	l, through, direct := newLossy(t)
	s, other := migrated(t, through), open(t, direct)
	if err := s.Commit(t.Context(), licenseAt(0, "first")); err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(t.Context(), licenseAt(1, "other")); err != nil {
		t.Fatal(err)
	}
	l.loseAnswer("update", "record", nil) // which matched nothing
	if err := s.Commit(t.Context(), licenseAt(1, "late")); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	l.loseAnswer("insert", "record", nil) // whose id was taken
	if err := s.Commit(t.Context(), licenseAt(0, "again")); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	// Here it was made, and another's came before it was asked about.
	l.loseAnswer("update", "record", func() {
		if err := other.Commit(t.Context(), licenseAt(3, "overtaking")); err != nil {
			t.Error(err)
		}
	})
	if err := s.Commit(t.Context(), licenseAt(2, "overtaken")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, which leaves open whether it was made", err)
	}
	lost(t, l, 3)
	if got := stored(t, s); got.Version != 4 || got.Attempt != "overtaking" {
		t.Errorf("version %d, attempt %s", got.Version, got.Attempt)
	}
}

func TestABlockWhoseAnswerIsLostIsAppendedOnce(t *testing.T) {
	l, through, direct := newLossy(t)
	s, other := migrated(t, through), open(t, direct)
	l.loseAnswer("insert", "block", nil)
	if err := s.AppendBlock(t.Context(), storagetest.LogBlock(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := other.AppendBlock(t.Context(), storagetest.LogBlock(3, 1)); err != nil {
		t.Fatal(err)
	}
	l.loseAnswer("insert", "block", nil)
	if err := s.AppendBlock(t.Context(), storagetest.LogBlock(3, 2)); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	lost(t, l, 2)
	blocks, err := s.Blocks(t.Context(), 0, 9)
	if err != nil || len(blocks) != 2 || blocks[1].Next() != 4 {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
}

func TestATouchAndASettlingWhoseAnswersAreLostAreDone(t *testing.T) {
	l, through, _ := newLossy(t)
	s := migrated(t, through)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := licenseAt(0, "first")
	c.Put = []storage.Seat{{ID: "act.$1", Lease: at, Body: []byte(`{}`)}}
	c.Entries = []storage.Entry{storagetest.LogEntry(1)}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	l.loseAnswer("update", "record", nil)
	until := at.Add(time.Hour)
	ends, err := s.Touch(t.Context(), []storage.Lease{{Record: c.Record.ID, Seat: "act.$1", At: at.Add(-time.Minute), Until: until}})
	if diff := cmp.Diff([]time.Time{until}, ends); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	l.loseAnswer("update", "record", nil)
	if err := s.Settle(t.Context(), []storage.Pending{{Record: c.Record.ID, Entry: c.Entries[0]}}); err != nil {
		t.Error(err)
	}
	lost(t, l, 2)
	if waiting, err := s.Pending(t.Context(), 9); err != nil || len(waiting) != 0 {
		t.Errorf("%v is pending, %v", waiting, err)
	}
}

func TestUsageWhoseAnswerIsLostIsNotAddedTwice(t *testing.T) {
	l, through, _ := newLossy(t)
	s := migrated(t, through)
	if err := s.Commit(t.Context(), licenseAt(0, "first")); err != nil {
		t.Fatal(err)
	}
	id := storagetest.LicenseID(1)
	for i, lose := range [][2]string{{"update", "record"}, {"insert", "day"}, {"update", "day"}} {
		l.loseAnswer(lose[0], lose[1], nil)
		err := s.AddUsage(t.Context(), []storage.UsageDelta{{Record: id, Day: "2026-11-21", Valid: 1}})
		if err == nil || fault.Is(err, fault.Unavailable) {
			t.Errorf("%v: got %v, which says that none was added", lose, err)
		}
		if got := stored(t, s).Total.Count; got != int64(i)+1 {
			t.Errorf("%v: the total is %d", lose, got)
		}
	}
	lost(t, l, 3)
	days, err := s.Usage(t.Context(), id, "2026-11-21", "2026-11-21")
	if err != nil || len(days) != 1 || days[0].Valid != 2 { // the first did not come so far
		t.Errorf("%v, %v", days, err)
	}
}

// finds fails unless a search finds so many records.
func finds(t *testing.T, s *mongodb.Store, prefix string, want int) {
	t.Helper()
	found, err := s.Search(t.Context(), storage.SearchQuery{Kind: storage.License, Prefix: prefix, First: 9})
	if err != nil || len(found) != want {
		t.Errorf("%q finds %d, want %d, %v", prefix, len(found), want, err)
	}
}

// A commit may have put the seat anew, with the same lease, since it was read.
func TestATouchWritesBackNothingThatItRead(t *testing.T) {
	at := func(n int64) time.Time { return time.UnixMilli(n).UTC() }
	read := storage.Seat{ID: "a", Lease: at(10), Seen: at(4), Body: []byte("{}")}
	got := mongodb.SeenOf(read,
		storage.Lease{Seat: "a", At: at(1), Until: at(12)}, storage.Lease{Seat: "a", At: at(3), Until: at(11)}, storage.Lease{Seat: "a", At: at(2), Until: at(11)})
	if !got.Equal(at(3)) {
		t.Errorf("it is seen at %v, want the latest of the touches'", got)
	}
}
