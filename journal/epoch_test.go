package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// losses verifies a log that nothing else is wrong with, and gives what
// restorations took from it.
func losses(t *testing.T, store storage.Journal, checkpoints ...journal.Checkpoint) (journal.Report, []string) {
	t.Helper()
	report, err := verify(t, store, checkpoints...)
	var f *journal.Finding
	if errors.As(err, &f) {
		t.Fatal(err)
	}
	var l *journal.Loss
	if err != nil && !errors.As(err, &l) {
		t.Fatal(err)
	}
	if err == nil {
		return report, nil
	}
	return report, strings.Split(err.Error(), "\n")
}

func TestARestoredLogContinuesTheCheckpointsOfBefore(t *testing.T) {
	log := newLog(t, 10, 10)
	r := log.restored()
	log.grow(5)
	report, lost := losses(t, log.store, log.checkpoints...)
	if lost != nil || report.Covered != 26 || report.Epoch != r.Epoch || cmp.Diff([]journal.Restoration{r}, report.Restorations) != "" {
		t.Errorf("%v of %+v", lost, report)
	}
	forged := newLog(t)
	forged.variant = "x"
	forged.grow(10, 10)
	forged.restored()
	wantFinding(t, "rewritten before it", forged.store, 10, "it was rewritten", forged.checkpoints[0], journal.CheckpointOf(logID, 1, &newLog(t, 11).tree))
}

func TestAnEpochThatDoesNotNameTheLogBeforeItIsFound(t *testing.T) {
	other := newLog(t)
	other.variant = "x"
	other.grow(10, 10)
	r := other.restored()
	block := other.blocks()[2]
	for name, test := range map[string]struct {
		change func(b []storage.Block) []storage.Block
		index  int64
		words  string
	}{
		"of another log's root": {func(b []storage.Block) []storage.Block {
			b[2].Entries = block.Entries
			return b
		}, 20, "the log before it is not the one that it names"},
		"of other entries before": {func(b []storage.Block) []storage.Block { return append(other.blocks()[:2], b[2:]...) }, 20, "the log before it is not the one"},
		"cut out before it":       {func(b []storage.Block) []storage.Block { return append(b[:1], b[2:]...) }, 10, "are missing"},
		"taken out": {func(b []storage.Block) []storage.Block {
			b[3].First = 20
			return append(b[:2], b[3])
		}, 20, "the head of the block"},
		"its head of another epoch": {func(b []storage.Block) []storage.Block {
			b[2] = headed(b[2], func(h *blockHead) { h.Epoch++ })
			return b
		}, 20, "an entry that says epoch"},
		"its head of the epoch before": {func(b []storage.Block) []storage.Block {
			b[2] = headed(b[2], func(h *blockHead) { h.Epoch = 1 })
			return b
		}, 20, "it says that the storage was restored, and no epoch begins with it"},
		"found by another type": {func(b []storage.Block) []storage.Block {
			b[2].Entries[0].Type = "license.created"
			return b
		}, 20, "and those before it of"},
		"an entry of another type": {func(b []storage.Block) []storage.Block {
			b[2].Entries[0].Body = b[3].Entries[0].Body
			return b
		}, 20, "an entry that does not say so"},
		"with another entry": {func(b []storage.Block) []storage.Block {
			b[2].Entries = append(b[2].Entries, b[3].Entries[0])
			return b
		}, 21, "an entry of the block was deleted or added"},
		"a rise without an entry": {func(b []storage.Block) []storage.Block {
			b[3] = headed(b[3], func(h *blockHead) { h.Epoch++ })
			return b
		}, 21, "and those before it of"},
		"a fall": {func(b []storage.Block) []storage.Block {
			b[3] = headed(b[3], func(h *blockHead) { h.Epoch = 1 })
			return b
		}, 21, "epoch 1, and those before it of"},
	} {
		log := newLog(t, 10, 10)
		log.restored()
		log.grow(5)
		wantFinding(t, name, log.replace(test.change), test.index, test.words)
	}
	if r.Size != 20 {
		t.Errorf("%+v", r)
	}
}

