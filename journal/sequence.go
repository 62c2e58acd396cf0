package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/storage"
)

// LogPrefix is the prefix of logs' ids.
const LogPrefix = "log"

// bounds are how much is read, written and kept at once.
type bounds struct {
	pending int // entries of one read
	entries int // of a block
	bytes   int // of a block's bodies; one entry may have more
	blocks  int // of one read
	recent  int // entries that are kept in memory
}

var usualBounds = bounds{pending: storage.MaxBlock, entries: storage.MaxBlock, bytes: 256 << 10, blocks: 8, recent: 8192}

// maxBackOff bounds the wait after a lost race.
const maxBackOff = 250 * time.Millisecond

// errLostRace says that another server appended a block first.
var errLostRace = errors.New("journal: lost a race")

// sequencer is what the sequencing of one server remembers.
//
// What it relies on, and keeps true: an entry that a block holds and that is
// still pending is in the last block. So what a read of pending shows and the
// last block does not hold is in no block, if that block was the last before
// the read began and still is when the next is appended under the index
// behind it. It stays true since nothing is appended before all of the last
// block is settled.
//
// What is remembered from one Sync to the next may be of before the storage was
// set back to a copy. So each Sync finds out anew that the last block is settled,
// and that it is there: another server may make it once more, to the byte, after
// pending was read.
type sequencer struct {
	last    last
	there   bool            // the last block, since the Sync under way began
	settled bool            // all of the last block
	checked bool            // that what was pending when the server started is not in the log
	goal    map[string]bool // ids that the Sync under way waits for; nil until it is known
}

// pending is what a read of pending has shown.
type pending struct {
	entries []storage.Pending
	cut     bool // by the limit: there may be more
}

// sequence is one Sync. Its caller has the turn.
//
// Its goal is what the first read of pending finds that is not cut short: what
// was committed before and is not there was settled, and so is in the log.
func (l *Log) sequence(ctx context.Context) error {
	l.seq.goal, l.seq.there, l.seq.settled = nil, false, false
	if err := l.start(ctx); err != nil {
		return err
	}
	for lost := 0; ; {
		done, err := l.round(ctx)
		if errors.Is(err, errLostRace) {
			backOff(ctx, l.Pace, lost)
			lost++
			continue
		}
		if done || err != nil {
			return err
		}
	}
}

// backOff waits after the nth lost race.
func backOff(ctx context.Context, pace time.Duration, n int) {
	pause(ctx, rand.N(min(maxBackOff, pace<<min(n, 8))+1)) //nolint:gosec // jitter is no secret
}

// round reads pending, reads on, and appends a block if there was none to be
// read. It reports whether the Sync is done.
func (l *Log) round(ctx context.Context) (done bool, err error) {
	there := l.seq.there
	p, err := l.pending(ctx)
	if err != nil {
		return false, err
	}
	news, err := l.readOn(ctx)
	if err != nil || news { // what was read as pending may be in the new blocks
		return l.reached(), err
	}
	held, rest := l.seq.last.split(p.entries)
	if err := l.checkNew(ctx, rest); err != nil {
		return false, err
	}
	if err := l.settleLast(ctx, held, p.cut); err != nil {
		return false, err
	}
	if len(rest) == 0 {
		return !p.cut, nil
	}
	if !there { // when pending was read
		return false, nil
	}
	if err := l.appendAll(ctx, rest); err != nil {
		return l.afterLosing(ctx, err)
	}
	return l.reached(), nil
}

// afterLosing reads on after a lost race: that may be all that was wanted.
func (l *Log) afterLosing(ctx context.Context, err error) (done bool, _ error) {
	if errors.Is(err, errLostRace) {
		if _, failed := l.readOn(ctx); failed != nil {
			return false, failed
		}
		if l.reached() {
			return true, nil
		}
	}
	return false, err
}

// reached reports whether all that the Sync under way waits for was seen in
// the log.
func (l *Log) reached() bool { return l.seq.goal != nil && len(l.seq.goal) == 0 }

