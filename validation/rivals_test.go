package validation_test

import (
	"context"
	"encoding/json"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/validation"
)

// rivals are two servers on one SQLite file, each with a clock of its own. What
// they write to seats waits at a gate until the test lets it through. They live
// in a bubble of synctest.
type rivals struct {
	clock   *clock // right
	off     [2]atomic.Int64
	gates   [2]*gate
	staff   *licensing.Service
	doors   [2]*validation.Service
	secrets *secret.List
}

// newRivals opens the servers and a product with plans of one and of two
// floating seats, the least lease there is. They are closed by the test's end.
func newRivals(t *testing.T) *rivals {
	t.Helper()
	r := &rivals{clock: &clock{}}
	r.clock.Store(noon.UnixMilli())
	var err error
	r.secrets, err = secret.Parse([]byte(newSecret(t)))
	ok(t, err)
	file := &url.URL{Scheme: "sqlite", Path: filepath.Join(t.TempDir(), "keywright.db")}
	for i := range r.doors {
		store, err := sqlite.Open(t.Context(), file)
		ok(t, err)
		t.Cleanup(func() { ok(t, store.Close()) })
		ok(t, store.Migrate(t.Context()))
		r.gates[i] = &gate{Store: store}
		now := func() time.Time { return r.clock.now().Add(time.Duration(r.off[i].Load())) }
		use := licensing.New(licensing.Config{
			Store: r.gates[i], Secrets: r.secrets, Enforcer: authz.SingleAdmin{Admin: authz.DevAdmin}, Now: now,
		})
		r.doors[i] = validation.New(validation.Config{
			Source: validation.StorageSource{Licensing: use, Now: now}, Licenses: use, Secrets: r.secrets, Counter: store, Now: now,
		})
		r.staff = use
	}
	_, err = r.staff.CreateProduct(asStaff(t), licensing.CreateProductInput{Code: "acme", Name: "acme", KeyPrefix: "ACME"})
	ok(t, err)
	for code, machines := range map[string]int{"one": 1, "two": 2} {
		_, err := r.staff.CreatePlan(asStaff(t), licensing.CreatePlanInput{
			Product: "acme", Code: code, Name: code, MaxMachines: &machines, LeaseDuration: lasting("PT10S"),
			ExpiryBasis: license.FromCreation, RenewalBasis: license.FromExpiry,
		})
		ok(t, err)
	}
	return r
}

// issue makes a license.
func (r *rivals) issue(t *testing.T, plan string) (id, keyText string) {
	t.Helper()
	made, err := r.staff.IssueLicense(asStaff(t), licensing.IssueLicenseInput{Plan: "acme/" + plan})
	ok(t, err)
	return made.License.ID(), made.Key
}

// leases gives the ends of the leases in storage, by fingerprint.
func (r *rivals) leases(t *testing.T, id string) map[string]time.Time {
	t.Helper()
	found, err := r.gates[0].Get(t.Context(), id)
	ok(t, err)
	leases := map[string]time.Time{}
	for _, seat := range found[0].Seats {
		var body struct{ Subject string }
		ok(t, json.Unmarshal(seat.Body, &body))
		leases[body.Subject] = seat.Lease
	}
	return leases
}

// spoiler makes a change what a store that is broken would make of it.
type spoiler func(context.Context, storage.Store, storage.Change) (storage.Change, error)

// gate is a store before which writes wait, while it is shut.
type gate struct {
	storage.Store
	shut  atomic.Bool
	spoil spoiler // nil: none

	taken, lost atomic.Int64 // changes that removed a run-out seat, or came too late to

	waitingMu sync.Mutex
	waiting   []chan struct{} // in the order in which they came
}

func (g *gate) Commit(ctx context.Context, c storage.Change) error {
	g.wait()
	var err error
	if g.spoil != nil {
		if c, err = g.spoil(ctx, g.Store, c); err != nil {
			return err
		}
	}
	err = g.Store.Commit(ctx, c)
	if len(c.Put) > 0 && len(c.Remove) > 0 {
		if err == nil {
			g.taken.Add(1)
		} else {
			g.lost.Add(1)
		}
	}
	return err
}

func (g *gate) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	g.wait()
	return g.Store.Touch(ctx, leases)
}

func (g *gate) wait() {
	if !g.shut.Load() {
		return
	}
	through := make(chan struct{})
	g.waitingMu.Lock()
	g.waiting = append(g.waiting, through)
	g.waitingMu.Unlock()
	<-through
}

// pass lets the one through that came as the i-th of those that wait, and
// returns when it and whoever it held up have come as far as they can.
func (g *gate) pass(i int) {
	g.waitingMu.Lock()
	through := g.waiting[i]
	g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
	g.waitingMu.Unlock()
	close(through)
	synctest.Wait()
}

// held is how many wait.
func (g *gate) held() int {
	g.waitingMu.Lock()
	defer g.waitingMu.Unlock()
	return len(g.waiting)
}
