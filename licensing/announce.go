package licensing

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

const (
	// maxAnnouncing bounds the licenses that are read, and then committed, at
	// once: drivers group commits that wait together.
	maxAnnouncing = 200
	// putOffFor is how long a license is left alone that cannot be read, or
	// whose change storage refuses.
	putOffFor = time.Hour
)

// scheduler is who makes what the clock makes.
func scheduler() actor.Actor { return actor.Actor{Kind: actor.System, ID: "scheduler"} }

// schedule sets when a license is due, under its plan. Every change of a
// license calls it before the license is encoded, save for those that touch
// nothing that it goes by.
func (s *Service) schedule(l *license.License, plan *license.Plan, now time.Time) {
	l.Due = l.NextDue(plan, s.notices, now)
}

// Announce announces what is due, of at most limit licenses, each as a change
// of the license; one that has nothing to be announced yet is due later. It
// gives when to look again: now, where the limit was reached; none where
// nothing is due. Any number of servers may do so at once: a license's version
// makes each announcement once, and who loses the race leaves it alone. Errors:
// Unavailable, with some announced.
func (s *Service) Announce(ctx context.Context, now time.Time, limit int) (next time.Time, err error) {
	// Where they are not issued, licenses have no news, and a due of another
	// meaning.
	q := storage.Query{Kind: storage.License, Order: storage.DueSoonest, Filter: storage.Filter{
		State: string(license.Issued), DueBefore: now.Add(time.Millisecond),
	}}
	a := announcing{Service: s, at: now.UTC().Truncate(time.Millisecond), plans: planCache{}}
	for limit > 0 {
		q.First = min(limit, maxAnnouncing)
		found, err := s.store.List(ctx, q)
		if err != nil {
			return time.Time{}, err
		}
		if err := a.all(ctx, found.Records); err != nil {
			return time.Time{}, err
		}
		if found.End != "" {
			q.After = found.End
		}
		if !found.More {
			return s.dueAfter(ctx, q)
		}
		limit -= len(found.Records)
	}
	return now, nil
}

// dueAfter gives when what lies behind a page is due, none where nothing does.
func (s *Service) dueAfter(ctx context.Context, q storage.Query) (time.Time, error) {
	q.Filter.DueBefore, q.First = time.Time{}, 1
	found, err := s.store.List(ctx, q)
	if err != nil || len(found.Records) == 0 {
		return time.Time{}, err
	}
	return found.Records[0].Index.Due, nil
}

// announcing is one call of Announce.
type announcing struct {
	*Service
	at    time.Time
	plans planCache
}

// all announces these licenses. Several servers may have read the same, so each
// takes them in an order of its own.
func (a announcing) all(ctx context.Context, records []*storage.Stored) error {
	if err := a.plans.read(ctx, a.Service, records); err != nil {
		return err
	}
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	var commits errgroup.Group
	for _, stored := range records {
		commits.Go(func() error { return a.orPutOff(ctx, stored) })
	}
	return commits.Wait()
}

// orPutOff announces a license, and puts off what cannot be: a broken record
// keeps nobody else waiting.
func (a announcing) orPutOff(ctx context.Context, stored *storage.Stored) error {
	err := a.one(ctx, stored)
	switch {
	case errors.Is(err, errLostRace):
		return nil // to somebody who has seen to it
	case err == nil, fault.Is(err, fault.Unavailable):
		return err
	}
	a.log.ErrorContext(ctx, "a license cannot be announced", "license", stored.ID, "error", err.Error(), "again", putOffFor.String())
	if err := a.moveDue(ctx, stored, a.at.Add(putOffFor)); fault.Is(err, fault.Unavailable) {
		return err
	}
	return nil
}

func (a announcing) one(ctx context.Context, stored *storage.Stored) error {
	l, err := decodeLicense(stored)
	if err != nil {
		return err
	}
	plan, err := a.plans.of(l.PlanID)
	if err != nil {
		return err
	}
	news := l.Announce(plan, a.notices, a.at)
	a.schedule(l, plan, a.at)
	if len(news) == 0 {
		return a.moveDue(ctx, stored, l.Due)
	}
	events := make([]event, 0, len(news))
	for _, n := range news {
		events = append(events, eventOf(n))
	}
	return a.note(ctx, stored, l, commitment{by: scheduler(), at: a.at, events: events})
}

// moveDue says when a record is due, and changes nothing else of it: no news,
// so there is no entry.
func (s *Service) moveDue(ctx context.Context, stored *storage.Stored, due time.Time) error {
	if stored.Index.Due.Equal(due) {
		return nil
	}
	record := stored.Record
	record.Index.Due = due
	return s.send(ctx, storage.Change{Record: record})
}

// eventOf is an announcement as the journal tells of it.
func eventOf(n license.Announcement) event {
	switch n.News {
	case license.Expiring:
		return event{Type: journal.LicenseExpiring, details: journal.LicenseExpiringData{ExpiresAt: n.ExpiresAt, DaysLeft: n.DaysLeft}}
	case license.Expired:
		return event{Type: journal.LicenseExpired, details: journal.LicenseExpiredData{ExpiresAt: n.ExpiresAt}}
	case license.Lapsed:
		return event{Type: journal.LicenseLapsed, details: journal.LicenseLapsedData{ExpiresAt: n.ExpiresAt, GraceUntil: n.GraceUntil}}
	case license.Overdue:
		return event{Type: journal.LicenseOverdue, details: journal.LicenseOverdueData{LastSeenAt: n.LastSeenAt, CheckInInterval: n.CheckInInterval.String()}}
	}
	panic("licensing: no event is " + string(n.News))
}

// planCache holds the plans of a pass by their ids, each read once.
type planCache map[string]readPlan

// readPlan is a plan, or why it cannot be read.
type readPlan struct {
	plan *license.Plan
	err  error
}

// read reads the plans of licenses that are not there yet. Errors: Unavailable.
func (c planCache) read(ctx context.Context, s *Service, licenses []*storage.Stored) error {
	var ids []string
	for _, stored := range licenses {
		id := stored.Index.Plan
		if _, known := c[id]; !known && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := s.store.Get(ctx, ids...)
	if err != nil {
		return err
	}
	for i, id := range ids {
		plan, err := decodeFound(found[i], id, decodePlan)
		c[id] = readPlan{plan, err}
	}
	return nil
}

func (c planCache) of(id string) (*license.Plan, error) {
	found, known := c[id]
	if !known {
		return nil, fmt.Errorf("licensing: plan %s was not read", id)
	}
	return found.plan, found.err
}
