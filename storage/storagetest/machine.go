package storagetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// machine drives a store and the model with the same calls; they must answer
// the same. Each call goes to any of the handles on the store.
type machine struct {
	t       testing.TB
	handles []storage.Store
	model   *Model
	calls   *int
	made    int   // attempts and entries
	next    int64 // behind the log's last block
	at      int   // when that was made, in seconds
}

// The worlds that the machine draws from, small so that its calls meet.
var (
	machineIDs   = []string{"a", "b", "A", "ä", "$a", "a.b"}
	machineSeats = []string{"s", "$t", "s.t"}
	machineDays  = []storage.Day{"2026-11-20", "2026-11-21", "2026-11-22"}
	machineTexts = []string{"", "x", "y", "Y", "x ", "$x", "x%"}
	machineKinds = []storage.Kind{storage.License, storage.License, storage.License, storage.Plan, storage.Alias}
)

const (
	machineCalls    = 8_000 // of a store
	machineRepeats  = 2     // of the steps that rapid makes in one run
	machineRunsLong = 20    // so many times that
)

// runMachine makes run after run on new stores until so many calls were made.
// Once one has failed, rapid repeats it as often as it needs to.
func runMachine(t *testing.T, open func() []storage.Store) {
	calls, runs, failed := 0, 0, false
	rapid.Check(t, func(r *rapid.T) {
		if calls >= machineCalls && !failed {
			return
		}
		runs++
		m := &machine{t: t, handles: open(), model: NewModel(), calls: &calls}
		defer func() {
			failed = failed || r.Failed()
			for _, handle := range m.handles {
				_ = handle.Close()
			}
		}()
		for range machineRepeats {
			r.Repeat(map[string]func(*rapid.T){
				"commit": m.commit, "change": m.change, "delete": m.remove, "touch": m.touch, "count": m.count,
				"usage": m.usage, "sweep": m.sweep, "list": m.list, "search": m.search,
				"settle": m.settle, "dump": m.dump, "load": m.load, "append": m.appendBlock, "blocks": m.blocks, "entries": m.entries, "": m.check,
			})
		}
	})
	t.Logf("%d calls in %d runs", calls, runs)
}

// store gives one of the handles for a call.
func (m *machine) store(r *rapid.T) storage.Store {
	*m.calls++
	if len(m.handles) == 1 {
		return m.handles[0]
	}
	return m.handles[rapid.IntRange(0, len(m.handles)-1).Draw(r, "handle")]
}

func drawTime(r *rapid.T, what string) time.Time {
	switch n := rapid.IntRange(0, 8).Draw(r, what); n {
	case 0:
		return time.Time{}
	case 7:
		return time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC)
	case 8:
		return time.Date(9999, 12, 31, 23, 59, 59, 998e6, time.UTC)
	default:
		return second(0).Add(time.Duration(n) * time.Millisecond)
	}
}

func drawText(r *rapid.T, what string) string {
	return rapid.SampledFrom(machineTexts).Draw(r, what)
}

// drawWords draws words that are the texts and ids of records, and others.
func drawWords(r *rapid.T) []string {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "x", "y", "xy", "xya", "xyb", "X", "x%", "ẍ"}), 0, 4).Draw(r, "words")
	slices.Sort(words)
	return slices.Compact(words)
}

func drawRecord(r *rapid.T) storage.Record {
	return storage.Record{
		Kind:     rapid.SampledFrom(machineKinds).Draw(r, "kind"),
		ID:       rapid.SampledFrom(machineIDs).Draw(r, "id"),
		Version:  int64(rapid.IntRange(0, 2).Draw(r, "version")),
		Revision: int64(rapid.IntRange(0, 9).Draw(r, "revision")),
		Index: storage.Index{
			Product: drawText(r, "product"), Plan: drawText(r, "plan"),
			State:      rapid.SampledFrom([]string{"", "x", storage.Deleted}).Draw(r, "state"),
			ExternalID: drawText(r, "external id"), CustomerEmail: drawText(r, "email"),
			CustomerExternalID: drawText(r, "customer"),
			Created:            drawTime(r, "created"), Starts: drawTime(r, "starts"),
			Ends: drawTime(r, "ends"), Due: drawTime(r, "due"), Words: drawWords(r),
		},
		Body: []byte(rapid.SampledFrom([]string{`{}`, `{"$n":{"a.b":[1,2.50,null]}}`, `{"n":9007199254740993}`, `{"":"\u00e4\n"}`}).Draw(r, "body")),
	}
}

func (m *machine) drawChange(r *rapid.T, record storage.Record) storage.Change {
	m.made++
	c := storage.Change{Record: record, Attempt: fmt.Sprint("attempt ", m.made)}
	for _, id := range machineSeats {
		switch rapid.IntRange(0, 4).Draw(r, "seat "+id) {
		case 0:
			c.Put = append(c.Put, storage.Seat{ID: id, Lease: drawTime(r, "lease"), Seen: drawTime(r, "seen"),
				Body: fmt.Appendf(nil, `{"n":"%d"}`, m.made)})
		case 1:
			c.Remove = append(c.Remove, storage.Removal{ID: id})
		case 2:
			c.Remove = append(c.Remove, storage.Removal{ID: id, IfLease: pointer(drawTime(r, "if lease"))})
		}
	}
	for i := range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(r, "entries") {
		c.Entries = append(c.Entries, drawEntry(r, fmt.Sprint("evt ", m.made, " ", i)))
	}
	return c
}

