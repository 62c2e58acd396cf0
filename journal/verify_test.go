package journal_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

func verify(t *testing.T, store storage.Journal, checkpoints ...journal.Checkpoint) (journal.Report, error) {
	t.Helper()
	return journal.Verify(t.Context(), journal.Verification{Store: store, Checkpoints: checkpoints})
}

// wantFinding fails unless verification finds the first bad entry, and says so
// in words that hold a text.
func wantFinding(t *testing.T, what string, store storage.Journal, index int64, words string, checkpoints ...journal.Checkpoint) {
	t.Helper()
	report, err := verify(t, store, checkpoints...)
	var f *journal.Finding
	if !errors.As(err, &f) || f.Index != index || !strings.Contains(f.Problem, words) {
		t.Errorf("%s: got %v after %d entries, want entry %d: ...%s...", what, err, report.Size, index, words)
	}
}

func TestAWholeLogIsVerified(t *testing.T) {
	log := newLog(t, 3, 1, 5, 40)
	var told []int64
	got, err := journal.Verify(t.Context(), journal.Verification{
		Store: log.store, Checkpoints: []journal.Checkpoint{log.checkpoints[2], log.checkpoints[0], log.checkpoints[1]}, Progress: func(n int64) { told = append(told, n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := journal.Report{Checkpoint: log.checkpoint(), Blocks: 4, Covered: 9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{3, 4, 9, 49}, told); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyLogIsWholeUnlessACheckpointSaysOtherwise(t *testing.T) {
	log := newLog(t)
	if got, err := verify(t, log.store); err != nil || got.Size != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	log.grow(3)
	wantFinding(t, "all is gone", newLog(t).store, 0, "the last 3 were cut off", log.checkpoint())
}

func TestAByteChangedInAnyPlaceOfAnEntryIsFound(t *testing.T) {
	log := newLog(t, 2, 3)
	for i, b := range log.blocks() {
		for j, e := range b.Entries {
			for at := range e.Body {
				store := log.replace(func(blocks []storage.Block) []storage.Block {
					blocks[i].Entries[j].Body[at] ^= 1 << (at % 8)
					return blocks
				})
				wantFinding(t, "a bit", store, b.First+int64(j), "it is not what was logged here")
			}
		}
	}
}

func TestAByteChangedInAnyPlaceOfAHeadIsFound(t *testing.T) {
	log := newLog(t, 2, 3)
	for i, b := range log.blocks() {
		for at := range b.Head {
			for bit := range 8 {
				store := log.replace(func(blocks []storage.Block) []storage.Block {
					blocks[i].Head[at] ^= 1 << bit
					return blocks
				})
				_, err := verify(t, store)
				var f *journal.Finding
				if !errors.As(err, &f) || f.Index < b.First || f.Index >= b.Next() {
					// The log's id and epoch stand in every head: where the first is wrong, the second is found.
					if f == nil || i > 0 || f.Index != log.blocks()[1].First || !strings.Contains(f.Problem, "and those before it of") {
						t.Errorf("bit %d of byte %d of the head at %d: %v", bit, at, b.First, err)
					}
				}
			}
		}
	}
}

func TestAByteChangedInWhatAnEntryIsFoundByIsFound(t *testing.T) {
	log := newLog(t, 2, 3)
	tags := map[string]func(e *storage.Entry) *string{
		"id":      func(e *storage.Entry) *string { return &e.ID },
		"type":    func(e *storage.Entry) *string { return &e.Type },
		"actor":   func(e *storage.Entry) *string { return &e.Actor },
		"product": func(e *storage.Entry) *string { return &e.Product },
		"subject": func(e *storage.Entry) *string { return &e.Subjects[1] },
	}
	for name, tag := range tags {
		for at := range *tag(&log.blocks()[1].Entries[1]) {
			store := log.replace(func(blocks []storage.Block) []storage.Block {
				text := tag(&blocks[1].Entries[1])
				changed := []byte(*text)
				changed[at] ^= 1
				*text = string(changed)
				return blocks
			})
			if name != "id" {
				wantFinding(t, name, store, 3, "it is found by another "+name)
				continue
			}
			wantFinding(t, name, store, 3, "and its body says evt_00000000000000000000000003")
		}
	}
}

func TestADeletedBlockIsFound(t *testing.T) {
	log := newLog(t, 2, 3, 4, 5)
	without := func(i int) storage.Journal {
		return log.replace(func(blocks []storage.Block) []storage.Block { return slices.Delete(blocks, i, i+1) })
	}
	wantFinding(t, "the first", without(0), 0, "the entries 0 to 1 are missing")
	wantFinding(t, "the second", without(1), 2, "the entries 2 to 4 are missing")
	wantFinding(t, "the last", without(3), 9, "the last 5 were cut off", log.checkpoints...)
	if _, err := verify(t, without(3), log.checkpoints[:3]...); err != nil {
		t.Errorf("what no checkpoint has seen cannot be missed: %v", err)
	}
}

func TestADeletedAddedOrMovedEntryIsFound(t *testing.T) {
	log := newLog(t, 2, 4, 3)
	swap := func(a, b *storage.Entry) { *a, *b = *b, *a }
	for name, test := range map[string]struct {
		change func(b []storage.Block) []storage.Block
		index  int64
		words  string
	}{
		"deleted": {func(b []storage.Block) []storage.Block {
			b[1].Entries = slices.Delete(b[1].Entries, 1, 2)
			return b
		}, 3, "an entry of the block was deleted or added"},
		"deleted at the end": {func(b []storage.Block) []storage.Block {
			b[1].Entries = b[1].Entries[:3]
			return b
		}, 5, "it was deleted from its block"},
		"added": {func(b []storage.Block) []storage.Block {
			b[1].Entries = append(b[1].Entries, log.entry(99))
			return b
		}, 6, "an entry of the block was deleted or added"},
		"swapped in a block": {func(b []storage.Block) []storage.Block {
			swap(&b[1].Entries[1], &b[1].Entries[3])
			return b
		}, 3, "it is not what was logged here"},
		"swapped over blocks": {func(b []storage.Block) []storage.Block {
			swap(&b[0].Entries[1], &b[2].Entries[0])
			return b
		}, 1, "it is not what was logged here"},
		"blocks swapped": {func(b []storage.Block) []storage.Block {
			b[1].Entries, b[2].Entries = b[2].Entries, b[1].Entries
			return b
		}, 2, "it is not what was logged here"},
		"a block within another": {func(b []storage.Block) []storage.Block {
			return slices.Insert(b, 2, storage.Block{First: 4, At: b[1].At, Head: b[1].Head, Entries: b[1].Entries[2:]})
		}, 4, "a block begins here within another"},
	} {
		wantFinding(t, name, log.replace(test.change), test.index, test.words)
	}
}

func TestAHeadThatIsMadeAnewIsFoundByItsTree(t *testing.T) {
	log := newLog(t, 2, 4)
	forged := func(tree journal.Tree, id string, epoch int64) storage.Journal {
		return log.replace(func(b []storage.Block) []storage.Block {
			b[1].Head = journal.NextBlock(id, epoch, &tree, b[1].Entries).Head
			return b
		})
	}
	other := newLog(t)
	other.variant = "x"
	other.grow(2)
	first := newLog(t, 2)
	wantFinding(t, "another tree", forged(other.tree, logID, 1), 2, "does not continue the tree before it")
	wantFinding(t, "another log", forged(first.tree, "log_9", 1), 2, "is of the log log_9, epoch 1, and those before it of "+logID)
	wantFinding(t, "another epoch", forged(newLog(t, 2).tree, logID, 2), 2, "epoch 2")
}

func TestTimesThatFallAreFound(t *testing.T) {
	log := newLog(t, 2, 4)
	wantFinding(t, "earlier", log.replace(func(b []storage.Block) []storage.Block {
		b[1].At = b[0].At.Add(-time.Millisecond)
		return b
	}), 2, "was made at 2026-11-21T12:00:00.999Z, before the one in front of it")
	if _, err := verify(t, log.replace(func(b []storage.Block) []storage.Block {
		b[1].At = b[0].At
		return b
	})); err != nil {
		t.Errorf("at the same time: %v", err)
	}
}

func TestAnIDThatComesTwiceIsFound(t *testing.T) {
	log := newLog(t, 3, 2)
	log.block([]storage.Entry{log.entry(5), log.entry(1)})
	wantFinding(t, "twice", log.store, 6, "is that of an entry before it")
}

func TestAnEntryThatCannotBeDecodedIsToldOfAndDoesNotEndIt(t *testing.T) {
	log := newLog(t, 3)
	bad := log.entry(3)
	bad.Body = []byte(`{"unknown":1}`)
	log.block([]storage.Entry{bad})
	log.entries++
	log.grow(2)
	report, err := verify(t, log.store, log.checkpoint())
	if err != nil || report.Size != 6 || report.Unread != 1 || report.Unreadable[0].Index != 3 || report.Unreadable[0].Err == nil {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestALogThatWasRewrittenAsAWholeIsFoundByCheckpoints(t *testing.T) {
	log := newLog(t, 10, 10, 10)
	seen := log.checkpoints
	forged := newLog(t, 10)
	forged.variant = "x" // as who has the database and this program could make it
	forged.grow(10, 10, 10)
	if _, err := verify(t, forged.store); err != nil {
		t.Fatalf("by itself it is whole: %v", err)
	}
	wantFinding(t, "the last alone", forged.store, 0, "or later, but before entry 30", seen[2])
	wantFinding(t, "all", forged.store, 10, "from here on or later, but before entry 20: the checkpoint at 20 entries", seen...)
	exact := journal.CheckpointOf(logID, 1, &newLog(t, 10, 1).tree)
	wantFinding(t, "one exactly", forged.store, 10, "it was rewritten, with all that follows", exact, seen[0])
}

func TestAnOldCopyThatGrewAgainIsFound(t *testing.T) {
	log := newLog(t, 10, 10)
	restored := newLog(t, 10)
	restored.variant = " after the copy"
	wantFinding(t, "before it grew", restored.store, 10, "the last 10 were cut off, or an old copy was restored", log.checkpoints...)
	restored.grow(3)
	wantFinding(t, "shorter still", restored.store, 13, "the last 7 were cut off, or an old copy was restored", log.checkpoints...)
	restored.grow(30)
	wantFinding(t, "grown over it", restored.store, 10, "before entry 20: the checkpoint at 20 entries has another root", log.checkpoints...)
}

func TestAnotherLogIsNamed(t *testing.T) {
	log, other := newLog(t, 5), newLog(t)
	other.log = "log_other"
	other.grow(9)
	wantFinding(t, "log", other.store, journal.Nowhere, "another log stands in its place", log.checkpoint())
}

func TestAStorageThatFailsIsNoFinding(t *testing.T) {
	log := newLog(t, 5)
	if err := log.store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := verify(t, log.store)
	var f *journal.Finding
	if err == nil || errors.As(err, &f) {
		t.Errorf("%v", err)
	}
}