func TestAnEntryThatSaysRestoredWhereNoEpochBeginsIsFound(t *testing.T) {
	log := newLog(t, 10)
	log.restored()
	entry := log.blocks()[1].Entries[0]
	plain := newLog(t, 10)
	plain.block([]storage.Entry{entry})
	wantFinding(t, "alone", plain.store, 10, "no epoch begins with it")
	plain = newLog(t, 9)
	plain.block([]storage.Entry{plain.entry(9), entry})
	wantFinding(t, "behind another", plain.store, 10, "no epoch begins with it")
}

func TestALogBeginsInTheFirstEpoch(t *testing.T) {
	log := newLog(t)
	log.epoch = 2
	log.grow(3)
	wantFinding(t, "2", log.store, 0, "the log begins in epoch 2")
}

func TestEntriesThatARestorationLeftOutAreCounted(t *testing.T) {
	before := newLog(t, 10, 10, 10)
	log := newLog(t, 10)
	r := log.restored()
	for range 2 { // and again once it has grown beyond
		report, lost := losses(t, log.store, before.checkpoints...)
		want := "the log was restored at size 10 (epoch 1795262402) on 2026-11-21T12:00:02.000Z; 20 entries of the checkpoint's log are gone: it had 30 in epoch 1"
		if diff := cmp.Diff([]string{want}, lost); diff != "" || report.Covered != 10 || r.Size != 10 {
			t.Errorf("covered are %d; %s", report.Covered, diff)
		}
		log.grow(40)
	}
}

// A log that was restored twice, from different copies, knows nothing of the
// epoch in between.
func TestCheckpointsOfAnEpochThatIsGoneAreLosses(t *testing.T) {
	between := newLog(t, 10)
	between.at = between.at.Add(seconds(5))
	between.restored()
	between.grow(20)
	log := newLog(t, 10, 5)
	log.at = log.at.Add(seconds(60))
	log.restored()
	log.grow(30)
	_, lost := losses(t, log.store, between.checkpoints...)
	if len(lost) != 1 || !strings.Contains(lost[0], "at least 16 entries of the checkpoint's log are gone") {
		t.Errorf("%q", lost)
	}
	_, lost = losses(t, log.store, between.checkpoints[1])
	if len(lost) != 1 || !strings.Contains(lost[0], "entries of that are gone") {
		t.Errorf("%q", lost)
	}
	wantFinding(t, "not restored", newLog(t, 50).store, journal.Nowhere, "never came to", between.checkpoints[1])
	wantFinding(t, "not restored, and short", newLog(t, 10).store, 10, "the last 1 were cut off", between.checkpoints[1])
}

// What a restoration does not explain is no loss.
func TestARestorationHidesNothingElse(t *testing.T) {
	log := newLog(t, 10)
	log.restored()
	log.grow(9)
	late := log.checkpoints[len(log.checkpoints)-1]
	cut := log.replace(func(b []storage.Block) []storage.Block { return b[:2] })
	wantFinding(t, "cut off behind it", cut, 11, "the last 9 were cut off", late)
	early := journal.Checkpoint{Log: late.Log, Epoch: late.Epoch, Size: 8, Root: late.Root}
	wantFinding(t, "an epoch that began sooner", log.store, journal.Nowhere, "which here begins behind them", early)
	log.restored()
	wantFinding(t, "and ended", log.store, journal.Nowhere, "which here begins behind them", early)
	rewritten := newLog(t, 10)
	rewritten.restored()
	rewritten.variant = "x"
	rewritten.grow(9)
	wantFinding(t, "rewritten behind it", rewritten.store, 0, "before entry 20", late)
}

func TestACheckpointerGoesOnInAnotherEpochWhereNothingIsGone(t *testing.T) {
	log := newLog(t, 10, 10)
	before := newCheckpointer(t, log, nil)
	before.signedNow(t)
	r := log.restored()
	anew := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.File = before.File })
	if err := anew.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := anew.signedNow(t)
	if got != log.checkpoint() || got.Epoch != r.Epoch || !strings.HasPrefix(anew.Latest(), "keywright/journal/"+logID+"/1795262403\n") {
		t.Errorf("%+v, %s", got, anew.Latest())
	}
	log.grow(3)
	if got := anew.signedNow(t); got != log.checkpoint() {
		t.Errorf("%+v", got)
	}
}

