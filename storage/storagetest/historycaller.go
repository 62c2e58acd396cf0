package storagetest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// historyCaller makes one call after the other on one handle. What it changes
// it knows from what it read last, which may be long ago.
type historyCaller struct {
	*history
	store  storage.Store
	random *rand.Rand
	known  [historyRecords]recordState
}

func (h *historyCaller) run(ctx context.Context) {
	for range callsOfOne {
		record := h.random.IntN(historyRecords)
		h.someCall(ctx, record)
	}
}

// someCall makes a call, whose context may end while it runs.
func (h *historyCaller) someCall(ctx context.Context, record int) {
	if h.random.IntN(cancelledEach) == 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(h.random.IntN(cancelWithin))*time.Microsecond)
		defer stop()
	}
	n := h.random.IntN(20)
	switch {
	case n < 4 || h.known[record].version == 0:
		h.read(ctx, false, record)
	case n < 6:
		h.read(ctx, false, 2, record, 0)
	case n < 7:
		h.read(ctx, true, 0, 1, 2)
	case n < 14:
		h.commit(ctx, record)
	case n < 18:
		h.touch(ctx, record, h.random.IntN(historyRecords))
	default:
		h.use(ctx, record)
	}
}

// read reads records by Get or, all there are, by List.
func (h *historyCaller) read(ctx context.Context, byList bool, records ...int) {
	from := h.now()
	found, err := h.fetch(ctx, byList, records)
	if answered, unknown := outcome(ctx, err); !answered {
		if !unknown {
			h.fail(fmt.Errorf("reading: %w", err))
		}
		return
	}
	to := h.now()
	byID := map[string]*storage.Stored{}
	for _, r := range found {
		if r != nil {
			byID[r.ID] = r
		}
	}
	for _, record := range records {
		r := byID[h.id(record)]
		if r == nil {
			h.fail(fmt.Errorf("record %d is not found", record))
			return
		}
		state, err := stateOf(r)
		if err != nil {
			h.fail(err)
			return
		}
		h.known[record] = state
		h.note(historyCall{what: "read", record: record, state: state, from: from, to: to})
	}
}

func (h *historyCaller) fetch(ctx context.Context, byList bool, records []int) ([]*storage.Stored, error) {
	if byList {
		page, err := h.store.List(ctx, storage.Query{Kind: storage.License, Order: storage.CreatedNewest, First: 99,
			Filter: storage.Filter{CustomerEmail: fmt.Sprint("history ", h.number)}})
		return page.Records, err
	}
	var ids []string
	for _, record := range records {
		ids = append(ids, h.id(record))
	}
	return h.store.Get(ctx, ids...)
}

// commit puts a seat or removes one, or both, because of what was read.
func (h *historyCaller) commit(ctx context.Context, record int) {
	known := h.known[record]
	c := historyCall{what: "commit", record: record, version: known.version, stamp: h.stamp(), put: -1, remove: -1}
	if h.random.IntN(3) > 0 {
		c.put = h.random.IntN(seatsOfOne)
		c.lease = h.soon(known.seats[c.put].lease)
	}
	if remove := h.random.IntN(seatsOfOne); remove != c.put && h.random.IntN(3) > 0 {
		c.remove, c.onlyIf, c.ifLease = remove, h.random.IntN(4) > 0, known.seats[remove].lease
	}
	c.from = h.now()
	err := h.store.Commit(ctx, h.change(c))
	c.to = h.now()
	answered, unknown := outcome(ctx, err)
	switch {
	case answered:
		c.conflict = err != nil
	case unknown:
		c.unknown, c.to = true, math.MaxInt64
	default:
		h.fail(fmt.Errorf("%s: %w", c, err))
	}
	h.note(c)
}

// soon gives a time around another, or none.
func (h *historyCaller) soon(n int) int {
	if h.random.IntN(6) == 0 {
		return 0
	}
	return max(1, n-2+h.random.IntN(8))
}

// touch moves the leases of a seat of each record at once.
func (h *historyCaller) touch(ctx context.Context, records ...int) {
	var calls []historyCall
	var leases []storage.Lease
	for _, record := range records {
		seat := h.random.IntN(seatsOfOne)
		lease := h.known[record].seats[seat].lease
		c := historyCall{what: "touch", record: record, seat: seat, at: max(1, h.soon(lease)-2), until: h.soon(lease + 2)}
		calls = append(calls, c)
		leases = append(leases, storage.Lease{Record: h.id(record), Seat: historySeats[seat], At: moment(c.at), Until: moment(c.until)})
	}
	from := h.now()
	ends, err := h.store.Touch(ctx, leases)
	to := h.now()
	answered, unknown := outcome(ctx, err)
	if !answered && !unknown || answered && err != nil {
		h.fail(fmt.Errorf("touch: %w", err))
		return
	}
	for i := range calls {
		calls[i].from, calls[i].to = from, to
		if unknown {
			calls[i].unknown, calls[i].to = true, math.MaxInt64
		} else {
			calls[i].end = momentOf(ends[i])
		}
	}
	h.note(calls...)
}

// use counts a use. Unavailable says that it was not counted.
func (h *historyCaller) use(ctx context.Context, record int) {
	c := historyCall{what: "use", record: record, used: 1 + int64(h.random.IntN(3)), from: h.now()}
	err := h.store.AddUsage(ctx, []storage.UsageDelta{{Record: h.id(record), Day: "2026-11-21", Valid: c.used}})
	c.to = h.now()
	switch _, unknown := outcome(ctx, err); {
	case err == nil:
	case !unknown:
		h.fail(fmt.Errorf("use: %w", err))
	case fault.Is(err, fault.Unavailable):
		return
	default:
		c.unknown, c.to = true, math.MaxInt64
	}
	h.note(c)
}
