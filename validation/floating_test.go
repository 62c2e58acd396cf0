package validation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// skew is how far a server's clock is from the right time at most: two may be
// three seconds apart.
const skew = 1500 * time.Millisecond

const stepsOfOne = 120 // in a history

// histories is how many are made of floating seats.
func histories() uint64 {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 2000
	}
	return 24
}

// Machines take, renew and free floating seats at two servers whose clocks are
// wrong and whose writes come late. Whatever comes late, and however late: no
// more leases are live in storage than there are seats, and no machine loses a
// seat, save by its own doing, before the time that it was told, less the skew.
func TestFloatingSeatsHoldWhateverComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRivals(t)
		heard := map[string]int{}
		for seed := range histories() {
			p := newPlay(t, r, seed)
			if wrong := p.run(); wrong != "" {
				t.Fatalf("history %d: %s\n%s", seed, wrong, strings.Join(p.log, "\n"))
			}
			for outcome, n := range p.heard {
				heard[outcome] += n
			}
		}
		taken, lost := r.gates[0].taken.Load()+r.gates[1].taken.Load(), r.gates[0].lost.Load()+r.gates[1].lost.Load()
		t.Logf("%v; run-out seats taken: %d, too late: %d", heard, taken, lost)
		for _, outcome := range []string{"given", "refused", "renewed", "ran out", "freed", "none"} {
			if heard[outcome] == 0 {
				t.Errorf("no call came to: %s", outcome)
			}
		}
		if taken == 0 {
			t.Error("no run-out seat was taken")
		}
	})
}

// The histories have the power to find what the contract of storage rules out.
func TestFloatingHistoriesFindAStoreThatIsBroken(t *testing.T) {
	for name, spoil := range map[string]spoiler{
		"removals do not look at the lease":  unconditional,
		"commits do not look at the version": overwriting,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRivals(t)
				for _, g := range r.gates {
					g.spoil = spoil
				}
				for seed := range 10 * histories() {
					if wrong := newPlay(t, r, seed).run(); wrong != "" {
						t.Logf("history %d: %s", seed, wrong)
						return
					}
				}
				t.Error("no history shows it")
			})
		})
	}
}

func unconditional(_ context.Context, _ storage.Store, c storage.Change) (storage.Change, error) {
	removals := make([]storage.Removal, len(c.Remove))
	for i, one := range c.Remove {
		removals[i].ID = one.ID
	}
	c.Remove = removals
	return c, nil
}

func overwriting(ctx context.Context, s storage.Store, c storage.Change) (storage.Change, error) {
	found, err := s.Get(ctx, c.Record.ID)
	if err == nil && found[0] != nil {
		c.Record.Version = found[0].Version
	}
	return c, err
}

// play is one history: what a few machines do about the seats of a license.
type play struct {
	*rivals
	t       *testing.T
	random  *rand.Rand
	id, key string
	limit   int
	drifts  bool
	players []*player
	heard   map[string]int // outcomes
	log     []string
}

// player is a machine, which does one thing at a time.
type player struct {
	name string
	busy bool
	done chan said
	told time.Time // the seat is its own until then
}

// said is what became of a call.
type said struct {
	until   time.Time
	outcome string
}

func newPlay(t *testing.T, r *rivals, seed uint64) *play {
	random := rand.New(rand.NewPCG(5, seed))
	p := &play{
		rivals: r, t: t, random: random, limit: 1 + random.IntN(2), drifts: seed%2 == 1, heard: map[string]int{},
	}
	p.id, p.key = r.issue(t, map[int]string{1: "one", 2: "two"}[p.limit])
	for i := range 3 + random.IntN(4) {
		p.players = append(p.players, &player{name: fmt.Sprint("m-", i), done: make(chan said, 1)})
	}
	r.off[0].Store(int64(-skew))
	r.off[1].Store(int64(skew))
	return p
}

// run plays to the end and says what is wrong, or nothing.
func (p *play) run() (wrong string) {
	for _, g := range p.gates {
		g.shut.Store(true)
	}
	for n := 0; n < stepsOfOne && wrong == ""; n++ {
		p.step()
		p.listen()
		wrong = p.look()
	}
	for p.unfinished() {
		p.through()
		p.listen()
		if wrong == "" {
			wrong = p.look()
		}
	}
	for _, g := range p.gates {
		g.shut.Store(false)
	}
	return wrong
}

