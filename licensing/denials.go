package licensing

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// What stands here accounts for refusals: of an actor, an action and a product
// there is one entry an hour, on any number of servers, and it says how many
// refusals there were. Those that come after the hour's entry are counted in
// memory and go into a later one; a crash loses these counts alone.

const (
	denialPrefix  = "den"
	denialsKept   = 30 * 24 * time.Hour
	denialTimeout = 5 * time.Second
	// maxDenials bounds what is counted in memory at once. Who is refused more
	// kinds of things than that is in the log alone.
	maxDenials = 10_000
	// maxTelling bounds the entries that are written at once.
	maxTelling = 32
	// tellingSpread is how long after the hour's end the servers write down
	// what is left, each at another time: so none always comes first.
	tellingSpread = time.Minute
)

// denial is who was refused what; product is empty where none is known.
type denial struct {
	actor.Actor
	action  authz.Action
	product string
}

// id is of the record that the entry of an hour belongs to: one hour has one.
func (d denial) id(hour time.Time) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"keywright denial v1", string(d.Kind), d.ID, string(d.action), d.product, hour.Format(time.RFC3339),
	}, "\n")))
	return id.FromHash(denialPrefix, sum[:])
}

// refusals are those of one denial that no entry counts yet.
type refusals struct {
	count int
	since time.Time // when the first of them was refused
	told  time.Time // the hour for which an entry was last made, here or elsewhere
}

// denials are what was refused on this server.
type denials struct {
	countedMu sync.Mutex
	counted   map[denial]*refusals
	dropped   int // refusals for which there was no room
}

// add counts a refusal, and reports whether it is the first of its hour.
func (d *denials) add(what denial, now time.Time) bool {
	d.countedMu.Lock()
	defer d.countedMu.Unlock()
	r := d.at(what)
	if r == nil {
		d.dropped++
		return false
	}
	r.merge(refusals{count: 1, since: now})
	return r.tell(hourOf(now))
}

// at gives the place of a denial, nil where there is no room for it.
func (d *denials) at(what denial) *refusals {
	if d.counted == nil {
		d.counted = map[denial]*refusals{}
	}
	r := d.counted[what]
	if r == nil && len(d.counted) < maxDenials {
		r = &refusals{}
		d.counted[what] = r
	}
	return r
}

func (r *refusals) merge(more refusals) {
	if r.count == 0 || more.count > 0 && more.since.Before(r.since) {
		r.since = more.since
	}
	r.count += more.count
}

// tell reports whether the hour has no entry yet that is known of, and has it
// count as told. An hour that comes before the one told last is of a clock that
// was set back: it is told, too.
func (r *refusals) tell(hour time.Time) bool {
	if r.told.Equal(hour) {
		return false
	}
	r.told = hour
	return true
}

// take gives what no entry counts, for one that is about to be made.
func (d *denials) take(what denial) refusals {
	d.countedMu.Lock()
	defer d.countedMu.Unlock()
	r := d.counted[what]
	if r == nil {
		return refusals{}
	}
	taken := *r
	r.count = 0
	return taken
}

// giveBack is for an entry that was not made.
func (d *denials) giveBack(what denial, taken refusals) {
	d.countedMu.Lock()
	defer d.countedMu.Unlock()
	if r := d.at(what); r != nil {
		r.merge(taken)
	} else {
		d.dropped += taken.count
	}
}

