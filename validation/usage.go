package validation

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

const (
	flushEvery   = time.Second
	flushTimeout = 10 * time.Second
	// maxAddition bounds what is added at once: changes of licenses wait for it.
	maxAddition = 500
	// maxCommits bounds the first uses that are noted at once: drivers group
	// commits that wait together.
	maxCommits = 32
	// maxCounted bounds the licenses and days whose counts wait for storage;
	// what comes for further ones while it is down is lost.
	maxCounted = 100_000
)

// usage counts in memory what was asked, and writes it down once a second: a
// crash loses at most the counts of one second.
type usage struct {
	counter  storage.Counter
	licenses Licenses
	log      *slog.Logger

	mu       sync.Mutex // guards what follows
	counts   map[countedDay]*storage.UsageDelta
	firstUse map[string]firstUse
	lost     int64
}

// firstUse is the first use of a license: when, and by which request.
type firstUse struct {
	at      time.Time
	request string
}

type countedDay struct {
	license string
	day     storage.Day
}

func newUsage(counter storage.Counter, licenses Licenses, log *slog.Logger) *usage {
	return &usage{
		counter: counter, licenses: licenses, log: log,
		counts: map[countedDay]*storage.UsageDelta{}, firstUse: map[string]firstUse{},
	}
}

// count notes a use of a license.
func (s *Service) count(found Snapshot, r license.Request, code license.Code, valid bool, now time.Time) {
	one := storage.UsageDelta{
		Record: found.License.ID, Product: found.Product.ID, Day: storage.DayOf(now), Last: now,
		Values: storage.Values{storage.ByCode: {string(code): 1}},
	}
	if valid {
		one.Valid = 1
	} else {
		one.Invalid = 1
	}
	if r.Fingerprint != nil {
		one.Values[storage.ByFingerprint] = map[string]int64{s.Licenses.SubjectHash(found.License, *r.Fingerprint): 1}
	}
	if r.Domain != nil {
		one.Values[storage.ByDomain] = map[string]int64{r.Domain.Domain: 1}
	}
	s.usage.add(one)
}

// add merges a delta into what waits.
func (u *usage) add(d storage.UsageDelta) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.merge(d)
}

func (u *usage) merge(d storage.UsageDelta) {
	key := countedDay{d.Record, d.Day}
	waiting, ok := u.counts[key]
	if !ok {
		if len(u.counts) >= maxCounted {
			u.lost += d.Valid + d.Invalid
			return
		}
		u.counts[key] = &d
		return
	}
	sum := storage.UsageDay{Valid: waiting.Valid, Invalid: waiting.Invalid, Values: waiting.Values}
	sum.Add(d)
	waiting.Valid, waiting.Invalid, waiting.Values = sum.Valid, sum.Invalid, sum.Values
	if d.Last.After(waiting.Last) {
		waiting.Last = d.Last
	}
}

// noteFirstUse has a license's first use noted soon. A crash before that
// leaves it to the next use.
func (u *usage) noteFirstUse(id string, use firstUse) {
	u.mu.Lock()
	defer u.mu.Unlock()
	waiting, ok := u.firstUse[id]
	if ok && use.at.Before(waiting.at) || !ok && len(u.firstUse) < maxCounted {
		u.firstUse[id] = use
	}
}

func (u *usage) run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			u.flush(ctx)
		case <-ctx.Done():
			u.flush(ctx)
			return
		}
	}
}

// flush writes down what waits, even if ctx has ended: to cut an addition
// short would leave its fate unknown. Counts go first. They would be lost,
// where a first use that is not noted is noted by the next one.
func (u *usage) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	u.mu.Lock()
	counts, firstUses := u.counts, u.firstUse
	u.counts, u.firstUse = map[countedDay]*storage.UsageDelta{}, map[string]firstUse{}
	u.mu.Unlock()
	u.addCounts(ctx, counts)
	u.noteFirstUses(ctx, firstUses)
}

func (u *usage) addCounts(ctx context.Context, counts map[countedDay]*storage.UsageDelta) {
	deltas := make([]storage.UsageDelta, 0, len(counts))
	for _, d := range counts {
		deltas = append(deltas, *d)
	}
	for some := range slices.Chunk(deltas, maxAddition) {
		u.settle(ctx, some, u.counter.AddUsage(ctx, some))
	}
}

// noteFirstUses keeps what storage could not be asked to note. What failed
// for another reason, such as a license that is gone, waits for the next use.
func (u *usage) noteFirstUses(ctx context.Context, firstUses map[string]firstUse) {
	var commits errgroup.Group
	commits.SetLimit(maxCommits)
	for id, use := range firstUses {
		commits.Go(func() error {
			_, err := u.licenses.NoteFirstUse(actor.WithRequest(ctx, use.request), id, use.at)
			if fault.Is(err, fault.Unavailable) {
				u.noteFirstUse(id, use)
			}
			return err
		})
	}
	if err := commits.Wait(); err != nil {
		u.log.WarnContext(ctx, "first uses not noted yet", "error", err, "tried", len(firstUses))
	}
}

// settle keeps deltas that were surely not added, and drops those of whose
// fate nothing is known: better a use too few than one twice.
func (u *usage) settle(ctx context.Context, deltas []storage.UsageDelta, err error) {
	if err == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if fault.Is(err, fault.Unavailable) {
		for _, d := range deltas {
			u.merge(d)
		}
	} else {
		for _, d := range deltas {
			u.lost += d.Valid + d.Invalid
		}
	}
	u.log.WarnContext(ctx, "usage not added", "error", err, "lost", u.lost)
}

// Lost counts the uses that were never added to storage.
func (s *Service) Lost() int64 {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	return s.usage.lost
}
