package dump

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// The bounds of what is loaded at once.
const (
	batchRecords = 1_000
	batchBytes   = 4 << 20
)

// Loaded is what a load has brought, and has verified.
type Loaded struct {
	Counts
	Log     *Log
	Sampled int // records that were read back and are as the stream said
}

// Load reads a stream into a store that is migrated and empty, and verifies
// what is there then. From its first change until all of that is done the store
// is Unfinished, and stays so where it fails. The error says what to do. Where
// it fails from may go on being read, and what comes of that is lost.
func Load(ctx context.Context, s storage.Store, from io.Reader, tell Progress) (Loaded, error) {
	stream, end := until(ctx, from)
	defer end()
	r, err := NewReader(stream)
	if err != nil {
		return Loaded{}, err
	}
	if err := empty(ctx, s); err != nil {
		return Loaded{}, err
	}
	now, err := s.Clock(ctx)
	if err != nil {
		return Loaded{}, err
	}
	begun, err := mark(ctx, s, r.Header, now)
	if err != nil {
		return Loaded{}, err
	}
	l := &loading{store: s, stream: r, tell: tell}
	if tell == nil {
		l.tell = func(Step) {}
	}
	sampled, err := l.all(ctx)
	if err == nil {
		err = unmark(ctx, s, begun)
	}
	if err != nil {
		return Loaded{}, fmt.Errorf("%w\nThe storage is incomplete now, and no server starts on it: make it anew before the next load", err)
	}
	return Loaded{Counts: r.Counts, Log: r.Log, Sampled: sampled}, nil
}

// until gives what is read, and no more once ctx ends: a read of a pipe waits
// for whoever writes to that, which nothing here can end.
func until(ctx context.Context, from io.Reader) (stream *io.PipeReader, end func()) {
	stream, to := io.Pipe()
	go func() {
		_, err := io.Copy(to, from)
		_ = to.CloseWithError(err)
	}()
	leave := context.AfterFunc(ctx, func() { _ = to.CloseWithError(ctx.Err()) })
	return stream, func() {
		leave()
		_ = stream.Close()
	}
}

// empty fails unless nothing is in a store.
func empty(ctx context.Context, s storage.Store) error {
	if err := Unfinished(ctx, s); err != nil {
		return err
	}
	some, err := s.Dump(ctx, "", 1)
	if err != nil {
		return err
	}
	last, err := s.Blocks(ctx, storage.LastBlock, 1)
	if err != nil {
		return err
	}
	if len(some) > 0 || len(last) > 0 {
		return fault.Errorf(fault.Conflict, "storage is not empty: a dump is loaded into an empty one only")
	}
	return nil
}

// loading is a load under way.
type loading struct {
	store  storage.Store
	stream *Reader
	tell   Progress
	sample sample

	endRecords func(context.Context) error // nil where there is nothing to end
}

// all loads the stream to its end and verifies.
func (l *loading) all(ctx context.Context) (sampled int, err error) {
	if bulk, hasBulk := l.store.(storage.Bulk); hasBulk {
		if err := bulk.BeginLoad(ctx); err != nil {
			return 0, err
		}
		l.endRecords = bulk.EndLoad
	}
	for b, err := range l.batches(ctx) {
		if err != nil {
			return 0, err
		}
		if err := l.load(ctx, b); err != nil {
			return 0, err
		}
		l.tell(b.step)
	}
	if err := l.recordsEnd(ctx); err != nil {
		return 0, err
	}
	return l.verify(ctx)
}

// recordsEnd is called before the first block, and at the end.
func (l *loading) recordsEnd(ctx context.Context) error {
	if l.endRecords == nil {
		return nil
	}
	end := l.endRecords
	l.endRecords = nil
	return end(ctx)
}

func (l *loading) entries() int64 {
	if l.stream.Log == nil {
		return 0
	}
	return l.stream.Log.Entries
}

// batch is what is loaded at once.
type batch struct {
	records []storage.Whole
	blocks  []storage.Block
	step    Step // to its end
}

// batches reads the stream, ahead of the storage.
func (l *loading) batches(ctx context.Context) func(func(batch, error) bool) {
	return readAhead(ctx, func(context.Context) ([]batch, error) {
		var b batch
		for size := 0; size < batchBytes && len(b.records) < batchRecords; {
			i, err := l.stream.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			if i.Record != nil {
				if err := l.sample.offer(i.Record); err != nil {
					return nil, err
				}
				b.records = append(b.records, *i.Record)
			} else {
				b.blocks = append(b.blocks, *i.Block)
			}
			size += i.Size
		}
		if len(b.records)+len(b.blocks) == 0 {
			return nil, nil
		}
		b.step = Step{What: "records", Done: l.stream.All()}
		if len(b.blocks) > 0 {
			b.step = Step{"entries", l.stream.Entries, l.entries()}
		}
		return []batch{b}, nil
	})
}

func (l *loading) load(ctx context.Context, b batch) error {
	if len(b.records) > 0 {
		if err := l.store.Load(ctx, b.records); err != nil {
			return err
		}
	}
	if len(b.blocks) > 0 {
		if err := l.recordsEnd(ctx); err != nil {
			return err
		}
	}
	for _, block := range b.blocks {
		if err := l.store.AppendBlock(ctx, block); err != nil {
			return err
		}
	}
	return nil
}

// verify compares what the store holds with what the stream said: how many
// there are of each thing, the log's root, which is made anew of its entries,
// and records that were drawn by chance.
func (l *loading) verify(ctx context.Context) (sampled int, err error) {
	var there Counts
	for w, err := range records(ctx, l.store) {
		if err != nil {
			return 0, err
		}
		there.addRecord(w)
		l.sample.waits(w)
		l.tell(Step{"verified records", there.All(), l.stream.All()})
	}
	report, err := journal.Verify(ctx, journal.Verification{Store: l.store, Progress: func(entries int64) {
		l.tell(Step{"verified entries", entries, l.entries()})
	}})
	if err != nil {
		return 0, fmt.Errorf("the log that was loaded: %w", err)
	}
	there.Blocks, there.Entries = report.Blocks, report.Size
	if !there.same(l.stream.Counts) {
		return 0, fmt.Errorf("the dump has %s, and the storage has %s", &l.stream.Counts, &there)
	}
	if now := logOf(report.Checkpoint); !now.same(l.stream.Log) {
		return 0, fmt.Errorf("the dump is of %s, and the storage has %s", l.stream.Log, now)
	}
	return l.sample.compare(ctx, l.store)
}
