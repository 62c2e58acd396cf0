package sqlstoretest

import (
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
)

// What was changed behind the driver's back is told from the rest, or left to
// the journal, which knows what the entries were.
func (d Driver) damageIsToldWithItsPlace(t *testing.T) {
	short := d.filled(t, 96, 8)
	for name, spoil := range map[string]string{
		"cut":       "UPDATE chunk SET data = substr(data, 1, length(data) - 1) WHERE first = 32",
		"no data":   "UPDATE chunk SET data = substr(data, 1, 0) WHERE first = 32",
		"no chunk":  "UPDATE chunk SET data = substr(data, 1, 1) WHERE first = 32",
		"one short": "UPDATE chunk SET next = 63 WHERE first = 32",
		"deleted":   "DELETE FROM chunk WHERE first = 32",
	} {
		t.Run(name, func(t *testing.T) {
			damaged := short.spoilt(t, spoil)
			before, err := damaged.Blocks(t.Context(), 0, 99)
			if len(before) < 4 || before[3].Next() != 32 {
				t.Fatalf("before the damage are %d blocks, %v", len(before), err)
			}
			if name == "deleted" { // at a block's beginning: the journal sees the gap
				if err != nil || len(before) != 8 {
					t.Fatalf("%d blocks, %v", len(before), err)
				}
				return
			}
			wantPlace(t, err, 32)
			_, err = damaged.Blocks(t.Context(), 32, 99)
			wantPlace(t, err, 32)
			if some, err := damaged.Blocks(t.Context(), 0, 4); err != nil || len(some) != 4 {
				t.Fatalf("of those before the damage are given %d, %v", len(some), err)
			}
			_, err = damaged.Entries(t.Context(), storage.EntryQuery{First: 40, Newest: true})
			wantPlace(t, err, 32)
			d.wantReadBesideDamage(t, damaged)
		})
	}
}

// wantReadBesideDamage fails unless what does not lie in the chunk from 32 to 63
// is read without a look at that.
func (d Driver) wantReadBesideDamage(t *testing.T, s storage.Store) {
	t.Helper()
	for from, want := range map[int64]int{64: 4, 71: 4, 95: 1, storage.LastBlock: 1} {
		if some, err := s.Blocks(t.Context(), from, 9); err != nil || len(some) != want {
			t.Errorf("from %d on are %d blocks, %v", from, len(some), err)
		}
	}
	at := func(n int) time.Time { return d.Block(n, 8).At }
	for name, q := range map[string]storage.EntryQuery{
		"newest":              {Newest: true, First: 31},
		"newest before it":    {Newest: true, First: 99, After: new(int64(31))},
		"newest until then":   {Newest: true, First: 99, Filter: storage.EntryFilter{To: at(24)}},
		"behind it":           {First: 99, After: new(int64(63))},
		"from then on":        {First: 99, Filter: storage.EntryFilter{From: at(72)}, After: new(int64(5))},
		"of a type behind it": {First: 99, Filter: storage.EntryFilter{Types: []string{"license.*"}}, After: new(int64(63))},
	} {
		if page, err := s.Entries(t.Context(), q); err != nil || len(page.Entries) < 24 {
			t.Errorf("%s: %d entries, %v", name, len(page.Entries), err)
		}
	}
}
