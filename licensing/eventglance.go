package licensing

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// glance is one reading of records that events are about. It reads when it is
// first asked, and once.
type glance struct {
	service  *Service
	records  func() (map[string]*storage.Stored, error)
	licenses func() (map[string]*LicenseView, error)

	shownMu sync.Mutex // guards shown
	shown   map[int64]json.RawMessage
}

// look gives a glance at the records of these ids, which ctx outlives.
func (s *Service) look(ctx context.Context, ids ...string) *glance {
	g := &glance{service: s, shown: map[int64]json.RawMessage{}}
	g.records = sync.OnceValues(func() (map[string]*storage.Stored, error) { return s.byID(ctx, ids) })
	g.licenses = sync.OnceValues(func() (map[string]*LicenseView, error) {
		records, err := g.records()
		if err != nil {
			return nil, err
		}
		return s.viewsByID(ctx, records)
	})
	return g
}

func (s *Service) byID(ctx context.Context, ids []string) (map[string]*storage.Stored, error) {
	records := make(map[string]*storage.Stored, len(ids))
	var once []string
	for _, id := range ids {
		if _, known := records[id]; !known {
			records[id] = nil
			once = append(once, id)
		}
	}
	found, err := s.store.Get(ctx, once...)
	if err != nil {
		return nil, err
	}
	for i, id := range once {
		records[id] = found[i]
	}
	return records, nil
}

func (s *Service) viewsByID(ctx context.Context, records map[string]*storage.Stored) (map[string]*LicenseView, error) {
	var all []*license.License
	for _, stored := range records {
		if stored == nil || stored.Kind != storage.License {
			continue
		}
		l, err := decodeLicense(stored)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	views, err := s.views(ctx, s.now(), all...)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*LicenseView, len(views))
	for _, v := range views {
		byID[v.ID()] = v
	}
	return byID, nil
}

// license gives a license that is among the records, nil where there is none.
func (g *glance) license(id string) (*LicenseView, error) {
	views, err := g.licenses()
	return views[id], err
}

// data gives what is shown of an event's data, made once.
func (g *glance) data(v *EventView) (json.RawMessage, error) {
	records, err := g.records()
	if err != nil {
		return nil, err
	}
	g.shownMu.Lock()
	defer g.shownMu.Unlock()
	if known, ok := g.shown[v.Index]; ok {
		return known, nil
	}
	data, err := g.service.shownData(v.Entry, records[v.Entry.Record()])
	if err == nil {
		g.shown[v.Index] = data
	}
	return data, err
}

// The bounds of what is remembered of records for subscriptions.
const (
	glanceLife = time.Second
	maxGlances = 64
)

// glances are what subscriptions share: the same event is asked for by many of
// them within moments. A record as it was read serves an event
//
//   - if the event was in the log when the reading began, so that no license
//     is older than the event that tells of it,
//   - while no commit of this server has changed the record since, so that
//     whatever was erased here is gone at once,
//   - and for a second, which is how long another server's change may take to
//     be heard of anyway.
type glances struct {
	mu   sync.Mutex // guards what follows
	all  map[string]*sharedGlance
	last []*sharedGlance // the oldest first; some may be forgotten
}

type sharedGlance struct {
	*glance
	id    string
	size  int64 // of the log, when it was begun
	begun time.Time
}

// glanceAt gives what a subscription sees of the record that an event is
// about. The reading is not one subscriber's: it goes on when that leaves.
func (s *Service) glanceAt(ctx context.Context, id string, index int64) *glance {
	now := s.clock()
	g := &s.glances
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.all[id]; known != nil && index < known.size && known.goodAt(now) {
		return known.glance
	}
	fresh := &sharedGlance{id: id, size: max(s.journal.State().Size, index+1), begun: now}
	fresh.glance = s.look(context.WithoutCancel(ctx), id)
	fresh.records = forgetting(g, fresh, fresh.records)
	fresh.licenses = forgetting(g, fresh, fresh.licenses)
	g.add(fresh)
	return fresh.glance
}

func (g *sharedGlance) goodAt(now time.Time) bool {
	age := now.Sub(g.begun)
	return age >= 0 && age < glanceLife
}

// forgetting makes a reading that failed the last of its glance.
func forgetting[T any](all *glances, g *sharedGlance, read func() (T, error)) func() (T, error) {
	return func() (T, error) {
		v, err := read()
		if err != nil {
			all.drop(g)
		}
		return v, err
	}
}

// add remembers a glance, and no more than there may be. The caller holds mu.
func (g *glances) add(fresh *sharedGlance) {
	if g.all == nil {
		g.all = map[string]*sharedGlance{}
	}
	g.all[fresh.id] = fresh
	g.last = append(g.last, fresh)
	for len(g.last) > maxGlances || !g.last[0].goodAt(fresh.begun) {
		if oldest := g.last[0]; g.all[oldest.id] == oldest {
			delete(g.all, oldest.id)
		}
		g.last[0] = nil
		g.last = g.last[1:]
	}
}

func (g *glances) drop(one *sharedGlance) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all[one.id] == one {
		delete(g.all, one.id)
	}
}

// forget makes the next one who asks read the record anew.
func (g *glances) forget(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, id)
}
