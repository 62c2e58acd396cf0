package journal_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// restore runs Restore at noon.
func restore(t *testing.T, s storage.Journal) journal.Restored {
	t.Helper()
	done, err := journal.Restore(t.Context(), journal.Config{Store: s, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// copyOf gives a store whose records, with what is pending, are those of the
// licenses from..to-1, all of them pending, and whose log is that of another.
func copyOf(t *testing.T, log storage.Journal, from, to int) *store {
	t.Helper()
	s := newStore()
	commitMany(t, s, from, to)
	for _, b := range blocks(t, log) {
		if err := s.Model.AppendBlock(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestWhatARestoredCopyHasInItsLogAndPendingIsSettledAndTheRestLoggedOnce(t *testing.T) {
	was := newStore()
	ids := commitMany(t, was, 0, 8)
	mustSync(t, journal.NewLog(journal.Config{Store: was}).Within(99, 2))
	s := copyOf(t, was, 0, 8)
	ids = append(ids, commitMany(t, s, 8, 11)...)
	before := mustSync(t, journal.NewLog(journal.Config{Store: was}))

	got := restore(t, s)
	want := journal.Restored{
		Restoration: journal.Restoration{Epoch: noon.Unix(), Size: 8, Root: before.Root, At: noon}, Log: before.Log, Pending: 3, Settled: 8,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if state := mustSync(t, journal.NewLog(journal.Config{Store: s})); state.Epoch != noon.Unix() || state.Size != 12 || state.Log != before.Log {
		t.Errorf("a server begins with %+v", state)
	}
	all := logged(t, s)
	if diff := cmp.Diff(ids, slices.Delete(slices.Clone(all), 8, 9)); diff != "" {
		t.Errorf("but for the entry of the epoch: %s", diff)
	}
	nonePending(t, s)
	if report, err := verify(t, s); err != nil || len(report.Restorations) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAnEpochBeginsWithAnEntryThatNamesTheLogBefore(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 3)
	before := mustSync(t, journal.NewLog(journal.Config{Store: s}))
	restore(t, s)
	all := blocks(t, s)
	last := all[len(all)-1]
	e, err := journal.Decode(last.Entries[0])
	if err != nil || len(last.Entries) != 1 || last.First != 3 {
		t.Fatalf("%+v, %v", last, err)
	}
	data := fmt.Sprintf(`{"epoch":%d,"root":%q,"size":3}`, noon.Unix(), base64.StdEncoding.EncodeToString(before.Root[:]))
	if string(e.Data) != data || e.Type != journal.JournalRestored || e.Subject != before.Log || e.Actor.String() != "SYSTEM migrate" || !e.At.Equal(noon) {
		t.Errorf("%+v with %s", e, e.Data)
	}
	var h blockHead
	if err := json.Unmarshal(last.Head, &h); err != nil || h.Epoch != noon.Unix() || h.Log != before.Log {
		t.Errorf("%+v, %v", h, err)
	}
}

// Two copies that are restored one after the other, and one that is restored
// twice, never share an epoch, even where the clock stands still.
func TestEachRestorationHasAnEpochOfItsOwn(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 1)
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	var got []int64
	for range 3 {
		got = append(got, restore(t, s).Epoch)
	}
	if diff := cmp.Diff([]int64{noon.Unix(), noon.Unix() + 1, noon.Unix() + 2}, got); diff != "" {
		t.Error(diff)
	}
	if report, err := verify(t, s); err != nil || len(report.Restorations) != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	again := copyOf(t, s, 0, 0)
	done, err := journal.Restore(t.Context(), journal.Config{Store: again, Now: func() time.Time { return noon.Add(-time.Hour) }})
	if err != nil || done.Epoch != noon.Unix()+3 {
		t.Errorf("with a clock that is behind: %+v, %v", done, err)
	}
	if _, err := verify(t, again); err != nil {
		t.Error(err)
	}
}

func TestALogWithoutEntriesNeedsNoEpoch(t *testing.T) {
	s := newStore()
	ids := commitMany(t, s, 0, 2)
	if got := restore(t, s); got != (journal.Restored{Pending: 2}) {
		t.Errorf("%+v", got)
	}
	if state := mustSync(t, journal.NewLog(journal.Config{Store: s})); state.Epoch != 1 || state.Size != 2 {
		t.Errorf("%+v", state)
	}
	if diff := cmp.Diff(ids, logged(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestADamagedCopyIsNotVouchedFor(t *testing.T) {
	log := newLog(t, 3, 4)
	damaged := log.replace(func(b []storage.Block) []storage.Block {
		b[1].Entries[2].Body[7] ^= 1
		return b
	})
	_, err := journal.Restore(t.Context(), journal.Config{Store: damaged})
	var f *journal.Finding
	if !errors.As(err, &f) || f.Index != 5 {
		t.Errorf("%v", err)
	}
	if size := len(log.blocks()); size != 2 {
		t.Errorf("there are %d blocks", size)
	}
}

func TestWhileAServerIsAtWorkNoEpochBegins(t *testing.T) {
	for name, call := range map[string]string{"it commits": "settle", "it logs": "append", "it does both": "append both"} {
		s := newStore()
		commitMany(t, s, 0, 2)
		mustSync(t, journal.NewLog(journal.Config{Store: s}))
		s = copyOf(t, s, 0, 1)
		server := journal.NewLog(journal.Config{Store: s.Model})
		s.hook(func(at string) error {
			if at == strings.Fields(call)[0] {
				commitMany(t, s, 2, 3)
				if name != "it commits" {
					mustSync(t, server)
				}
			}
			return nil
		}, nil)
		_, err := journal.Restore(t.Context(), journal.Config{Store: s})
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "stop all") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOfTwoThatRestoreOneBeginsTheEpoch(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 2)
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	var first journal.Restored
	s.hook(func(call string) error {
		if call == "append" {
			first = restore(t, s.Model)
		}
		return nil
	}, nil)
	if got := restore(t, s); got != first || got.Log == "" {
		t.Errorf("%+v and %+v", first, got)
	}
	if report, err := verify(t, s); err != nil || report.Size != 3 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestWhateverCallFailsRestoringIsBegunAgain(t *testing.T) {
	for _, call := range []string{"pending", "blocks", "settle", "append"} {
		for n := 1; n <= 2; n++ {
			for _, late := range []bool{false, true} {
				was := newStore()
				commitMany(t, was, 0, 6)
				mustSync(t, journal.NewLog(journal.Config{Store: was}).Within(99, 2))
				s := copyOf(t, was, 0, 7)
				if hook := failingAt(call, n); late {
					s.hook(nil, hook)
				} else {
					s.hook(hook, nil)
				}
				config := journal.Config{Store: s}
				_, err := journal.Restore(t.Context(), config)
				if n == 1 != (err != nil) && call != "blocks" && call != "pending" || err != nil && !fault.Is(err, fault.Unavailable) {
					t.Errorf("%s %d %t: %v", call, n, late, err)
				}
				s.hook(nil, nil)
				restore(t, s)
				mustSync(t, journal.NewLog(journal.Config{Store: s}))
				ids := logged(t, s)
				if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
					t.Errorf("%s %d %t: the log has %v", call, n, late, ids)
				}
				nonePending(t, s)
			}
		}
	}
}

// A server that starts on a restored copy nobody has seen to says what to do,
// rather than log twice what the log has.
func TestAServerThatStartsOnACopyThatWasNotSeenToStops(t *testing.T) {
	was := newStore()
	commitMany(t, was, 0, 4)
	mustSync(t, journal.NewLog(journal.Config{Store: was}).Within(99, 1))
	s := copyOf(t, was, 1, 3)
	l := journal.NewLog(journal.Config{Store: s})
	if _, err := l.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "keywright migrate --restored") || l.Ready(t.Context()) == nil {
		t.Errorf("it syncs: %v", err)
	}
	if ids := logged(t, s); len(ids) != 4 {
		t.Errorf("the log has %v", ids)
	}
	restore(t, s)
	mustSync(t, journal.NewLog(journal.Config{Store: s}))
	nonePending(t, s)
}

// What another server logs in between is no sign of a restored copy.
func TestAServerThatStartsBesideOthersTakesNothingForRestored(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 3)
	other := journal.NewLog(journal.Config{Store: s.Model})
	s.hook(func(call string) error {
		if call == "entries" {
			mustSync(t, other)
		}
		return nil
	}, nil)
	l := journal.NewLog(journal.Config{Store: s})
	if got := mustSync(t, l); got.Size != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAServerThatRanWhileStorageWasRestoredStops(t *testing.T) {
	for name, test := range map[string]struct {
		size    int // of the log that was copied, of four
		restore bool
		grow    int
		want    string
	}{
		"an older copy":                          {2, false, 0, "entry 3: the block that it was read with is not there as it was"},
		"an older copy, and an epoch":            {2, true, 0, "entry 3: the block that it was read with is not there as it was"},
		"an older copy that grew":                {2, false, 9, "entry 3: the block that it was read with is not there as it was"},
		"an older copy that grew in an epoch":    {2, true, 9, "entry 3: the block that it was read with is not there as it was"},
		"a copy with the same log, and an epoch": {4, true, 0, "entry 4: epoch "},
	} {
		t.Run(name, func(t *testing.T) {
			s := &swapped{store: newStore()}
			l := journal.NewLog(journal.Config{Store: s})
			for n := range 4 {
				commitMany(t, s.store, n, n+1)
				mustSync(t, l)
			}
			read := l.State()
			old := newStore()
			for _, b := range blocks(t, s.store)[:test.size] {
				if err := old.Model.AppendBlock(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
			s.store = old
			if test.restore {
				restore(t, s)
			}
			commitMany(t, s.store, 20, 20+test.grow)
			mustSync(t, journal.NewLog(journal.Config{Store: s.store.Model}).Within(99, 1))
			size := len(blocks(t, s))
			commitMany(t, s.store, 40, 41)
			if _, err := l.Sync(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("it syncs: %v", err)
			}
			if err := l.Ready(t.Context()); err == nil || l.State() != read || len(blocks(t, s)) != size {
				t.Errorf("ready: %v; %+v, with %d blocks", err, l.State(), len(blocks(t, s)))
			}
		})
	}
}

// swapped is a store that a test replaces by another under a running server.
type swapped struct{ *store }

func TestACursorOfAnotherEpochIsRefused(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 2)
	before := journal.NewLog(journal.Config{Store: s})
	mustSync(t, before)
	cursor := before.CursorAt(1)
	restore(t, s)
	l := journal.NewLog(journal.Config{Store: s})
	mustSync(t, l)
	if _, err := l.Place(t.Context(), cursor); fieldOf(err) != "after" || !strings.Contains(err.Error(), "before it was restored") {
		t.Errorf("%v", err)
	}
	if index, err := l.Place(t.Context(), l.CursorAt(1)); err != nil || index != 1 {
		t.Errorf("one of this epoch: %d, %v", index, err)
	}
}