// Which epoch it is the Checkpointer has seen at its start, and need not have
// signed anything.
func TestACheckpointerThatRanWhileStorageWasRestoredSignsNoMore(t *testing.T) {
	for name, begin := range map[string]func(*checkpointing) error{
		"has looked": func(c *checkpointing) error { return c.Check(t.Context()) },
		"has signed": func(c *checkpointing) error { _, err := c.SignNow(t.Context()); return err },
	} {
		log := newLog(t, 10, 10)
		c := newCheckpointer(t, log, nil)
		if err := begin(c); err != nil {
			t.Fatal(err)
		}
		log.restored()
		other := newCheckpointer(t, log, func(config *journal.CheckpointerConfig) { config.File = c.File })
		other.signedNow(t) // a server that was started anew, and shares the file
		log.grow(1)
		c.wantBroken(t, name, "the storage was restored while this server ran")
		if err := other.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestOnceItsFileIsMovedAwayACheckpointerSignsARestoredLog(t *testing.T) {
	log := newLog(t, 10, 10)
	before := newCheckpointer(t, log, nil)
	before.signedNow(t)
	old := newLog(t, 10)
	old.restored()
	same := func(c *journal.CheckpointerConfig) { c.File = before.File }
	if err := newCheckpointer(t, old, same).Check(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	if err := os.Rename(before.File, filepath.Join(t.TempDir(), "moved")); err != nil {
		t.Fatal(err)
	}
	if got := newCheckpointer(t, old, same).signedNow(t); got != old.checkpoint() {
		t.Errorf("%+v", got)
	}
}

// Whatever the copies of records and of the log are of different times, it is
// told as what a restoration left, and as nothing else.
func TestRecordsThatDoNotFitARestoredLogAreTold(t *testing.T) {
	k := newKeeping(t)
	k.catalogue(4)
	suspended := func(n int) storage.Record {
		r := licenseRecord(n)
		r.Version, r.Index.State = 1, "suspended"
		return r
	}
	k.commit(suspended(0), journal.LicenseSuspended, 0)
	k.sequence()
	older, newer, gone, another := licenseRecord(0), suspended(1), licenseRecord(2), licenseRecord(9)
	older.Version = 2
	k.commit(older, "", 0)   // as the records of an older copy have it
	k.commit(newer, "", 0)   // as those of a newer copy have it
	k.commit(another, "", 0) // which that has alone
	gone.Version, gone.Index.State, gone.Index.Due = 1, storage.Deleted, noon
	k.commit(gone, "", 0)
	if n, err := k.store.Sweep(t.Context(), noon.Add(1), 10); n != 1 || err != nil { // which an older copy has not
		t.Fatal(n, err)
	}
	k.commit(suspended(3), journal.LicenseSuspended, 0)
	k.sequence()
	k.wantRecords(
		"lic_0: it is not what entry 6, its last, left: it was changed without an entry",
		"lic_1: it is not what entry 3, its last, left: it was changed without an entry",
		"lic_9: no entry of the journal names it",
		"lic_2: it is not in storage, and entry 4, its last, does not say that it was removed",
	)
	r := k.restored()
	report, err := k.verify(k.store)
	want := strings.Join([]string{
		"lic_0: it is not what entry 6, its last, left: it was changed without an entry; " +
			"it is as an entry before that left it, so the records that were restored are older than the log, which was at 8 entries",
		"lic_1: it is not what entry 3, its last, left: it was changed without an entry; " +
			"entries of it may have been lost when the log was restored at 8 entries",
		"lic_9: no entry of the journal names it; its entries may have been lost when the log was restored at 8 entries",
		"lic_2: it is not in storage, and entry 4, its last, does not say that it was removed; " +
			"the records that were restored may be older than the log, which was at 8 entries",
	}, "\n")
	var f *journal.Finding
	var l *journal.Loss
	if diff := cmp.Diff(want, err.Error()); diff != "" || errors.As(err, &f) || !errors.As(err, &l) || l.At != r || report.Differ != 4 {
		t.Errorf("%d differ: %s", report.Differ, diff)
	}
	// What is changed without an entry behind that it does not explain.
	changed := suspended(3)
	changed.Version, changed.Index.State = 2, "issued"
	changed = k.commit(changed, journal.LicenseReinstated, 0)
	k.sequence()
	changed.Index.State = "revoked"
	k.commit(changed, "", 0)
	if _, err := k.verify(k.store); !errors.As(err, &f) || !strings.HasPrefix(f.Problem, "lic_3: it is not what entry 9, its last, left") {
		t.Errorf("%v", err)
	}
}