// due lists what is to be told now, and forgets what was told in another hour.
// The last time everything is due.
func (d *denials) due(hour time.Time, last bool) (due []denial, dropped int) {
	d.countedMu.Lock()
	defer d.countedMu.Unlock()
	for what, r := range d.counted {
		switch {
		case r.count > 0 && (r.tell(hour) || last):
			due = append(due, what)
		case r.count == 0 && !r.told.Equal(hour):
			delete(d.counted, what)
		}
	}
	dropped, d.dropped = d.dropped, 0
	return due, dropped
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// Denied accounts for a refusal that was judged before any use-case was
// called: whoever calls in ctx may not do the action on any product.
func (s *Service) Denied(ctx context.Context, action authz.Action) { s.denied(ctx, action, "") }

// denied accounts for a refusal. Callers without a valid credential are in the
// log alone. That it cannot be written down changes nothing for the caller.
func (s *Service) denied(ctx context.Context, action authz.Action, product string) {
	who := actor.From(ctx)
	s.log.WarnContext(ctx, "access denied", "actor", who.String(), "action", string(action))
	what, now := denial{who, action, product}, s.now()
	if who.Nobody() || !s.denials.add(what, now) {
		return
	}
	// Who is refused does not escape the entry by hanging up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), denialTimeout)
	defer cancel()
	s.tellDenial(ctx, what, now, false)
}

// refuse accounts for a refusal and makes its error.
func (s *Service) refuse(ctx context.Context, action authz.Action, product string) error {
	s.denied(ctx, action, product)
	return authz.Refuse(action)
}

// RunDenials writes down each hour what was counted in the one before, and
// what is left when ctx ends.
func (s *Service) RunDenials(ctx context.Context) {
	for {
		now := s.clock()
		//nolint:gosec // to spread servers is no secret
		wait := hourOf(now).Add(time.Hour).Sub(now) + rand.N(tellingSpread)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			s.tellDenials(ctx, false)
		case <-ctx.Done():
			timer.Stop()
			s.tellDenials(ctx, true)
			return
		}
	}
}

func (s *Service) tellDenials(ctx context.Context, last bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*denialTimeout)
	defer cancel()
	now := s.now()
	due, dropped := s.denials.due(hourOf(now), last)
	if dropped > 0 {
		s.log.WarnContext(ctx, "refusals are in no entry of the journal, because there were too many kinds of them", "refusals", dropped)
	}
	var telling errgroup.Group
	telling.SetLimit(maxTelling)
	for _, what := range due {
		telling.Go(func() error {
			s.tellDenial(ctx, what, now, last)
			return nil
		})
	}
	_ = telling.Wait() // each failure is logged
}

// tellDenial makes the hour's entry. Where another server has made it, the
// count waits for the next hour's, save for the last time: then it goes into a
// further entry of the same record.
func (s *Service) tellDenial(ctx context.Context, what denial, now time.Time, last bool) {
	taken := s.denials.take(what)
	if taken.count == 0 {
		return
	}
	err := s.commitDenial(ctx, what, taken, now, 0)
	if last && errors.Is(err, errLostRace) {
		err = retry(ctx, func() error {
			there, err := storage.One(ctx, s.store, storage.Denial, what.id(hourOf(now)))
			if err != nil {
				return err
			}
			return s.commitDenial(ctx, what, taken, now, there.Version)
		})
	}
	if err == nil {
		return
	}
	s.denials.giveBack(what, taken)
	if !errors.Is(err, errLostRace) {
		s.log.ErrorContext(ctx, "a refusal is not in the journal yet", "error", err, "actor", what.String(), "action", string(what.action))
	}
}

// denialBody is what a record of a refusal says. It is there for its id.
type denialBody struct {
	Actor  actor.Actor  `json:"actor"`
	Action authz.Action `json:"action"`
}

func (s *Service) commitDenial(ctx context.Context, what denial, told refusals, now time.Time, version int64) error {
	record, err := encode(storage.Record{
		Kind: storage.Denial, ID: what.id(hourOf(now)), Version: version,
		Index: storage.Index{Product: what.product, State: storage.Deleted, Created: now, Due: now.Add(denialsKept)},
	}, denialBody{Actor: what.Actor, Action: what.action})
	if err != nil {
		return err
	}
	return s.commit(ctx, commitment{by: what.Actor, at: now, record: record, events: []event{{
		Type: journal.AccessDenied,
		details: journal.AccessDeniedData{
			Action: string(what.action), Count: told.count, Since: told.since,
		},
	}}})
}
