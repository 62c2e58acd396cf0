package test_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/internal/engines"
)

const (
	claimants      = 8  // that call at the same time
	callsOfOne     = 24 // in a history
	moreMachines   = 4  // than a license has seats
	outOfReach     = claimants * callsOfOne
	firstKillAfter = 20 // calls
)

// histories is how many are made.
func histories() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 300
	}
	return 8
}

func TestClaimsAndReleasesOverTwoServersAreLinearizable(t *testing.T) {
	openSources(t)
	claimAndRelease(t, t.TempDir(), histories())
}

func TestClaimsAndReleasesOverTwoServersOnPostgreSQLAreLinearizable(t *testing.T) {
	openSources(t)
	claimAndRelease(t, keptIn(t, engines.Postgres(t)), engineHistories())
}

// engineHistories are those of ten minutes, where an engine runs beside.
func engineHistories() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 1200
	}
	return 8
}

// claimAndRelease fails unless what two servers answer about the seats of a
// license is what one that does one thing at a time could have answered, even
// if one of them or both are killed meanwhile: what was acknowledged is there,
// what was not is done once or not at all. The calls, and after which of them a
// server is killed, follow from the number of the history.
func claimAndRelease(t *testing.T, data string, histories int) {
	t.Helper()
	p := &pair{data: data}
	p.servers[0], p.servers[1], p.doors[0], p.doors[1] = serveTwo(t, p.data)
	if err := p.doors[0].seatPlans(1, 2, 3, 10); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for n := range histories {
		history, err := p.history(t, n)
		if err == nil {
			err = linearizable(history)
		}
		if err != nil {
			t.Fatalf("history %d: %v\n%s%s", n, err, p.servers[0].Stderr, p.servers[1].Stderr)
		}
		for _, one := range history {
			said[one.Output.(seatOutcome).says]++
		}
	}
	for _, s := range p.servers {
		if err := errors.Join(s.stop(), quiet(s)); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%v", said)
	for _, says := range []string{"created", "found", "refused", "removed", "none", "read", unknown.says} {
		if said[says] == 0 {
			t.Errorf("no call was answered with %s: %v", says, said)
		}
	}
}

// pair is two servers on one data directory.
type pair struct {
	data    string
	servers [2]*server
	doors   [2]client
	killed  [2]atomic.Bool
}

// history has claimants call both servers about new licenses, reads at the end
// who holds the seats, and gives all that was answered. Of four histories one
// has each server killed, and one has both.
func (p *pair) history(t *testing.T, n int) ([]porcupine.Operation, error) {
	h := &history{pair: p, began: time.Now(), killAfter: [2]int64{outOfReach, outOfReach}}
	random := rand.New(rand.NewPCG(4, uint64(n)))
	for i := range p.servers {
		if n%4 == i+1 || n%4 == 3 {
			h.killAfter[i] = int64(firstKillAfter + random.IntN(outOfReach/2))
		}
	}
	for _, limit := range []int{1, 2, 3, 10} {
		l, err := p.doors[0].seated(limit)
		if err != nil {
			return nil, err
		}
		h.licenses = append(h.licenses, l)
	}
	var all errgroup.Group
	for i := range claimants {
		c := claimant{history: h, number: i, random: rand.New(rand.NewPCG(uint64(n), uint64(i)))}
		all.Go(c.run)
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	if err := h.readAll(); err != nil {
		return nil, err
	}
	if err := p.restart(t); err != nil {
		return nil, err
	}
	return h.operations, h.readAll()
}

// restart starts those that were killed, both at the same time.
func (p *pair) restart(t *testing.T) error {
	var both errgroup.Group
	for i := range p.servers {
		if p.killed[i].Swap(false) {
			both.Go(func() (err error) {
				if err := quiet(p.servers[i]); err != nil {
					return err
				}
				p.servers[i], p.doors[i], err = startDev(t, p.data)
				return err
			})
		}
	}
	return both.Wait()
}

// history is what was asked and answered.
type history struct {
	*pair
	began     time.Time
	licenses  []seated
	calls     atomic.Int64
	killAfter [2]int64 // calls

	operationsMu sync.Mutex
	operations   []porcupine.Operation
}

func (h *history) now() int64 { return time.Since(h.began).Nanoseconds() }

// begin counts a call, and kills a server whose time has come.
func (h *history) begin() {
	calls := h.calls.Add(1)
	for i, after := range h.killAfter {
		if calls == after {
			h.killed[i].Store(true)
			h.servers[i].kill()
		}
	}
}

// ask makes a call and notes it. One whose server is killed under it is in
// doubt, and so is one that the server did not know the outcome of: such a
// call may be served at any time, but that a server which is dead writes no
// file of its own.
func (h *history) ask(door, claimant int, c seatCall) error {
	one := porcupine.Operation{ClientId: claimant, Input: c, Call: h.now()}
	outcome, err := h.call(h.doors[door], c)
	one.Output, one.Return = outcome, h.now()
	var refused *refusal
	switch {
	case err == nil:
	case errors.Is(err, errNoAnswer) && h.killed[door].Load():
		one.Output, one.Return = unknown, math.MaxInt64
		if engineOf(h.data) == "" {
			<-h.servers[door].ended
			one.Return = h.now()
		}
	case errors.As(err, &refused) && refused.Extensions.Code == "UNAVAILABLE":
		one.Output, one.Return = unknown, math.MaxInt64
	default:
		return fmt.Errorf("%+v: %w", c, err)
	}
	h.operationsMu.Lock()
	defer h.operationsMu.Unlock()
	h.operations = append(h.operations, one)
	return nil
}

func (h *history) call(door client, c seatCall) (seatOutcome, error) {
	l, machine := h.licenses[c.license], fmt.Sprint("m-", c.machine)
	switch c.what {
	case "read":
		machines, count, err := door.holders(l.id)
		read := seatOutcome{says: "read", count: count}
		for i := range l.limit + moreMachines {
			if slices.Contains(machines, fmt.Sprint("m-", i)) {
				read.held |= 1 << i
			}
		}
		return read, err
	case "activate":
		got, err := door.activate(l.key, machine)
		return seatOutcome{says: got.claimed(), count: got.Validation.License.MachineCount}, err
	}
	got, err := door.deactivate(l.key, machine)
	says := "none"
	if got.Removed {
		says = "removed"
	}
	return seatOutcome{says: says, count: got.Validation.License.MachineCount}, err
}

// claimed says in the model's words what activate was answered.
func (a seatAnswer) claimed() string {
	switch {
	case a.Activation.ID == "" && !a.Created && a.Validation.Code == "MACHINE_LIMIT_REACHED":
		return "refused"
	case a.Activation.ID != "" && a.Validation.Code == "VALID" && a.Created:
		return "created"
	case a.Activation.ID != "" && a.Validation.Code == "VALID":
		return "found"
	}
	return strings.TrimSpace(fmt.Sprintf("neither: %+v", a))
}

// readAll reads who holds the seats at the servers that are there.
func (h *history) readAll() error {
	for door := range h.doors {
		for i, l := range h.licenses {
			if h.killed[door].Load() {
				continue
			}
			if err := h.ask(door, claimants, seatCall{what: "read", license: i, limit: l.limit}); err != nil {
				return err
			}
		}
	}
	return nil
}

// claimant makes one call after the other, at either server, for any machine.
type claimant struct {
	*history
	number int
	random *rand.Rand
}

func (c claimant) run() error {
	for range callsOfOne {
		i := c.random.IntN(len(c.licenses))
		l := c.licenses[i]
		one := seatCall{what: "activate", license: i, limit: l.limit, machine: c.random.IntN(l.limit + moreMachines)}
		if c.random.IntN(5) < 2 {
			one.what = "deactivate"
		}
		door := c.random.IntN(2)
		c.begin()
		if c.killed[door].Load() {
			door = 1 - door // a claimant does not wait for one that is gone
		}
		if c.killed[door].Load() {
			return nil
		}
		if err := c.ask(door, c.number, one); err != nil {
			return err
		}
	}
	return nil
}
