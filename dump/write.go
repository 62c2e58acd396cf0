package dump

import (
	"context"
	"io"
	"iter"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

const (
	pageOfRecords = 500
	pageOfBlocks  = 100
	maxPending    = 100_000 // that are counted again at the end
)

// Progress is told now and then how far a dump or a load is.
type Progress func(Step)

// Step is one of what a dump or a load does one after the other.
type Step struct {
	What  string // that is counted, in words
	Done  int64
	Total int64 // 0 where it is not known: a storage does not count its records
}

// Write writes all that a store holds as a stream, and gives what that was.
// What was committed while it wrote fails it, and the stream has no last line
// then. Uses that were counted meanwhile, and leases that were moved, it does
// not notice: no server may serve.
func Write(ctx context.Context, s storage.Store, to io.Writer, tell Progress) (Counts, error) {
	now, err := s.Clock(ctx)
	if err != nil {
		return Counts{}, err
	}
	end, err := journal.End(ctx, s)
	if err != nil {
		return Counts{}, err
	}
	w, err := NewWriter(to, Header{Format: Format, Made: now, Log: logOf(end)})
	if err != nil {
		return Counts{}, err
	}
	if tell == nil {
		tell = func(Step) {}
	}
	for r, err := range records(ctx, s) {
		if err != nil {
			return w.Counts, err
		}
		if err := w.Record(r); err != nil {
			return w.Counts, err
		}
		tell(Step{What: "records", Done: w.All()})
	}
	for b, err := range blocks(ctx, s) {
		if err != nil {
			return w.Counts, err
		}
		if err := w.Block(b); err != nil {
			return w.Counts, err
		}
		tell(Step{"entries", w.Entries, end.Size})
	}
	if err := unchanged(ctx, s, end, w.Counts); err != nil {
		return w.Counts, err
	}
	return w.Counts, w.End()
}

// unchanged fails where the log has moved on, or entries are pending that were
// not, or are not any more.
func unchanged(ctx context.Context, s storage.Journal, was journal.Checkpoint, written Counts) error {
	end, err := journal.End(ctx, s)
	if err != nil {
		return err
	}
	waiting, err := s.Pending(ctx, int(min(written.Pending+1, maxPending)))
	if err != nil {
		return err
	}
	if end != was || written.Entries != was.Size || int64(len(waiting)) != min(written.Pending, maxPending) {
		return fault.Errorf(fault.Conflict, "storage was changed meanwhile, so the dump is worth nothing: stop all servers and try again (there was %s, and now is %s; %d entries were written, and %d that are pending)",
			logOf(was), logOf(end), written.Entries, written.Pending)
	}
	return nil
}

// page is what one reading gave.
type page[T any] struct {
	items []T
	err   error
}

// readAhead gives the items of one page after the other, until one is empty or
// an error. It reads on while its caller works.
func readAhead[T any](ctx context.Context, read func(context.Context) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan page[T], 1)
		go func() {
			defer close(pages)
			for more := true; more && ctx.Err() == nil; {
				items, err := read(ctx)
				more = err == nil && len(items) > 0
				pages <- page[T]{items, err} // its reader takes all there is
			}
		}()
		defer func() {
			cancel()
			for range pages { //nolint:revive // until the reader has ended
			}
		}()
		for p := range pages {
			for _, item := range p.items {
				if !yield(item, nil) {
					return
				}
			}
			if p.err != nil {
				var none T
				yield(none, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// records gives all records in the order of their ids, but for a mark.
func records(ctx context.Context, s storage.Mover) iter.Seq2[storage.Whole, error] {
	after := ""
	all := readAhead(ctx, func(ctx context.Context) ([]storage.Whole, error) {
		some, err := s.Dump(ctx, after, pageOfRecords)
		if err == nil && len(some) > 0 {
			after = some[len(some)-1].ID
		}
		return some, err
	})
	return func(yield func(storage.Whole, error) bool) {
		for w, err := range all {
			if (err != nil || w.ID != markID()) && !yield(w, err) {
				return
			}
		}
	}
}

// blocks gives the whole log.
func blocks(ctx context.Context, s storage.Journal) iter.Seq2[storage.Block, error] {
	next := int64(0)
	return readAhead(ctx, func(ctx context.Context) ([]storage.Block, error) {
		some, err := s.Blocks(ctx, next, pageOfBlocks)
		if len(some) > 0 && some[len(some)-1].Next() <= next {
			return nil, fault.Errorf(fault.Internal, "storage gave a block that ends before what was asked for")
		}
		if len(some) > 0 {
			next = some[len(some)-1].Next()
		}
		return some, err
	})
}
