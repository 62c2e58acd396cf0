package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

// longLog has 300 chunks of 32 entries. Blocks of 40 begin within chunks, so
// the chunk at 96 goes on with the block at 80.
const longLog = 9600

// longLogFile gives the file of such a log, to be copied.
func longLogFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	if err := storagetest.FillLog(t.Context(), s, 0, longLog, 40); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // which moves the write-ahead log into the file
		t.Fatal(err)
	}
	return slurp(t, path)
}

// spoilt opens a copy of the file and runs statements on it.
func spoilt(t *testing.T, file []byte, statements string) storage.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keywright.db")
	write(t, path, file)
	s := open(t, path)
	for statement := range strings.SplitSeq(statements, ";") {
		if err := sqlite.Exec(t.Context(), s, statement); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// wantMisfit fails unless this is found first, however long the spans are.
func wantMisfit(t *testing.T, s storage.Store, index int64, words string) {
	t.Helper()
	for _, spans := range []int64{4096, 7, 1} {
		misfit, err := sqlite.CheckEntries(t.Context(), s, spans)
		if err != nil || misfit == nil || misfit.Index != index || !strings.Contains(misfit.Problem, words) {
			t.Errorf("in %d spans got %+v, %v, want entry %d: ...%s...", spans, misfit, err, index, words)
		}
	}
}

func wantFit(t *testing.T, s storage.Store) {
	t.Helper()
	if misfit, err := s.CheckEntries(t.Context()); err != nil || misfit != nil {
		t.Errorf("got %+v, %v", misfit, err)
	}
}

const (
	deleted = "does not find it"
	added   = "none of them has it"
	nowhere = "keeps no entries that begin here"
)

// hashOf gives the tag of a subject.
func hashOf(f storage.EntryFilter) int64 { return sqlstore.TagsFor(f)[0] }

func subject(n int) int64 {
	return hashOf(storage.EntryFilter{Subjects: storagetest.LogBlock(n, 1).Entries[0].Subjects})
}

func TestAChangedLookupIsFoundWithItsEntry(t *testing.T) {
	revoked := hashOf(storage.EntryFilter{Types: []string{"license.revoked"}}) // entries 49, 99, ...
	product := hashOf(storage.EntryFilter{Products: []string{storagetest.LogBlock(0, 1).Entries[0].Product}})
	file := longLogFile(t)
	wantFit(t, spoilt(t, file, "SELECT 1"))
	for name, test := range map[string]struct {
		spoil string
		index int64
		words string
	}{
		"of a subject deleted":              {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", subject(1234)), 1234, deleted},
		"of the last entry deleted":         {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", subject(longLog-2)), longLog - 2, deleted},
		"of a type deleted":                 {fmt.Sprintf("DELETE FROM tag WHERE hash = %d AND chunk > 500", revoked), 549, deleted},
		"of a product deleted":              {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", product), 0, deleted},
		"all of a chunk deleted":            {"DELETE FROM tag WHERE chunk = 320", 320, deleted},
		"all deleted":                       {"DELETE FROM tag", 0, deleted},
		"two deleted":                       {fmt.Sprintf("DELETE FROM tag WHERE hash IN (%d, %d)", subject(7777), subject(777)), 777, deleted},
		"added":                             {"INSERT INTO tag VALUES (5, 640)", 640, added},
		"of another chunk added":            {fmt.Sprintf("INSERT INTO tag VALUES (%d, 640)", subject(1234)), 640, added},
		"added to the last chunk":           {"INSERT INTO tag VALUES (5, 9568)", 9568, added},
		"added where no chunk begins":       {"INSERT INTO tag VALUES (5, 641)", 641, nowhere},
		"added behind the end":              {"INSERT INTO tag VALUES (5, 9600)", 9600, nowhere},
		"added far behind the end":          {"INSERT INTO tag VALUES (5, 9223372036854775807)", 9223372036854775807, nowhere},
		"added before the beginning":        {"INSERT INTO tag VALUES (5, -1)", -1, "found before entry 0"},
		"one deleted, one added before":     {fmt.Sprintf("UPDATE tag SET hash = 5, chunk = -7 WHERE hash = %d", subject(1234)), 1234, deleted},
		"with another hash":                 {fmt.Sprintf("UPDATE tag SET hash = hash + 1 WHERE hash = %d", subject(1234)), 1216, added},
		"led to another chunk":              {fmt.Sprintf("UPDATE tag SET chunk = chunk + 32 WHERE hash = %d", subject(1234)), 1234, deleted},
		"led to an earlier chunk":           {fmt.Sprintf("UPDATE tag SET chunk = chunk - 32 WHERE hash = %d", subject(1234)), 1184, added},
		"time of a chunk changed":           {"UPDATE chunk SET at = at + 1 WHERE first = 320", 320, "a filter by time"},
		"time of one within a block":        {"UPDATE chunk SET at = at - 1 WHERE first = 96", 96, "a filter by time"},
		"time of the last":                  {"UPDATE chunk SET at = 0 WHERE first = 9568", 9568, "a filter by time"},
		"block of a chunk changed":          {"UPDATE chunk SET block = 0 WHERE first = 96", 96, "its block begins where"},
		"time and before that a subject":    {fmt.Sprintf("DELETE FROM tag WHERE hash = %d; UPDATE chunk SET at = 0 WHERE first = 3200", subject(777)), 777, deleted},
		"time and behind that a subject":    {fmt.Sprintf("DELETE FROM tag WHERE hash = %d; UPDATE chunk SET at = 0 WHERE first = 320", subject(777)), 320, "a filter by time"},
		"a chunk before the first":          {"INSERT INTO chunk SELECT -32, 0, -32, at, data FROM chunk WHERE first = 0", -32, "they were added"},
		"a chunk deleted and its tags kept": {"DELETE FROM chunk WHERE first = 9568", 9568, nowhere},
	} {
		t.Run(name, func(t *testing.T) {
			wantMisfit(t, spoilt(t, file, test.spoil), test.index, test.words)
		})
	}
}

// Of what is missing the entry is told that a filter then does not find.
func TestWhatIsFoundToBeMissingIsWhatAFilterDoesNotFind(t *testing.T) {
	s := spoilt(t, longLogFile(t), fmt.Sprintf("DELETE FROM tag WHERE hash = %d", subject(1234)))
	q := storage.EntryQuery{First: 9, Filter: storage.EntryFilter{Subjects: storagetest.LogBlock(1234, 1).Entries[0].Subjects}}
	page, err := s.Entries(t.Context(), q)
	if err != nil || len(page.Entries) > 0 {
		t.Fatalf("%d entries, %v", len(page.Entries), err)
	}
	wantMisfit(t, s, 1234, deleted)
}

func TestAChangedLookupIsFoundWhileTheLogGrows(t *testing.T) {
	s := spoilt(t, longLogFile(t), fmt.Sprintf("DELETE FROM tag WHERE hash = %d", subject(1234)))
	var appender sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	appender.Go(func() {
		for n := longLog; ctx.Err() == nil; n += 5 {
			if err := s.AppendBlock(t.Context(), storagetest.LogBlock(n, 5)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 20 {
		wantMisfit(t, s, 1234, deleted)
	}
	stop()
	appender.Wait()
}

func TestACheckOfADamagedLogTellsItsPlace(t *testing.T) {
	file := longLogFile(t)
	for name, spoil := range map[string]string{
		"cut":                           "UPDATE chunk SET data = substr(data, 1, length(data) - 1) WHERE first = 96",
		"one short":                     "UPDATE chunk SET next = 127 WHERE first = 96",
		"none":                          "UPDATE chunk SET next = 96, data = x'' WHERE first = 96",
		"its block's beginning is gone": "DELETE FROM chunk WHERE first = 64",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spoilt(t, file, spoil).CheckEntries(t.Context())
			wantPlace(t, err, 96)
		})
	}
}
