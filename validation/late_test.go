package validation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/validation"
)

// A heartbeat waits at one server, on its way to storage, and at its time the
// other gives its seat away. Who comes first has the seat, and the other is
// told that there is none.
func TestALateHeartbeatAndANewMachineOfTwoServers(t *testing.T) {
	for name, c := range map[string]struct {
		first int // the server whose write goes through first
		want  map[string]time.Duration
	}{
		"the heartbeat comes late":   {1, map[string]time.Duration{"m-2": 20 * time.Second}},
		"the new machine comes late": {0, map[string]time.Duration{"m-1": 19 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRivals(t)
				id, keyText := r.issue(t, "one")
				activate(t, r.doors[0], keyText, "m-1")
				r.gates[0].shut.Store(true)
				r.gates[1].shut.Store(true)

				beats, claims := make(chan *validation.HeartbeatPayload, 1), make(chan *validation.ActivatePayload, 1)
				r.clock.advance(9 * time.Second)
				go func() { beats <- heartbeat(t, r.doors[0], keyText, "m-1") }()
				synctest.Wait()
				r.clock.advance(time.Second)
				go func() { claims <- activate(t, r.doors[1], keyText, "m-2") }()
				synctest.Wait()
				if r.gates[0].held() != 1 || r.gates[1].held() != 1 {
					t.Fatalf("%d and %d writes wait, want one each", r.gates[0].held(), r.gates[1].held())
				}
				r.gates[1].shut.Store(false) // for what tells that the limit was reached
				r.gates[c.first].pass(0)
				r.gates[1-c.first].pass(0)

				beat, claim := <-beats, <-claims
				got := map[string]time.Duration{}
				for machine, end := range r.leases(t, id) {
					got[machine] = end.Sub(noon)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("leases (-want +stored):\n%s", diff)
				}
				_, kept := c.want["m-1"]
				codes := map[bool]license.Code{true: license.CodeValid, false: license.CodeMachineLimitReached}
				wantCode(t, beat.Validation, codes[kept])
				wantCode(t, claim.Validation, codes[!kept])
				if claim.Created == kept || (beat.LeaseUntil != nil) != kept {
					t.Errorf("created %t, renewed until %v", claim.Created, beat.LeaseUntil)
				}
			})
		})
	}
}
