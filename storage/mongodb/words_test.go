package mongodb_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/storagetest"
)

// words counts the words that are stored.
func words(t *testing.T, s *mongodb.Store) int64 {
	t.Helper()
	n, err := mongodb.Count(t.Context(), s, "word", bson.M{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two writers change the words of one record back and forth while others
// search for what it always has.
func TestARecordIsFoundWhileItsWordsChange(t *testing.T) {
	text := engines.MongoDB(t)
	stores := []*mongodb.Store{migrated(t, text), open(t, text)}
	if err := stores[0].Commit(t.Context(), licenseAt(0, "first", "ada", "bx")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for n, s := range stores {
		writers.Go(func() { flip(t, s, n) })
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				finds(t, s, "ada", 1)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	last := stored(t, stores[0])
	if n := words(t, stores[0]); n != int64(len(last.Index.Words)) {
		t.Errorf("%d words are stored, and the record has %d", n, len(last.Index.Words))
	}
	finds(t, stores[1], last.Index.Words[len(last.Index.Words)-1], 1)
}

// flip changes the words 15 times, each time to what neither had before.
func flip(t *testing.T, s *mongodb.Store, writer int) {
	for n := 0; n < 15; {
		found, err := storage.One(t.Context(), s, storage.License, storagetest.LicenseID(1))
		if err != nil {
			t.Error(err)
			return
		}
		c := licenseAt(found.Version, fmt.Sprint(writer, " ", n), "ada", fmt.Sprint("b", writer, n%2))
		switch err := s.Commit(t.Context(), c); fault.CodeOf(err) {
		case "":
			n++
		case fault.Conflict:
		default:
			t.Error(err)
			return
		}
	}
}

func TestACommitThatLeavesTheWordsAloneWritesNone(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	var before, after []bson.M
	for version := range int64(3) {
		if err := s.Commit(t.Context(), licenseAt(version, fmt.Sprint(version))); err != nil {
			t.Fatal(err)
		}
		before, after = after, nil
		cursor, err := mongodb.Database(s).Collection("word").Find(t.Context(), bson.M{}, options.Find().SetSort(bson.M{"_id": 1}))
		if err == nil {
			err = cursor.All(t.Context(), &after)
		}
		if diff := cmp.Diff(before, after); err != nil || len(after) == 0 || version > 0 && diff != "" {
			t.Fatalf("%d words, %v\n%s", len(after), err, diff)
		}
	}
}

func TestAStrayWordFindsNothingAndGoesWithTheRecord(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	c := licenseAt(0, "first", "ada")
	c.Record.Index.State, c.Record.Index.Due = storage.Deleted, time.UnixMilli(1000)
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for word, age := range map[string]time.Duration{"aaa": 48 * time.Hour, "ab": 0} {
		if err := mongodb.PutStrayWord(t.Context(), s, c.Record.ID, word, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
		finds(t, s, word, 0)
	}
	finds(t, s, "a", 1)
	if swept, err := s.Sweep(t.Context(), time.UnixMilli(2000), 9); swept != 1 || err != nil {
		t.Fatalf("%d, %v", swept, err)
	}
	if n := words(t, s); n != 1 { // the young one may be about to be committed
		t.Errorf("%d words are left", n)
	}
}

// Words of a commit that did not come go when the record's words change.
func TestAStrayWordGoesWhereTheWordsChange(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	if err := s.Commit(t.Context(), licenseAt(0, "first", "ada")); err != nil {
		t.Fatal(err)
	}
	id := storagetest.LicenseID(1)
	for word, age := range map[string]time.Duration{"aaa": 48 * time.Hour, "ab": 0} {
		if err := mongodb.PutStrayWord(t.Context(), s, id, word, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	c := licenseAt(1, "second", "adb")
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if n, want := words(t, s), int64(len(c.Record.Index.Words)+1); n != want { // the young one may be about to be committed
		t.Errorf("%d words are stored, want %d", n, want)
	}
}

// More strays than one look finds, beside what is none.
func TestASweepDropsStraysAndNothingElse(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	c := licenseAt(0, "first", "ada")
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUsage(t.Context(), []storage.UsageDelta{{Record: c.Record.ID, Day: "2026-11-21", Valid: 1}}); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := mongodb.PutStrayWord(t.Context(), s, c.Record.ID, "a", long); err != nil {
		t.Fatal(err)
	}
	if err := mongodb.PutStrayWord(t.Context(), s, "gone", "b", time.Now()); err != nil {
		t.Fatal(err)
	}
	for n := range 1_005 {
		if err := mongodb.PutStrayWord(t.Context(), s, fmt.Sprint("gone ", n), "c", long); err != nil {
			t.Fatal(err)
		}
	}
	for made, record := range map[time.Time]string{long: "gone", long.Add(time.Second): c.Record.ID, time.Now(): "gone"} {
		if err := mongodb.PutStrayDay(t.Context(), s, record, made); err != nil {
			t.Fatal(err)
		}
	}
	if swept, err := s.Sweep(t.Context(), time.UnixMilli(2000), 9); swept != 0 || err != nil {
		t.Fatalf("%d, %v", swept, err)
	}
	if n, want := words(t, s), int64(len(c.Record.Index.Words)+1); n != want {
		t.Errorf("%d words are stored, want %d", n, want)
	}
	if n, err := mongodb.Count(t.Context(), s, "day", bson.M{}); n != 2 || err != nil {
		t.Errorf("%d days are stored, want 2: %v", n, err)
	}
	finds(t, s, "ada", 1)
}
