package licensing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// When a license is due goes by its plan and by the configured notices. Where
// one of these becomes another, a round through the licenses follows that sets
// it anew. A round is noted in a record of its own after each page, without a
// journal entry: any server goes on with it, and two that do so at once harm
// nobody.

const (
	// settledAfter is how long after a plan's change the round begins: what was
	// decided by the plan before that is committed then.
	settledAfter = time.Minute
	cursorPrefix = "cur"
	// noticesCursor is the id of the round through all licenses.
	noticesCursor = cursorPrefix + "_notices"
	maxDuePlans   = 20 // that are read at once
)

// cursorBody says where a round stands.
type cursorBody struct {
	Round string        `json:"round"` // which; where that is another one, it begins anew
	After storage.Place `json:"after,omitempty"`
	Done  bool          `json:"done,omitempty"`
}

// round goes through the licenses of a plan, or through all.
type round struct {
	cursor storage.Record
	cursorBody
	plan string // empty: all
	anew bool   // the cursor was of another round, or of none
}

// rounds is what a server remembers of the round that follows new notices.
type rounds struct {
	noticesMu sync.Mutex
	begun     bool
	over      bool
}

// Reschedule sets when licenses are due anew where that is called for, of at
// most limit licenses or some more. It gives when to look again: now, where the
// limit was reached; none where nothing is called for. Errors: Unavailable.
func (s *Service) Reschedule(ctx context.Context, now time.Time, limit int) (next time.Time, err error) {
	left, err := s.followNotices(ctx, now, limit)
	if err != nil {
		return time.Time{}, err
	}
	q := storage.Query{
		Kind: storage.Plan, Order: storage.DueSoonest, First: maxDuePlans,
		Filter: storage.Filter{DueBefore: now.Add(time.Millisecond)},
	}
	for left > 0 {
		found, err := s.store.List(ctx, q)
		if err != nil {
			return time.Time{}, err
		}
		for _, plan := range found.Records {
			if left, err = s.followPlan(ctx, plan, now, left); err != nil {
				return time.Time{}, err
			}
		}
		if found.End != "" {
			q.After = found.End
		}
		if left > 0 && !found.More {
			return s.dueAfter(ctx, q)
		}
	}
	return now, nil
}

// followPlan goes on with the round of a plan that was changed. It gives what
// is left of the limit.
func (s *Service) followPlan(ctx context.Context, stored *storage.Stored, now time.Time, limit int) (left int, err error) {
	if _, err := decodePlan(stored); err != nil {
		s.log.ErrorContext(ctx, "a plan's licenses cannot be scheduled", "plan", stored.ID, "error", err.Error(), "again", putOffFor.String())
		return limit, unlessLost(s.moveDue(ctx, stored, now.Add(putOffFor)))
	}
	_, symbols, _ := strings.Cut(stored.ID, "_")
	r, err := s.openRound(ctx, cursorPrefix+"_"+symbols, stored.Index.Due.Format(time.RFC3339Nano))
	if err != nil {
		return limit, err
	}
	r.plan = stored.ID
	left, err = s.goRound(ctx, r, now, limit)
	if err == nil && r.Done {
		// Lost where the plan was changed meanwhile, which is seen to next time.
		err = s.moveDue(ctx, stored, time.Time{})
	}
	return left, unlessLost(err)
}

// followNotices goes on with the round through all licenses that follows a
// change of the notices, or a version that knew of none. Each server begins one
// once: where the notices of two differ, the later has the last word.
func (s *Service) followNotices(ctx context.Context, now time.Time, limit int) (left int, err error) {
	s.rounds.noticesMu.Lock()
	defer s.rounds.noticesMu.Unlock()
	if s.rounds.over {
		return limit, nil
	}
	r, err := s.openRound(ctx, noticesCursor, fmt.Sprint(s.notices))
	if err != nil {
		return limit, err
	}
	if r.anew && s.rounds.begun {
		s.rounds.over = true // as another server's notices have it
		return limit, nil
	}
	s.rounds.begun = true
	left, err = s.goRound(ctx, r, now, limit)
	s.rounds.over = err == nil && r.Done
	return left, unlessLost(err)
}

