package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	historyCallers = 8 // that call at the same time
	callsOfOne     = 20
	historyRecords = 3
	cancelledEach  = 12              // calls, one is
	cancelWithin   = 3_000           // microseconds
	historyTime    = 2 * time.Second // that histories are made in
	historyLong    = 10 * time.Minute
)

// makeHistories has callers call all handles at once, about a few records, one
// history after the other until the time is up: whatever they are answered must
// be what calls that come one after the other could have been answered, each at
// some moment between its begin and its end.
func makeHistories(t testing.TB, handles []storage.Store, length time.Duration) {
	began, made, calls := time.Now(), 0, 0
	for ; made == 0 || time.Since(began) < length; made++ {
		h := &history{handles: handles, number: made, began: time.Now()}
		if err := h.make(t.Context()); err != nil {
			t.Fatalf("history %d: %v", made, err)
		}
		if err := h.judge(); err != nil {
			t.Fatalf("history %d: %v", made, err)
		}
		calls += len(h.calls)
	}
	t.Logf("%d histories of %d calls in all", made, calls)
}

// history is calls about a few records, and what was answered.
type history struct {
	handles []storage.Store
	number  int
	began   time.Time

	callsMu sync.Mutex
	calls   []historyCall
	stamps  int // of commits, each its own
	failed  error
}

func (h *history) id(record int) string { return fmt.Sprintf("lic_%d_%d", h.number, record) }

func (h *history) now() int64 { return time.Since(h.began).Nanoseconds() }

func (h *history) make(ctx context.Context) error {
	for record := range historyRecords {
		c := historyCall{what: "commit", record: record, stamp: h.stamp(), put: -1, remove: -1}
		c.from = h.now()
		if err := h.handles[0].Commit(ctx, h.change(c)); err != nil {
			return err
		}
		c.to = h.now()
		h.note(c)
	}
	var all sync.WaitGroup
	for n := range historyCallers {
		caller := historyCaller{history: h, store: h.handles[n%len(h.handles)], random: rand.New(rand.NewPCG(uint64(h.number), uint64(n)))}
		all.Go(func() { caller.run(ctx) })
	}
	all.Wait()
	for _, handle := range h.handles { // who reads now sees all that was acknowledged
		last := historyCaller{history: h, store: handle}
		last.read(ctx, false, 0, 1, 2)
	}
	return h.failed
}

func (h *history) stamp() int {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	h.stamps++
	return h.stamps
}

func (h *history) fail(err error) {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	if h.failed == nil {
		h.failed = err
	}
}

func (h *history) note(calls ...historyCall) {
	h.callsMu.Lock()
	defer h.callsMu.Unlock()
	h.calls = append(h.calls, calls...)
}

// change is what a call commits. Its stamp stands in everything that it writes.
func (h *history) change(c historyCall) storage.Change {
	body := fmt.Appendf(nil, `{"n":%d}`, c.stamp)
	r := license(h.id(c.record))
	r.Version, r.Revision, r.Body = c.version, int64(c.stamp), body
	r.Index.CustomerEmail = fmt.Sprint("history ", h.number)
	change := storage.Change{Record: r, Attempt: fmt.Sprint(c.stamp)}
	if c.put >= 0 {
		change.Put = []storage.Seat{{ID: historySeats[c.put], Lease: moment(c.lease), Body: body}}
	}
	if c.remove >= 0 {
		removal := storage.Removal{ID: historySeats[c.remove]}
		if c.onlyIf {
			removal.IfLease = pointer(moment(c.ifLease))
		}
		change.Remove = []storage.Removal{removal}
	}
	return change
}

var historySeats = [seatsOfOne]string{"act_a", "act_b", "act_c"}

// moment is a time of a history; 0 is none.
func moment(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return second(n)
}

func momentOf(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(t.Sub(second(0)) / time.Second)
}

// stateOf gives what a record says of itself, and an error where it is not as
// one commit left it.
func stateOf(r *storage.Stored) (recordState, error) {
	s := recordState{version: r.Version, stamp: int(r.Revision), used: r.Total.Count}
	if r.Attempt != fmt.Sprint(s.stamp) || stampOf(r.Body) != s.stamp {
		return s, fmt.Errorf("version %d has revision %d, attempt %s and body %s: not as one commit left it", r.Version, r.Revision, r.Attempt, r.Body)
	}
	for _, one := range r.Seats {
		i := slices.Index(historySeats[:], one.ID)
		s.seats[i] = seatState{there: true, lease: momentOf(one.Lease), seen: momentOf(one.Seen), stamp: stampOf(one.Body)}
	}
	return s, nil
}

func stampOf(body []byte) int {
	var b struct{ N int }
	if json.Unmarshal(body, &b) != nil {
		return -1
	}
	return b.N
}

// judge says what is wrong with a history; nil if nothing is.
func (h *history) judge() error {
	calls := h.settled()
	for record := range historyRecords {
		var ofOne []historyCall
		for _, c := range calls {
			if c.record == record {
				ofOne = append(ofOne, c)
			}
		}
		if err := linearizable(ofOne); err != nil {
			return err
		}
	}
	return nil
}

// settled gives the calls that were served, as far as that is known. Of a
// commit whose outcome its caller was not told, what was read tells: nobody
// could have changed the record again without reading its stamp. One that was
// never read came too late or not at all.
func (h *history) settled() []historyCall {
	read := map[int]bool{}
	for _, c := range h.calls {
		if c.what == "read" {
			read[c.state.stamp] = true
		}
	}
	var served []historyCall
	for _, c := range h.calls {
		if c.what == "commit" && c.unknown {
			if !read[c.stamp] {
				continue
			}
			c.unknown = false
		}
		served = append(served, c)
	}
	return served
}

// describe writes a history for whoever has to find the fault.
func describe(calls []historyCall) string {
	slices.SortFunc(calls, func(a, b historyCall) int { return int(a.from - b.from) })
	var text strings.Builder
	for _, c := range calls {
		until := fmt.Sprintf("%8d", c.to/1000)
		if c.to == math.MaxInt64 {
			until = " unknown"
		}
		fmt.Fprintf(&text, "%8d-%s µs  %s\n", c.from/1000, until, c)
	}
	return text.String()
}

// outcome says how a call ended: it was answered, its outcome is unknown
// because its context ended, or it failed as no call may. A driver that gives a
// deadline to its connection may hear of the end a moment before the context.
func outcome(ctx context.Context, err error) (answered, unknown bool) {
	switch {
	case err == nil:
		return true, false
	case fault.Is(err, fault.Conflict):
		return true, false
	}
	_, limited := ctx.Deadline()
	return false, ctx.Err() != nil || limited && errors.Is(err, context.DeadlineExceeded)
}