// step does one thing: time passes, a machine calls, or a write that waited
// goes through.
func (p *play) step() {
	switch kind := p.random.IntN(10); {
	case kind < 2:
		p.clock.advance(time.Duration(100+p.random.IntN(2900)) * time.Millisecond)
		if p.drifts {
			for i := range p.off {
				p.off[i].Store(int64(skew) - p.random.Int64N(2*int64(skew)+1))
			}
		}
		p.note("time passes; the clocks are off by %v and %v", time.Duration(p.off[0].Load()), time.Duration(p.off[1].Load()))
	case kind < 6:
		if one := p.players[p.random.IntN(len(p.players))]; !one.busy {
			p.call(one)
		}
	default:
		p.through()
	}
}

// through lets one of the writes that wait go through. Where none waits, who
// has lost a race may have been waiting for its next try.
func (p *play) through() {
	all := p.gates[0].held() + p.gates[1].held()
	if all == 0 {
		<-time.After(10 * time.Millisecond)
		synctest.Wait()
		return
	}
	i, g := p.random.IntN(all), 0
	if i >= p.gates[0].held() {
		i, g = i-p.gates[0].held(), 1
	}
	p.note("a write at server %d goes through", g)
	p.gates[g].pass(i)
}

// call has a machine ask one of the servers: mostly for what it lacks.
func (p *play) call(one *player) {
	door, kind := p.random.IntN(2), p.random.IntN(10)
	what, ask := "activate", p.activate
	switch hopes := one.told.After(p.clock.now()); {
	case kind < 1:
		what, ask = "deactivate", p.deactivate
		one.told = time.Time{}
	case kind < 3, kind < 7 && hopes:
		what, ask = "heartbeat", p.heartbeat
	}
	p.note("%s: %s at server %d", one.name, what, door)
	one.busy = true
	go func() {
		got, err := ask(p.doors[door], one.name)
		if err != nil {
			got = said{outcome: "failed"}
		}
		one.done <- got
	}()
	synctest.Wait()
}

func (p *play) activate(s *validation.Service, machine string) (said, error) {
	got, err := s.Activate(p.t.Context(), validation.ActivateInput{Key: p.key, Product: new("acme"), Fingerprint: &machine})
	switch {
	case err != nil:
		return said{}, err
	case got.Activation == nil:
		return said{outcome: "refused"}, nil
	}
	return said{*got.Activation.LeaseUntil, "given"}, nil
}

func (p *play) heartbeat(s *validation.Service, machine string) (said, error) {
	got, err := s.Heartbeat(p.t.Context(), validation.HeartbeatInput{Key: p.key, Product: new("acme"), Fingerprint: &machine})
	switch {
	case err != nil:
		return said{}, err
	case got.LeaseUntil == nil:
		return said{outcome: "ran out"}, nil
	}
	return said{*got.LeaseUntil, "renewed"}, nil
}

func (p *play) deactivate(s *validation.Service, machine string) (said, error) {
	got, err := s.Deactivate(p.t.Context(), validation.DeactivateInput{Key: p.key, Product: new("acme"), Fingerprint: &machine})
	switch {
	case err != nil:
		return said{}, err
	case got.Removed:
		return said{outcome: "freed"}, nil
	}
	return said{outcome: "none"}, nil
}

// listen takes the answers that have come.
func (p *play) listen() {
	for _, one := range p.players {
		select {
		case got := <-one.done:
			p.note("%s: %s until %v", one.name, got.outcome, got.until)
			p.heard[got.outcome]++
			one.busy = false
			if got.until.After(one.told) {
				one.told = got.until
			}
		default:
		}
	}
}

// look says what is wrong with what is stored, or nothing.
func (p *play) look() string {
	now, live := p.clock.now(), 0
	leases := p.leases(p.t, p.id)
	for _, end := range leases {
		if end.After(now) {
			live++
		}
	}
	if live > p.limit {
		return fmt.Sprintf("%d leases are live, of %d seats: %v", live, p.limit, leases)
	}
	for _, one := range p.players {
		if one.told.After(now.Add(skew)) && leases[one.name].Before(one.told) {
			return fmt.Sprintf("%s was told until %v, and %v is stored", one.name, one.told, leases)
		}
	}
	return ""
}

func (p *play) unfinished() bool {
	for _, one := range p.players {
		if one.busy {
			return true
		}
	}
	return false
}

func (p *play) note(format string, args ...any) {
	p.log = append(p.log, p.clock.now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}