// unlessLost passes a lost race over: another server is at the same work.
func unlessLost(err error) error {
	if errors.Is(err, errLostRace) {
		return nil
	}
	return err
}

// openRound reads where a round stands, or begins it.
func (s *Service) openRound(ctx context.Context, id, name string) (*round, error) {
	found, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &round{cursor: storage.Record{Kind: storage.Cursor, ID: id}}
	if found[0] != nil {
		r.cursor = found[0].Record
		// One that cannot be read is one that is not there.
		r.cursorBody, _ = decode[cursorBody](found[0])
	}
	if r.Round != name {
		r.cursorBody, r.anew = cursorBody{Round: name}, true
	}
	return r, nil
}

// goRound goes on with a round, and gives what is left of the limit. Errors:
// Unavailable; errLostRace where another server goes on with it.
func (s *Service) goRound(ctx context.Context, r *round, now time.Time, limit int) (left int, err error) {
	plans := planCache{}
	q := storage.Query{
		Kind: storage.License, Order: storage.CreatedOldest, Filter: storage.Filter{Plan: r.plan}, First: maxAnnouncing,
	}
	for limit > 0 && !r.Done {
		q.After = r.After
		found, err := s.store.List(ctx, q)
		if fault.Is(err, fault.InvalidInput) && r.After != "" {
			r.After = "" // was another storage's
			continue
		}
		if err != nil {
			return limit, err
		}
		if err := plans.read(ctx, s, found.Records); err != nil {
			return limit, err
		}
		if err := s.scheduleAll(ctx, plans, found.Records, now); err != nil {
			return limit, err
		}
		limit -= max(1, len(found.Records))
		r.After, r.Done = found.End, !found.More
		if err := s.saveRound(ctx, r); err != nil {
			return limit, err
		}
	}
	return limit, nil
}

func (s *Service) saveRound(ctx context.Context, r *round) error {
	record, err := encode(r.cursor, r.cursorBody)
	if err != nil {
		return err
	}
	err = s.send(ctx, storage.Change{Record: record})
	r.cursor.Version++
	return err
}

// scheduleAll makes licenses due sooner, where they are.
func (s *Service) scheduleAll(ctx context.Context, plans planCache, records []*storage.Stored, now time.Time) error {
	var commits errgroup.Group
	for _, stored := range records {
		due := s.sooner(ctx, plans, stored, now)
		if due.IsZero() {
			continue
		}
		commits.Go(func() error { return s.hasten(ctx, plans, stored, due, now) })
	}
	return commits.Wait()
}

// sooner gives when a license is due, none where that is not sooner than was
// thought. One that would be due later is left to be looked at in vain: to look
// is cheaper than to commit.
func (s *Service) sooner(ctx context.Context, plans planCache, stored *storage.Stored, now time.Time) time.Time {
	l, err := decodeLicense(stored)
	var plan *license.Plan
	if err == nil {
		plan, err = plans.of(l.PlanID)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "a license cannot be scheduled", "license", stored.ID, "error", err.Error())
		return time.Time{}
	}
	s.schedule(l, plan, now)
	if is := stored.Index.Due; !is.IsZero() && !l.Due.Before(is) {
		return time.Time{}
	}
	return l.Due
}

// hasten makes a license due at a time. Where it was changed meanwhile it is
// judged anew: not every change sets when it is due. One that was moved to
// another plan is due by that. Errors: Unavailable.
func (s *Service) hasten(ctx context.Context, plans planCache, stored *storage.Stored, due, now time.Time) error {
	id, plan := stored.ID, stored.Index.Plan
	err := retry(ctx, func() error {
		err := s.moveDue(ctx, stored, due)
		if !errors.Is(err, errLostRace) {
			return err
		}
		again, err := storage.One(ctx, s.store, storage.License, id)
		if err != nil || again.Index.Plan != plan {
			return err
		}
		if stored, due = again, s.sooner(ctx, plans, again, now); due.IsZero() {
			return nil
		}
		return errLostRace
	})
	if fault.Is(err, fault.Unavailable) {
		return err
	}
	return nil
}
