package storagetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var _ storage.Store = (*Model)(nil)

// Model is a whole storage.Store in maps, made to be read rather than to be
// fast: the suite's oracle, and a store for the tests of what stands above.
// It survives nothing.
type Model struct {
	Now func() time.Time // its own clock; time.Now if nil

	stateMu sync.Mutex
	closed  bool
	made    int // records ever inserted
	records map[string]*modelRecord
	pending []storage.Pending
	blocks  []storage.Block // by their First
}

type modelRecord struct {
	record  storage.Record
	ordinal int // breaks ties between equal times
	seats   map[string]storage.Seat
	total   storage.UsageTotal
	days    map[storage.Day]storage.UsageDay
}

// NewModel makes an empty store.
func NewModel() *Model { return &Model{records: map[string]*modelRecord{}} }

// enter locks the model for a call; the caller unlocks it.
func (m *Model) enter(ctx context.Context) error {
	m.stateMu.Lock()
	if m.closed {
		return fault.Errorf(fault.Unavailable, "storage is closed")
	}
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "storage is unavailable")
	}
	return nil
}

// Get implements storage.Reader.
func (m *Model) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	found := make([]*storage.Stored, len(ids))
	for i, id := range ids {
		if r := m.records[id]; r != nil {
			found[i] = r.stored()
		}
	}
	return found, nil
}

func (r *modelRecord) stored() *storage.Stored {
	s := &storage.Stored{Record: cloneRecord(r.record), Total: r.total}
	for _, id := range slices.Sorted(maps.Keys(r.seats)) {
		s.Seats = append(s.Seats, cloneSeat(r.seats[id]))
	}
	return s
}

func cloneRecord(r storage.Record) storage.Record {
	r.Done, r.Body = slices.Clone(r.Done), slices.Clone(r.Body)
	r.Index.Words = slices.Clone(r.Index.Words)
	return r
}

func cloneSeat(s storage.Seat) storage.Seat {
	s.Body = slices.Clone(s.Body)
	return s
}

// Commit implements storage.Committer.
func (m *Model) Commit(ctx context.Context, c storage.Change) error {
	if err := c.Check(); err != nil {
		return err
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	r := m.records[c.Record.ID]
	if err := conflict(r, c); err != nil {
		return err
	}
	if r == nil {
		m.made++
		r = &modelRecord{ordinal: m.made, seats: map[string]storage.Seat{}, days: map[storage.Day]storage.UsageDay{}}
		m.records[c.Record.ID] = r
	}
	r.record = cloneRecord(c.Record)
	r.record.Version, r.record.Attempt = c.Record.Version+1, c.Attempt
	for _, removal := range c.Remove {
		delete(r.seats, removal.ID)
	}
	for _, put := range c.Put {
		put = cloneSeat(put)
		put.Lease = latest(r.seats[put.ID].Lease, put.Lease)
		r.seats[put.ID] = put
	}
	for _, e := range c.Entries {
		m.pending = append(m.pending, storage.Pending{Record: c.Record.ID, Entry: cloneEntry(e)})
	}
	return nil
}

// conflict says why c may not be applied to r, which is nil where there is no
// record of the id.
func conflict(r *modelRecord, c storage.Change) error {
	switch {
	case c.Record.Version == 0 && r != nil:
		return fault.Clash(fault.Taken, c.Record.ID, "the id is taken")
	case c.Record.Version == 0:
		return nil
	case r == nil || r.record.Version != c.Record.Version || r.record.Kind != c.Record.Kind:
		return fault.Errorf(fault.Conflict, "%s was changed meanwhile", c.Record.Kind)
	}
	for _, removal := range c.Remove {
		seat, found := r.seats[removal.ID]
		if found && removal.IfLease != nil && !seat.Lease.Equal(*removal.IfLease) {
			return fault.Errorf(fault.Conflict, "a lease was moved meanwhile")
		}
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Touch implements storage.Committer.
func (m *Model) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	ends := make([]time.Time, len(leases))
	for i, l := range leases {
		r := m.records[l.Record]
		if r == nil {
			continue
		}
		seat, found := r.seats[l.Seat]
		if !found || !seat.Lease.IsZero() && !seat.Lease.After(l.At) {
			continue
		}
		seat.Lease, seat.Seen = latest(seat.Lease, l.Until), latest(seat.Seen, l.At)
		r.seats[l.Seat], ends[i] = seat, seat.Lease
	}
	return ends, nil
}

// AddUsage implements storage.Counter.
func (m *Model) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	for _, d := range deltas {
		if r := m.records[d.Record]; r != nil {
			r.total.Count += d.Valid + d.Invalid
			r.total.Last = latest(r.total.Last, d.Last)
			r.addDay(d)
		}
		if r := m.records[d.Product]; r != nil {
			r.addDay(d)
		}
	}
	return nil
}

func (r *modelRecord) addDay(d storage.UsageDelta) {
	day := r.days[d.Day]
	day.Day = d.Day
	day.Add(d)
	r.days[d.Day] = day
}

// Usage implements storage.Counter.
func (m *Model) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	r := m.records[id]
	if r == nil {
		return nil, nil
	}
	var days []storage.UsageDay
	for _, day := range slices.Sorted(maps.Keys(r.days)) {
		if first <= day && day <= last {
			days = append(days, cloneDay(r.days[day]))
		}
	}
	return days, nil
}

// Sweep implements storage.Keeper.
func (m *Model) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return 0, err
	}
	swept := 0
	for id, r := range m.records {
		x := r.record.Index
		held := slices.ContainsFunc(m.pending, func(p storage.Pending) bool { return p.Record == id })
		if swept < limit && x.State == storage.Deleted && !x.Due.IsZero() && x.Due.Before(before) && !held {
			delete(m.records, id)
			swept++
		}
	}
	return swept, nil
}

// Ready implements storage.Keeper.
func (m *Model) Ready(ctx context.Context) error {
	defer m.stateMu.Unlock()
	return m.enter(ctx)
}

// Clock implements storage.Keeper.
func (m *Model) Clock(ctx context.Context) (time.Time, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return time.Time{}, err
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	return now().UTC().Truncate(time.Millisecond), nil
}

// Migrate implements storage.Keeper.
func (m *Model) Migrate(ctx context.Context) error {
	defer m.stateMu.Unlock()
	return m.enter(ctx)
}

// Close implements storage.Keeper.
func (m *Model) Close() error {
	m.stateMu.Lock()
	defer m.stateMu.Unlock()
	m.closed = true
	return nil
}
