package journal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// checkpointing is a Checkpointer over a log that a test writes.
type checkpointing struct {
	*journal.Checkpointer
	log  *written
	out  bytes.Buffer // read once nothing runs
	said bytes.Buffer
}

func newCheckpointer(t *testing.T, log *written, change func(c *journal.CheckpointerConfig)) *checkpointing {
	t.Helper()
	c := &checkpointing{log: log}
	config := journal.CheckpointerConfig{
		Store: log.store, Size: log.size.Load, Key: key(t), File: filepath.Join(t.TempDir(), "checkpoint"),
		Out: &c.out, Log: slog.New(slog.NewTextHandler(&c.said, nil)),
	}
	if change != nil {
		change(&config)
	}
	c.Checkpointer = journal.NewCheckpointer(config)
	return c
}

// signedNow signs and gives the checkpoint, of which the file has the note.
func (c *checkpointing) signedNow(t *testing.T) journal.Checkpoint {
	t.Helper()
	note, err := c.SignNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(c.File)
	if err != nil || string(kept) != note || c.Latest() != note {
		t.Errorf("the file has %q, %v; the latest is %q", kept, err, c.Latest())
	}
	got, err := c.Key.Verifier().Checkpoint(note)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantBroken fails unless nothing is signed any more, for a reason.
func (c *checkpointing) wantBroken(t *testing.T, what, reason string) {
	t.Helper()
	before := c.out.Len()
	_, err := c.SignNow(t.Context())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), reason) || !fault.Is(c.Ready(t.Context()), fault.Unavailable) {
		t.Errorf("%s: %v; ready: %v", what, err, c.Ready(t.Context()))
	}
	if c.out.Len() != before || !strings.Contains(c.said.String(), "level=ERROR") {
		t.Errorf("%s: written %q; said %s", what, &c.out, &c.said)
	}
	if message := fault.All(c.Ready(t.Context()))[0].Message; strings.Contains(message, c.File) || !strings.Contains(message, "keywright journal verify") {
		t.Errorf("%s: the message is %q", what, message)
	}
}

func TestACheckpointIsSignedOfTheLogAsItIs(t *testing.T) {
	log := newLog(t, 3, 1)
	c := newCheckpointer(t, log, nil)
	if diff := cmp.Diff(log.checkpoint(), c.signedNow(t)); diff != "" {
		t.Error(diff)
	}
	log.grow(5, 70)
	if diff := cmp.Diff(log.checkpoint(), c.signedNow(t)); diff != "" {
		t.Error(diff)
	}
	c.signedNow(t) // nothing new
	lines := c.out.String()
	if got, err := c.Key.Verifier().Notes(lines); err != nil || len(got) != 2 || strings.Count(lines, "\n") != 2 || got[1].Checkpoint != log.checkpoint() {
		t.Errorf("%+v, %v of\n%s", got, err, lines)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnEmptyLogHasNoCheckpoint(t *testing.T) {
	c := newCheckpointer(t, newLog(t), nil)
	if note, err := c.SignNow(t.Context()); note != "" || err != nil {
		t.Errorf("%q, %v", note, err)
	}
	if _, err := os.Stat(c.File); err == nil {
		t.Error("there is a file")
	}
}

func TestAnotherServerGoesOnFromTheFile(t *testing.T) {
	log := newLog(t, 3)
	first := newCheckpointer(t, log, nil)
	second := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.File = first.File })
	first.signedNow(t)
	log.grow(4)
	if got := second.signedNow(t); got.Size != 7 {
		t.Errorf("%+v", got)
	}
	if got := first.signedNow(t); got.Size != 7 || strings.Count(first.out.String(), "\n") != 1 {
		t.Errorf("%+v, and written: %s", got, &first.out)
	}
}