// pending reads what is pending, and makes it the goal where that is due.
func (l *Log) pending(ctx context.Context) (pending, error) {
	found, err := l.Store.Pending(ctx, l.bounds.pending)
	if err != nil {
		return pending{}, err
	}
	p := pending{cut: len(found) >= l.bounds.pending}
	once := make(map[string]bool, len(found))
	for _, e := range found {
		if !once[e.ID] {
			once[e.ID] = true
			p.entries = append(p.entries, e)
		}
	}
	if !p.cut && l.seq.goal == nil {
		l.seq.goal = once
		l.arrived(l.seq.last.block)
	}
	return p, nil
}

// arrived takes a block's entries off the goal.
func (l *Log) arrived(b storage.Block) {
	for _, e := range b.Entries {
		delete(l.seq.goal, e.ID)
	}
}

// settleLast settles what a read of pending has shown of the last block, also
// where it was settled: storage may have been set back since. A read that was
// cut may not have shown all, and what is left over would be taken for new once
// there is another block: so all of it is settled, under each id that an entry
// concerns, one of which is its record's.
func (l *Log) settleLast(ctx context.Context, shown []storage.Pending, cut bool) error {
	if l.seq.settled && len(shown) == 0 {
		return nil
	}
	l.seq.settled = false
	if cut {
		for _, e := range l.seq.last.block.Entries {
			for _, record := range e.Subjects {
				shown = append(shown, storage.Pending{Record: record, Entry: e})
			}
		}
	}
	if len(shown) > 0 {
		if err := l.Store.Settle(ctx, shown); err != nil {
			return err
		}
	}
	l.seq.settled = true
	return nil
}

// appendAll appends these entries, block by block, up to what the Sync under
// way waits for. Large ones fill many blocks, and are not read anew for each:
// what was in no block before the first of them is in none of others while
// each takes the place behind the one before.
func (l *Log) appendAll(ctx context.Context, entries []storage.Pending) error {
	for len(entries) > 0 && !l.reached() {
		some := l.bounds.cut(entries)
		if err := l.append(ctx, some); err != nil {
			return err
		}
		entries = entries[len(some):]
	}
	return nil
}

// append appends these entries as a block, and settles them.
func (l *Log) append(ctx context.Context, entries []storage.Pending) error {
	next, err := l.blockOf(entries)
	if err != nil {
		return err
	}
	if err := l.Ready(ctx); err != nil {
		return err
	}
	if err := l.Store.AppendBlock(ctx, next.block); err != nil {
		if fault.Is(err, fault.Conflict) {
			return errLostRace
		}
		return err
	}
	l.take(next)
	if err := l.Store.Settle(ctx, entries); err != nil {
		return err
	}
	l.seq.settled = true
	return nil
}

// cut gives as many of the entries as a block holds, one at least.
func (b bounds) cut(entries []storage.Pending) []storage.Pending {
	bytes := 0
	for n, e := range entries[:min(len(entries), b.entries)] {
		if bytes += len(e.Body); n > 0 && bytes > b.bytes {
			return entries[:n]
		}
	}
	return entries[:min(len(entries), b.entries)]
}

// blockOf makes the block of these entries that follows the last one. It does
// not look into them: one that cannot be decoded is logged like any other.
func (l *Log) blockOf(entries []storage.Pending) (last, error) {
	w := l.seq.last.after
	b := storage.Block{First: w.tree.size, At: l.Now().UTC().Truncate(time.Millisecond)}
	if b.At.Before(w.at) {
		b.At = w.at
	}
	for _, e := range entries {
		b.Entries = append(b.Entries, e.Entry)
	}
	next := last{after: w}
	if b.First == 0 {
		var bits [16]byte
		if _, err := io.ReadFull(l.Random, bits[:]); err != nil {
			return last{}, fmt.Errorf("journal: reading randomness: %w", err)
		}
		next.after.log, next.after.epoch = id.FromUUID(LogPrefix, bits), firstEpoch
	}
	next.after.tree, next.after.at = w.tree.clone(), b.At
	var err error
	b.Head, err = headOf(next.after.log, next.after.epoch, &next.after.tree, b.Entries).encode()
	next.block = b
	return next, err
}
