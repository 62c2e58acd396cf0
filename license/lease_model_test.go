package license_test

import (
	"testing"
	"time"

	"github.com/keywright/keywright/license"
)

// Two machines and one floating seat, in every order of steps there is. The
// rules are the domain's own; storage is modelled by what its contract says of
// Commit, Removal and Touch. Clocks differ by a minute at most, and any call
// may wait for as long as it likes between its decision, on what it read, and
// its effect.

const (
	modelEnd  = 7 // minutes
	modelSkew = 1
	gone      = -1
)

// instants of the model are minutes.
type world struct {
	now   int8
	lease [2]int8 // each seat's, in storage; gone
	told  [2]int8 // until when each machine was told that the seat is its own
	beats [2]beat
	takes [2]take
}

// beat is a heartbeat on its way to storage.
type beat struct {
	on        bool
	at, until int8
}

// take is the change of an activation on its way to storage.
type take struct {
	on      bool
	stale   bool // the version that was read is not the stored one any more
	lease   int8
	removes bool // the other machine's seat,
	ifLease int8 // by this lease
}

func minute(n int8) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func minutes(t time.Time) int8 { return int8(t.Sub(noon) / time.Minute) }

var modelMachines = [2]string{"a", "b"}

func (w world) license() *license.License {
	l := &license.License{}
	for i, name := range modelMachines {
		if w.lease[i] != gone {
			l.Seats = append(l.Seats, license.Activation{ID: "act_" + name, Kind: license.Machine, Subject: name, LeaseUntil: minute(w.lease[i])})
		}
	}
	return l
}

// next gives every world that one step leads to. With conditional false a
// removal does not look at the stored lease.
func (w world) next(plan *license.Plan, conditional bool) []world {
	var all []world
	if w.now < modelEnd {
		passed := w
		passed.now++
		all = append(all, passed)
	}
	for i := range modelMachines {
		for now := w.now - modelSkew; now <= w.now+modelSkew; now++ {
			if !w.beats[i].on {
				all = append(all, w.beat(plan, i, now))
			}
			if !w.takes[i].on {
				all = append(all, w.take(plan, i, now))
			}
		}
		if w.beats[i].on {
			all = append(all, w.touch(i))
		}
		if w.takes[i].on {
			all = append(all, w.commit(i, conditional))
		}
	}
	return all
}

func (w world) beat(plan *license.Plan, i int, now int8) world {
	h := w.license().Heartbeat(plan, machine(modelMachines[i]), minute(now))
	switch {
	case h.Write:
		w.beats[i] = beat{on: true, at: now, until: minutes(h.Until)}
	case h.Seat != nil:
		w.told[i] = max(w.told[i], minutes(h.Until))
	}
	return w
}

func (w world) take(plan *license.Plan, i int, now int8) world {
	name := modelMachines[i]
	got, err := w.license().Activate(plan, machine(name), "act_"+name, "", "", minute(now))
	if err != nil {
		return w
	}
	w.takes[i] = take{on: true, lease: minutes(got.Seat.LeaseUntil)}
	for _, r := range got.Removed {
		w.takes[i].removes, w.takes[i].ifLease = true, minutes(r.LeaseUntil)
	}
	return w
}

func (w world) touch(i int) world {
	if b := w.beats[i]; w.lease[i] != gone && w.lease[i] > b.at {
		w.lease[i] = max(w.lease[i], b.until)
		w.told[i] = max(w.told[i], w.lease[i])
	}
	w.beats[i] = beat{}
	return w
}

func (w world) commit(i int, conditional bool) world {
	c, other := w.takes[i], 1-i
	w.takes[i] = take{}
	if c.stale || conditional && c.removes && w.lease[other] != c.ifLease {
		return w // a Conflict: the activation begins again, or gives up
	}
	if c.removes {
		w.lease[other] = gone
	}
	w.lease[i] = max(w.lease[i], c.lease)
	w.told[i] = max(w.told[i], w.lease[i])
	w.takes[other].stale = w.takes[other].on
	return w
}

// broken says what is wrong with the world, or nothing.
func (w world) broken() string {
	if w.lease[0] > w.now && w.lease[1] > w.now {
		return "two live leases in storage"
	}
	for i := range modelMachines {
		if w.told[i] > w.now+modelSkew && w.lease[i] < w.told[i] {
			return "a machine was told that a seat is its own for longer than it is"
		}
	}
	return ""
}

// explore goes through all worlds, and gives how many there are, or the first
// that is broken.
func explore(conditional bool) (worlds int, broken string) {
	plan := planned(func(p *license.Plan) { p.MaxMachines, p.LeaseDuration = new(1), lasting("PT3M") })
	start := world{lease: [2]int8{2, gone}, told: [2]int8{2, 0}}
	seen := map[world]bool{start: true}
	for todo := []world{start}; len(todo) > 0; {
		w := todo[0]
		todo = todo[1:]
		if wrong := w.broken(); wrong != "" {
			return len(seen), wrong
		}
		for _, n := range w.next(plan, conditional) {
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	return len(seen), ""
}

func TestOneSeatIsNeverTwoMachinesWhateverIsDelayed(t *testing.T) {
	worlds, broken := explore(true)
	if broken != "" || worlds < 10_000 {
		t.Errorf("%d worlds: %s", worlds, broken)
	}
	t.Logf("%d worlds", worlds)
}

// The model has the power to find the race that the condition closes.
func TestARemovalThatDoesNotLookAtTheLeaseBreaksIt(t *testing.T) {
	if worlds, broken := explore(false); broken == "" {
		t.Errorf("%d worlds, and none is broken", worlds)
	}
}