func TestALogThatDoesNotContinueItsCheckpointIsSignedNoMore(t *testing.T) {
	for name, test := range map[string]struct {
		become func(t *testing.T) storage.Journal
		reason string
	}{
		"cut":  {func(t *testing.T) storage.Journal { return newLog(t, 10).store }, "entry 10: the log ends here"},
		"gone": {func(t *testing.T) storage.Journal { return newLog(t).store }, "the log has no entries"},
		"rewritten": {func(t *testing.T) storage.Journal {
			log := newLog(t)
			log.variant = "x"
			log.grow(10, 10, 10)
			return log.store
		}, "rewritten before entry 20"},
		"another": {func(t *testing.T) storage.Journal {
			log := newLog(t)
			log.log = "log_other"
			log.grow(10, 20)
			return log.store
		}, "another log stands in its place"},
		"restored": {func(t *testing.T) storage.Journal {
			log := newLog(t, 10)
			log.restored()
			return log.store
		}, "entry 10: the log was restored at size 10 (epoch 1795262402) on 2026-11-21T12:00:02.000Z; 10 entries of the checkpoint's log are gone: " +
			"it had 20 in epoch 1. If that was done on purpose, move checkpointFile away"},
		"restored and grown": {func(t *testing.T) storage.Journal {
			log := newLog(t, 10)
			log.restored()
			log.grow(20)
			return log.store
		}, "the log was restored at size 10 (epoch 1795262402)"},
		"of an epoch that nothing begins": {func(t *testing.T) storage.Journal {
			log := newLog(t, 10)
			log.epoch = 2
			log.grow(10, 20)
			return log.store
		}, "the checkpoint at 20 entries has another root"},
		"bad since": {func(t *testing.T) storage.Journal {
			return newLog(t, 10, 10, 10).replace(func(b []storage.Block) []storage.Block {
				b[2].Entries[4].Body[7] ^= 1
				return b
			})
		}, "entry 24: it is not what was logged here"},
		"a head before it": {func(t *testing.T) storage.Journal {
			return newLog(t, 10, 10, 10).replace(func(b []storage.Block) []storage.Block {
				b[1].Head = b[0].Head
				return b
			})
		}, "entry 10: the head of the block"},
	} {
		t.Run(name, func(t *testing.T) {
			log := newLog(t, 10, 10)
			before := newCheckpointer(t, log, nil)
			before.signedNow(t)
			become := test.become(t)
			same := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.Store, c.File = become, before.File })
			same.wantBroken(t, "while it runs", test.reason)
			if name == "bad since" {
				return // which is seen by the next signing alone
			}
			start := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.Store, c.File = become, before.File })
			if err := start.Check(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("at start: %v", err)
			}
			start.wantBroken(t, "after a start", "")
		})
	}
}

func TestAFileThatHoldsNoNoteOfTheKeyEndsTheSigning(t *testing.T) {
	log := newLog(t, 10)
	for name, text := range map[string]string{
		"empty": "", "nothing": "x", "another key": signed(t, otherKey(t), log.checkpoint()), "far too large": strings.Repeat("x", 1<<20),
	} {
		c := newCheckpointer(t, log, nil)
		if err := os.WriteFile(c.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.wantBroken(t, name, "holds none that checkpointKey has signed")
	}
}

func TestALostFileIsMadeUpForByMemory(t *testing.T) {
	log := newLog(t, 10, 10)
	other := newLog(t, 10)
	other.variant = "x"
	other.grow(10, 10)
	store := &switched{Journal: log.store}
	c := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.Store = store })
	c.signedNow(t)
	if err := os.Remove(c.File); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Errorf("the log is as it was: %v", err)
	}
	store.Journal = other.store
	c.wantBroken(t, "another log", "rewritten before entry 20")
}

// switched is a storage that a test may replace by another.
type switched struct{ storage.Journal }

func TestAFileThatCannotBeWrittenIsToldOfAndTriedAgain(t *testing.T) {
	log := newLog(t, 10)
	dir := t.TempDir()
	c := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.File = filepath.Join(dir, "nowhere", "checkpoint") })
	if note, err := c.SignNow(t.Context()); !fault.Is(err, fault.Unavailable) || note != "" || c.out.Len() > 0 {
		t.Errorf("%q, %v, and written: %s", note, err, &c.out)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "nowhere"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.signedNow(t)
}

func TestACheckpointIsSignedOnceThereIsSomethingNewForLongOrMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t)
		c := newCheckpointer(t, log, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Run(ctx)
		}()
		steps := []struct {
			grow []int
			wait time.Duration
			want int
		}{
			{nil, time.Minute, 0},
			{[]int{1}, 300 * time.Millisecond, 1}, // the last was long ago
			{[]int{1}, 9 * time.Second, 1},
			{nil, 2 * time.Second, 2},
			{[]int{999}, 8 * time.Second, 2},
			{[]int{1}, 300 * time.Millisecond, 1002},
			{nil, time.Hour, 1002},
		}
		for i, step := range steps {
			log.grow(step.grow...)
			time.Sleep(step.wait) //nolint:forbidigo // the clock of synctest
			synctest.Wait()
			got := 0
			if note := c.Latest(); note != "" {
				at, err := c.Key.Verifier().Checkpoint(note)
				if err != nil {
					t.Fatal(err)
				}
				got = int(at.Size)
			}
			if got != step.want {
				t.Errorf("after step %d: %d entries are signed, want %d", i, got, step.want)
			}
		}
		log.grow(7)
		cancel()
		<-ended
		if got, err := c.Key.Verifier().Checkpoint(c.Latest()); err != nil || got != log.checkpoint() {
			t.Errorf("at the end: %+v, %v", got, err)
		}
	})
}

func TestAStorageThatFailsIsTriedAgain(t *testing.T) {
	log := newLog(t, 10)
	store := &switched{Journal: failing{}}
	c := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) { c.Store = store })
	if _, err := c.SignNow(t.Context()); !fault.Is(err, fault.Unavailable) || c.Ready(t.Context()) != nil {
		t.Errorf("%v; ready: %v", err, c.Ready(t.Context()))
	}
	store.Journal = log.store
	c.signedNow(t)
}

// failing is a storage that does not answer.
type failing struct{ storage.Journal }

func (failing) Blocks(context.Context, int64, int) ([]storage.Block, error) {
	return nil, fault.Wrap(fault.Unavailable, errors.New("no answer"), "storage is unavailable")
}
