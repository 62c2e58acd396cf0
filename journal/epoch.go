package journal

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/storage"
)

// firstEpoch is the epoch of a log that was never restored.
const firstEpoch = 1

// Restoration is where a log goes on in another epoch, since its storage was
// restored from a copy. The first block of an epoch holds one entry,
// journal.restored, which says this.
//
// Servers that know another epoch know things that are no more. So none goes
// on from one epoch to the next, and cursors and checkpoints name theirs.
type Restoration struct {
	Epoch int64 // greater than those before it, and of this restoration alone
	Size  int64 // entries that the log had
	Root  tlog.Hash
	At    time.Time // when it was, by the clock of who did it
}

// epochAt gives the number of an epoch that begins now: seconds of Unix time,
// since a count would come twice where one copy is restored twice. What is of
// the one history must never be taken for the other's.
func epochAt(now time.Time, before int64) int64 { return max(now.Unix(), before+1) }

// data is what the entry says.
func (r Restoration) data() JournalRestoredData {
	return JournalRestoredData{Epoch: int(r.Epoch), Size: int(r.Size), Root: base64.StdEncoding.EncodeToString(r.Root[:])}
}

// restorationOf reads an entry that begins an epoch.
func restorationOf(stored storage.Entry) (Restoration, error) {
	e, err := Decode(stored)
	if err != nil {
		return Restoration{}, err
	}
	if e.Type != JournalRestored {
		return Restoration{}, fmt.Errorf("its body says %s", e.Type)
	}
	payload, err := e.Type.Payload(e.Data)
	if err != nil {
		return Restoration{}, err
	}
	data, _ := payload.(*JournalRestoredData)
	r := Restoration{Epoch: int64(data.Epoch), Size: int64(data.Size), At: e.At}
	root, err := base64.StdEncoding.Strict().DecodeString(data.Root)
	if err != nil || len(root) != len(r.Root) {
		return Restoration{}, fmt.Errorf("its root, %q, is none", data.Root)
	}
	copy(r.Root[:], root)
	return r, nil
}

// rise goes on to another epoch where the block begins one, and fails with a
// Finding unless that names the log before it. A head alone is no beginning: it
// is found where heads are compared.
func (w *walk) rise(b storage.Block) error {
	if len(b.Entries) == 0 || b.Entries[0].Type != string(JournalRestored) {
		return nil
	}
	h, err := readHead(b)
	if err != nil || h.Log != w.log || h.Epoch <= w.epoch {
		return nil //nolint:nilerr // it is told of by diagnose
	}
	r, err := restorationOf(b.Entries[0])
	switch {
	case err != nil:
		return found(b.First, "epoch %d begins here, with an entry that does not say so: %v", h.Epoch, err)
	case len(b.Entries) != 1:
		return found(b.First, "epoch %d begins here, in a block with other entries", h.Epoch)
	case r.Epoch != h.Epoch:
		return found(b.First, "epoch %d begins here, with an entry that says epoch %d", h.Epoch, r.Epoch)
	case r.Size != w.tree.size || r.Root != w.tree.root():
		return found(b.First, "epoch %d begins here, and the log before it is not the one that it names: that had %d entries and the root %s",
			h.Epoch, r.Size, r.Root)
	}
	w.epoch = h.Epoch
	w.restorations = append(w.restorations, r)
	return nil
}

// begins reports whether the last epoch that the walk has seen begin does so
// with the entry at an index.
func (w *walk) begins(index int64) bool {
	n := len(w.restorations)
	return n > 0 && w.restorations[n-1].Size == index
}

// alike bounds the entries of the log that one which is pending is looked for
// among: the last of its type that concern the same ids.
const alike = 200

// checkNew fails with a Finding where what was pending when this server
// started is in the log, before its last block: then storage holds a restored
// copy that nobody ran Restore on, and would have the log hold entries twice.
func (l *Log) checkNew(ctx context.Context, pending []storage.Pending) error {
	if l.seq.checked {
		return nil
	}
	for _, e := range pending {
		page, err := l.Store.Entries(ctx, storage.EntryQuery{
			Filter: storage.EntryFilter{Types: []string{e.Type}, Subjects: e.Subjects}, Newest: true, First: alike,
		})
		if err != nil {
			return err
		}
		for _, one := range page.Entries {
			if one.ID == e.ID && one.Index < l.seq.last.after.tree.size { // else another server has just logged it
				return found(one.Index, "it is pending all the same: the storage was restored from a copy whose records are older than its journal. "+
					"Stop all servers and run keywright migrate --restored")
			}
		}
	}
	l.seq.checked = true
	return nil
}
