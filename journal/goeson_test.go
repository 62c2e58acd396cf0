package journal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
)

// In these tests the storage is set back, under servers that run on, to a copy
// that is of one moment: its first entry was logged just then, and is pending.

func TestABlockThatAnotherServerMakesOnceMoreIsNotTakenForTheOneThatWasThere(t *testing.T) {
	s := newStore()
	config := journal.Config{Store: s, Now: func() time.Time { return noon }}
	one, other := journal.NewLog(config), journal.NewLog(config)
	ids := commitMany(t, s, 0, 1)
	mustSync(t, one)
	older := copyOf(t, s, 0, 2)
	ids = append(ids, commitMany(t, s, 1, 2)...)
	was := mustSync(t, other)

	s.Model = older.Model
	s.hook(func(call string) error {
		if call == "blocks" { // it has read what is pending
			s.hook(nil, nil)
			if now := mustSync(t, one); now != was {
				t.Errorf("the log is another: %+v, %+v", was, now)
			}
		}
		return nil
	}, nil)
	mustSync(t, other)
	if diff := cmp.Diff(ids, logged(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestAReadThatIsCutDoesNotHideWhatACopyHasTwice(t *testing.T) {
	s := newStore()
	l := journal.NewLog(journal.Config{Store: s}).Within(1, 1)
	ids := commitMany(t, s, 0, 1)
	mustSync(t, l)
	older := copyOf(t, s, 1, 2) // which comes first
	ids = append(ids, happened(t, 1).ID)
	commitMany(t, older, 0, 1)

	s.Model = older.Model
	mustSync(t, l)
	if diff := cmp.Diff(ids, logged(t, s)); diff != "" {
		t.Error(diff)
	}
	nonePending(t, s)
}
