package storagetest

import (
	"context"
	"maps"
	"slices"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Dump implements storage.Mover.
func (m *Model) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var records []storage.Whole
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		if id > after && len(records) < limit {
			records = append(records, m.whole(m.records[id]))
		}
	}
	return records, nil
}

func (m *Model) whole(r *modelRecord) storage.Whole {
	w := storage.Whole{Stored: *r.stored()}
	for _, day := range slices.Sorted(maps.Keys(r.days)) {
		w.Days = append(w.Days, cloneDay(r.days[day]))
	}
	for _, p := range m.pending {
		if p.Record == r.record.ID {
			w.Pending = append(w.Pending, cloneEntry(p.Entry))
		}
	}
	return w
}

func cloneDay(u storage.UsageDay) storage.UsageDay {
	u.Values = maps.Clone(u.Values)
	for dimension, counts := range u.Values {
		u.Values[dimension] = maps.Clone(counts)
	}
	return u
}

// Load implements storage.Mover.
func (m *Model) Load(ctx context.Context, records []storage.Whole) error {
	for _, w := range records {
		if err := w.Check(); err != nil {
			return err
		}
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	for _, w := range records {
		if m.records[w.ID] != nil {
			return fault.Clash(fault.Taken, w.ID, "the id is taken")
		}
		m.load(w)
	}
	return nil
}

func (m *Model) load(w storage.Whole) {
	m.made++
	r := &modelRecord{
		record: cloneRecord(w.Record), ordinal: m.made, total: w.Total,
		seats: map[string]storage.Seat{}, days: map[storage.Day]storage.UsageDay{},
	}
	m.records[w.ID] = r
	for _, s := range w.Seats {
		r.seats[s.ID] = cloneSeat(s)
	}
	for _, day := range w.Days {
		r.days[day.Day] = cloneDay(day)
	}
	for _, e := range w.Pending {
		m.pending = append(m.pending, storage.Pending{Record: w.ID, Entry: cloneEntry(e)})
	}
}
