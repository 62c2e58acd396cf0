package sqlstoretest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// longLog has 300 chunks of 32 entries. Blocks of 40 begin within chunks, so
// the chunk at 96 goes on with the block at 80.
const longLog = 9600

// wantMisfit fails unless this is found first, however long the spans are.
func (l log) wantMisfit(t *testing.T, s storage.Store, index int64, words string) {
	t.Helper()
	for _, spans := range []int64{4096, 7, 1} {
		misfit, err := l.CheckEntries(t.Context(), s, spans)
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

// subject gives the tag of what entry n concerns.
func (l log) subject(n int) int64 {
	return hashOf(storage.EntryFilter{Subjects: l.Block(n, 1).Entries[0].Subjects})
}

func (l log) changesAreFound(t *testing.T) {
	revoked := hashOf(storage.EntryFilter{Types: []string{"license.revoked"}}) // entries 49, 99, ...
	product := hashOf(storage.EntryFilter{Products: []string{l.Block(0, 1).Entries[0].Product}})
	wantFit(t, l.open(t))
	for name, test := range map[string]struct {
		spoil string
		index int64
		words string
	}{
		"of a subject deleted":              {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", l.subject(1234)), 1234, deleted},
		"of the last entry deleted":         {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", l.subject(longLog-2)), longLog - 2, deleted},
		"of a type deleted":                 {fmt.Sprintf("DELETE FROM tag WHERE hash = %d AND chunk > 500", revoked), 549, deleted},
		"of a product deleted":              {fmt.Sprintf("DELETE FROM tag WHERE hash = %d", product), 0, deleted},
		"all of a chunk deleted":            {"DELETE FROM tag WHERE chunk = 320", 320, deleted},
		"all deleted":                       {"DELETE FROM tag", 0, deleted},
		"two deleted":                       {fmt.Sprintf("DELETE FROM tag WHERE hash IN (%d, %d)", l.subject(7777), l.subject(777)), 777, deleted},
		"added":                             {"INSERT INTO tag VALUES (5, 640)", 640, added},
		"of another chunk added":            {fmt.Sprintf("INSERT INTO tag VALUES (%d, 640)", l.subject(1234)), 640, added},
		"added to the last chunk":           {"INSERT INTO tag VALUES (5, 9568)", 9568, added},
		"added where no chunk begins":       {"INSERT INTO tag VALUES (5, 641)", 641, nowhere},
		"added behind the end":              {"INSERT INTO tag VALUES (5, 9600)", 9600, nowhere},
		"added far behind the end":          {"INSERT INTO tag VALUES (5, 9223372036854775807)", 9223372036854775807, nowhere},
		"added before the beginning":        {"INSERT INTO tag VALUES (5, -1)", -1, "found before entry 0"},
		"one deleted, one added before":     {fmt.Sprintf("UPDATE tag SET hash = 5, chunk = -7 WHERE hash = %d", l.subject(1234)), 1234, deleted},
		"with another hash":                 {fmt.Sprintf("UPDATE tag SET hash = hash + 1 WHERE hash = %d", l.subject(1234)), 1216, added},
		"led to another chunk":              {fmt.Sprintf("UPDATE tag SET chunk = chunk + 32 WHERE hash = %d", l.subject(1234)), 1234, deleted},
		"led to an earlier chunk":           {fmt.Sprintf("UPDATE tag SET chunk = chunk - 32 WHERE hash = %d", l.subject(1234)), 1184, added},
		"time of a chunk changed":           {"UPDATE chunk SET at = at + 1 WHERE first = 320", 320, "a filter by time"},
		"time of one within a block":        {"UPDATE chunk SET at = at - 1 WHERE first = 96", 96, "a filter by time"},
		"time of the last":                  {"UPDATE chunk SET at = 0 WHERE first = 9568", 9568, "a filter by time"},
		"block of a chunk changed":          {"UPDATE chunk SET block = 0 WHERE first = 96", 96, "its block begins where"},
		"time and before that a subject":    {fmt.Sprintf("DELETE FROM tag WHERE hash = %d; UPDATE chunk SET at = 0 WHERE first = 3200", l.subject(777)), 777, deleted},
		"time and behind that a subject":    {fmt.Sprintf("DELETE FROM tag WHERE hash = %d; UPDATE chunk SET at = 0 WHERE first = 320", l.subject(777)), 320, "a filter by time"},
		"a chunk before the first":          {"INSERT INTO chunk SELECT -32, 0, -32, at, data FROM chunk WHERE first = 0", -32, "they were added"},
		"a chunk deleted and its tags kept": {"DELETE FROM chunk WHERE first = 9568", 9568, nowhere},
	} {
		t.Run(name, func(t *testing.T) {
			l.wantMisfit(t, l.spoilt(t, test.spoil), test.index, test.words)
		})
	}
}

// Of what is missing the entry is told that a filter then does not find.
func (l log) missingIsWhatAFilterDoesNotFind(t *testing.T) {
	s := l.spoilt(t, fmt.Sprintf("DELETE FROM tag WHERE hash = %d", l.subject(1234)))
	q := storage.EntryQuery{First: 9, Filter: storage.EntryFilter{Subjects: l.Block(1234, 1).Entries[0].Subjects}}
	page, err := s.Entries(t.Context(), q)
	if err != nil || len(page.Entries) > 0 {
		t.Fatalf("%d entries, %v", len(page.Entries), err)
	}
	l.wantMisfit(t, s, 1234, deleted)
}

func (l log) changesAreFoundWhileTheLogGrows(t *testing.T) {
	s := l.spoilt(t, fmt.Sprintf("DELETE FROM tag WHERE hash = %d", l.subject(1234)))
	var appender sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	appender.Go(func() {
		for n := longLog; ctx.Err() == nil; n += 5 {
			if err := s.AppendBlock(t.Context(), l.Block(n, 5)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		l.wantMisfit(t, s, 1234, deleted)
	}
	stop()
	appender.Wait()
}

func (l log) checkTellsThePlaceOfDamage(t *testing.T) {
	for name, spoil := range map[string]string{
		"cut":                           "UPDATE chunk SET data = substr(data, 1, length(data) - 1) WHERE first = 96",
		"one short":                     "UPDATE chunk SET next = 127 WHERE first = 96",
		"none":                          "UPDATE chunk SET next = 96, data = substr(data, 1, 0) WHERE first = 96",
		"its block's beginning is gone": "DELETE FROM chunk WHERE first = 64",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.spoilt(t, spoil).CheckEntries(t.Context())
			wantPlace(t, err, 96)
		})
	}
}
