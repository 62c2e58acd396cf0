package licensing

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

const (
	// judgeEvery is how often a subscription to which nothing happens is judged
	// again.
	judgeEvery = 30 * time.Second

	leastBackOff, mostBackOff = 20 * time.Millisecond, 5 * time.Second
)

// EventWatch gives the events of one subscription, one after the other. It is
// read by one goroutine, holds none of its own, and needs no end.
type EventWatch struct {
	service  *Service
	filter   storage.EntryFilter // of the follower
	ofCaller bool                // whether its products are all that the caller sees
	follower *journal.Follower
	last     int64 // the index that the watch has come to
}

// WatchEvents begins behind the event that after is the cursor of; nil is
// behind all that was committed before it is called. Errors: as those of
// Events.
func (s *Service) WatchEvents(ctx context.Context, filter *EventFilter, after *string) (*EventWatch, error) {
	narrowed, err := s.askEvents(ctx, filter, (*EventFilter).checkLive)
	if err != nil {
		return nil, err
	}
	w := &EventWatch{service: s, filter: narrowed, ofCaller: filter == nil || filter.Product == nil}
	if w.last, err = s.watchFrom(ctx, after); err != nil {
		return nil, err
	}
	w.follower = s.journal.Follow(w.filter, w.last)
	return w, nil
}

func (s *Service) watchFrom(ctx context.Context, after *string) (int64, error) {
	if after != nil {
		return s.journal.Place(ctx, *after)
	}
	state, err := s.journal.Sync(ctx)
	return state.Size - 1, err
}

// Next waits for the next event that the caller may see when it comes. It
// waits out a storage that fails, and passes over an entry that cannot be
// decoded. Errors: that of ctx once it ends, and Denied once the caller may
// see no event of any product, at the latest judgeEvery after that.
func (w *EventWatch) Next(ctx context.Context) (*EventView, error) {
	for failures := 0; ; {
		event, err := w.wait(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		who, denied := w.service.authorize(ctx, authz.EventRead)
		if denied != nil {
			return nil, denied
		}
		switch {
		case err != nil:
			failures++
			w.backOff(ctx, err, failures)
		case event != nil:
			failures, w.last = 0, event.Index
			if who.sees(event.Product) {
				return w.service.watched(event), nil
			}
		}
		w.narrow(who)
	}
}

// wait gives nothing where nothing happened for a while.
func (w *EventWatch) wait(ctx context.Context) (*journal.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, judgeEvery)
	defer cancel()
	event, err := w.follower.Next(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, nil //nolint:nilnil // nothing happened
	}
	return event, err
}

func (w *EventWatch) backOff(ctx context.Context, err error, failures int) {
	if !fault.Is(err, fault.Unavailable) {
		w.service.log.ErrorContext(ctx, "an entry of the journal cannot be read", "error", err)
	}
	longest := min(leastBackOff<<min(failures-1, 10), mostBackOff)
	_ = pause(ctx, longest/2+rand.N(longest/2)) //nolint:gosec // jitter is no secret; who calls looks at ctx
}

// narrow goes on with what the caller sees now, where that has changed.
func (w *EventWatch) narrow(who caller) {
	same := slices.Equal(who.products, w.filter.Products) && (who.products == nil) == (w.filter.Products == nil)
	if !w.ofCaller || same {
		return
	}
	w.filter.Products = who.products
	w.follower = w.service.journal.Follow(w.filter, w.last)
}

func (s *Service) watched(e *journal.Event) *EventView {
	return &EventView{
		Entry: e.Entry, Index: e.Index, LoggedAt: e.Logged, journal: s.journal,
		look: func(ctx context.Context) *glance { return s.glanceAt(ctx, e.Record(), e.Index) },
	}
}