// commit draws a change that often cannot be applied.
func (m *machine) commit(r *rapid.T) { m.both(r, m.drawChange(r, drawRecord(r))) }

// change draws a change of the version that is stored.
func (m *machine) change(r *rapid.T) {
	record := drawRecord(r)
	if stored := m.model.records[record.ID]; stored == nil {
		record.Version = 0
	} else {
		record.Kind, record.Version = stored.record.Kind, stored.record.Version
		if rapid.Bool().Draw(r, "same index") {
			record.Index = stored.record.Index
		}
	}
	m.both(r, m.drawChange(r, record))
}

// remove leaves a record that is to be swept soon, and often sweeps it, so
// that the next of its id finds nothing left.
func (m *machine) remove(r *rapid.T) {
	stored := m.model.records[rapid.SampledFrom(machineIDs).Draw(r, "id")]
	if stored == nil {
		return
	}
	record := cloneRecord(stored.record)
	record.Index.State, record.Index.Due = storage.Deleted, second(0)
	m.both(r, m.drawChange(r, record))
	if rapid.Bool().Draw(r, "at once") {
		m.settle(r)
		m.sweep(r)
	}
}

func (m *machine) both(r *rapid.T, c storage.Change) {
	want, got := m.model.Commit(m.t.Context(), c), m.store(r).Commit(m.t.Context(), c)
	if fault.CodeOf(want) != fault.CodeOf(got) {
		r.Fatalf("%+v: got %v, want %v", c, got, want)
	}
}

func (m *machine) touch(r *rapid.T) {
	leases := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) storage.Lease {
		return storage.Lease{
			Record: rapid.SampledFrom(machineIDs).Draw(r, "id"), Seat: rapid.SampledFrom(machineSeats).Draw(r, "seat"),
			At: drawTime(r, "at"), Until: drawTime(r, "until"),
		}
	}), 1, 4).Draw(r, "leases")
	want, _ := m.model.Touch(m.t.Context(), leases)
	got, err := m.store(r).Touch(m.t.Context(), leases)
	m.same(r, got, want, err)
}

func (m *machine) count(r *rapid.T) {
	deltas := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) storage.UsageDelta {
		return storage.UsageDelta{
			Record: rapid.SampledFrom(machineIDs).Draw(r, "id"), Day: rapid.SampledFrom(machineDays).Draw(r, "day"),
			Product: rapid.SampledFrom([]string{"", "a", "$a", "z", "\xff"}).Draw(r, "product"),
			Valid:   int64(rapid.IntRange(0, 3).Draw(r, "valid")), Invalid: int64(rapid.IntRange(0, 3).Draw(r, "invalid")),
			Last:   drawTime(r, "last"),
			Values: storage.Values{storage.ByCode: {rapid.SampledFrom(machineTexts).Draw(r, "code"): 1}},
		}
	}), 1, 4).Draw(r, "deltas")
	m.same(r, m.store(r).AddUsage(m.t.Context(), deltas), m.model.AddUsage(m.t.Context(), deltas), nil)
}

func (m *machine) usage(r *rapid.T) {
	id := rapid.SampledFrom(machineIDs).Draw(r, "id")
	first, last := rapid.SampledFrom(machineDays).Draw(r, "first"), rapid.SampledFrom(machineDays).Draw(r, "last")
	want, _ := m.model.Usage(m.t.Context(), id, first, last)
	got, err := m.store(r).Usage(m.t.Context(), id, first, last)
	m.same(r, got, want, err)
}

func (m *machine) sweep(r *rapid.T) {
	before := drawTime(r, "before") // no limit: which of several go first is the store's own
	want, _ := m.model.Sweep(m.t.Context(), before, 99)
	got, err := m.store(r).Sweep(m.t.Context(), before, 99)
	m.same(r, got, want, err)
}

// check compares all records and all pending entries.
func (m *machine) check(r *rapid.T) {
	want, _ := m.model.Get(m.t.Context(), machineIDs...)
	got, err := m.store(r).Get(m.t.Context(), machineIDs...)
	m.same(r, got, want, err)
	wantPending, _ := m.model.Pending(m.t.Context(), 999)
	gotPending, err := m.store(r).Pending(m.t.Context(), 999)
	byID := func(a, b storage.Pending) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(wantPending, byID) // their order is the suite's to test
	slices.SortFunc(gotPending, byID)
	m.same(r, gotPending, wantPending, err)
}

func (m *machine) same(r *rapid.T, got, want any, err error) {
	r.Helper()
	if err == nil && reflect.DeepEqual(got, want) { // as a rule, and much faster
		return
	}
	if diff := cmp.Diff(want, got, alike...); err != nil || diff != "" {
		r.Fatalf("error %v; differs from the model (-model +store):\n%s", err, diff)
	}
}
