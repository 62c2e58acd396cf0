package journal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// Verification is what is to be verified. Store is needed.
type Verification struct {
	Store storage.Journal
	// Checkpoints are those that the log must continue, in any order. Whoever
	// gives them has verified their signatures.
	Checkpoints []Checkpoint
	// Records, if not nil, are compared with the digests in their last entries,
	// which are keyed by one of the Secrets.
	Records storage.Reader
	Secrets *secret.List
	// Progress, if not nil, is told now and then how many entries have been
	// verified.
	Progress func(entries int64)
}

// Report is what a verification has seen up to its end, or up to what it
// found wrong.
type Report struct {
	Checkpoint       // of the log as it is; the zero one of an empty log
	Blocks     int64 //
	Covered    int64 // entries that the largest of the checkpoints vouches for
	Records    int64 // that were compared
	Differ     int64 // records that are not as their last entries say, where a restoration explains it
	// Restorations are where the log went on in another epoch.
	Restorations []Restoration
	Unreadable   []Unreadable // the first of them
	Unread       int64        // how many there are
}

// Unreadable is an entry that is as it was logged, and cannot be decoded. It
// does not say what happened, so what it is found by was not compared.
type Unreadable struct {
	Index int64
	Err   error
}

// How many are told of by name.
const (
	maxUnreadable = 10
	maxFindings   = 100 // of records
)

// Verify reads the whole log and recomputes it: that indexes have no gap, that
// the head of each block is of the tree that its entries make, that times of
// blocks do not fall, that no id comes twice, that entries are found by what
// their bodies say, and that the log continues the checkpoints. It stops at
// the first that is wrong, with a Finding. Beside that storage compares what it
// looks entries up by with the log, with a Finding for the first that does not
// fit; and then, if it is asked to, Verify compares the records, with a Finding
// for each that is wrong. These are joined, and with them a Loss for each thing
// that is missing and that a restoration of the storage explains. Other errors
// are storage's, with what is whole before. Changes that are made meanwhile do
// no harm.
func Verify(ctx context.Context, v Verification) (Report, error) {
	run := &verifying{Verification: v, ids: map[idKey]struct{}{}}
	run.Checkpoints = slices.SortedFunc(slices.Values(v.Checkpoints), func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	if v.Records != nil {
		run.last = map[idKey]lastEntry{}
	}
	lookups, stop := checkLookups(ctx, v.Store)
	defer stop()
	err := run.toEnd(ctx)
	if err == nil {
		err = run.allPassed()
	}
	if err == nil {
		err = lookups()
		if v.Records != nil && isFound(err) {
			err = errors.Join(err, run.compareAll(ctx))
		}
	}
	if isFound(err) {
		err = run.tellLosses(err)
	}
	if run.walk.tree.size > 0 {
		run.report.Checkpoint = run.walk.checkpoint()
	}
	run.report.Restorations = run.walk.restorations
	return run.report, err
}

// isFound reports whether a verification went on to its end: whether an error
// is a Finding, or none.
func isFound(err error) bool {
	f := (*Finding)(nil)
	return err == nil || errors.As(err, &f)
}

// verifying is a verification under way.
type verifying struct {
	Verification
	walk    walk
	passed  int          // checkpoints that the log has reached
	apart   []Checkpoint // of those, the ones of other epochs than it was in there
	losses  []*Loss
	report  Report
	ids     map[idKey]struct{}
	last    map[idKey]lastEntry // by record; nil if records are not compared
	scanner scanner
	facts   facts
}

// idKey stands for an id: 16 bytes, however long that is.
type idKey [16]byte

func keyOf[T string | []byte](id T) idKey {
	var buffer [64]byte
	sum := sha256.Sum256(append(buffer[:0], id...))
	return idKey(sum[:16])
}

// toEnd goes on to the end of the log.
func (v *verifying) toEnd(ctx context.Context) error {
	for b, err := range blocksFrom(ctx, v.Store, v.walk.tree.size) {
		if err != nil {
			return fmt.Errorf("the journal is whole before entry %d, and could not be read from there on: %w", v.walk.tree.size, err)
		}
		if err := v.walk.next(b, v.entry); err != nil {
			return err
		}
		if v.report.Blocks == 0 {
			if err := v.sameLog(); err != nil {
				return err
			}
		}
		v.report.Blocks++
		if v.Progress != nil {
			v.Progress(v.walk.tree.size)
		}
	}
	return nil
}

// entry verifies what a block's head does not tell.
func (v *verifying) entry(index int64, e *storage.Entry, _ tlog.Hash) error {
	if err := v.facts.read(&v.scanner, e); err != nil {
		if named := idIn(e.Body); named != "" && named != e.ID {
			return found(index, "it is found by the id %s, and its body says %s: storage was changed", e.ID, named)
		}
		if v.report.Unread++; v.report.Unread <= maxUnreadable {
			v.report.Unreadable = append(v.report.Unreadable, Unreadable{index, err})
		}
	} else {
		if field := v.facts.differs(e); field != "" {
			return found(index, "it is found by another %s than its body says: storage was changed", field)
		}
		if string(v.facts.kind) == string(JournalRestored) && !v.walk.begins(index) {
			return found(index, "it says that the storage was restored, and no epoch begins with it")
		}
		v.remember(index)
	}
	key := keyOf(e.ID)
	if _, twice := v.ids[key]; twice {
		return found(index, "its id, %s, is that of an entry before it", e.ID)
	}
	v.ids[key] = struct{}{}
	return v.pass(index)
}

// idIn gives the id that a body names, if it can be told.
func idIn(body []byte) string {
	var named struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &named) != nil {
		return ""
	}
	return named.ID
}
