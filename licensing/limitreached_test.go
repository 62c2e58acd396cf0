package licensing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// limits lists what the journal says of limits that were reached, in order.
func (s *shop) limits(t testing.TB) []journal.LimitReachedData {
	t.Helper()
	var all []journal.LimitReachedData
	for _, e := range s.entries(t, 0) {
		if e.Type == journal.LimitReached {
			var d journal.LimitReachedData
			if err := json.Unmarshal(e.Data, &d); err != nil {
				t.Fatalf("%s: %v", e.Data, err)
			}
			all = append(all, d)
		}
	}
	return all
}

func (s *shop) wantLimits(t testing.TB, want ...journal.LimitReachedData) {
	t.Helper()
	if diff := cmp.Diff(want, s.limits(t)); diff != "" {
		t.Errorf("limits (-want +got): %s", diff)
	}
}

// claimed has machines ask for seats, one after the other.
func (s *shop) claimed(t testing.TB, keyText string, machines ...string) {
	t.Helper()
	for _, m := range machines {
		must(s.Activate(actor.WithRequest(context.Background(), "R-"+m), s.claim(t, keyText, m)))(t)
	}
}

func TestARefusalForWantOfASeatIsToldOnceAnHour(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	s.claimed(t, made.Key, "m-1", "m-2")
	s.wantLimits(t) // a license that is just full is as it should be
	s.claimed(t, made.Key, "m-3", "m-4", "m-3")
	full := journal.LimitReachedData{Kind: "MACHINE", Limit: 2, Count: 2, Refused: true}
	s.wantLimits(t, full)
	entries := s.entries(t, 0)
	e, id := entries[len(entries)-1], made.License.ID()
	if e.Subject != id || e.License != id || e.Actor != (actor.Actor{Kind: actor.LicenseHolder, ID: id}) || e.Request != "R-m-3" || e.Revision != 1 {
		t.Errorf("the entry is %+v", e)
	}
	s.wantTrue(t, e)

	s.now = noon.Add(59 * time.Minute)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-5")))(t) // in the place of one that ran out
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-6")))(t)
	s.claimed(t, made.Key, "m-7")
	s.wantLimits(t, full)
	s.now = noon.Add(time.Hour)
	s.claimed(t, made.Key, "m-7", "m-8")
	s.wantLimits(t, full, full)
}

func TestASeatBeyondTheLimitIsTold(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "over")
	in.MaxMachines, in.OveragePercent = ptr(2), 100
	must(s.CreatePlan(as(ada), in))(t)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/over" })
	s.claimed(t, made.Key, "m-1", "m-2")
	s.wantLimits(t)
	s.claimed(t, made.Key, "m-3")
	beyond := journal.LimitReachedData{Kind: "MACHINE", Limit: 2, Count: 3}
	s.wantLimits(t, beyond)
	if diff := cmp.Diff([]journal.Type{journal.ActivationCreated, journal.LimitReached}, s.types(t, len(s.entries(t, 0))-2)); diff != "" {
		t.Errorf("not in one change: %s", diff)
	}
	s.claimed(t, made.Key, "m-3", "m-4", "m-5")
	s.wantLimits(t, beyond)
	s.now = noon.Add(time.Hour)
	s.claimed(t, made.Key, "m-4") // is found, and wants nothing
	s.wantLimits(t, beyond)
	s.claimed(t, made.Key, "m-5")
	s.wantLimits(t, beyond, journal.LimitReachedData{Kind: "MACHINE", Limit: 2, Count: 4, Refused: true})
}

func TestEachKindOfSeatIsToldForItself(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.MaxMachines, in.MaxDomains = &licensing.LimitInput{Max: ptr(0)}, &licensing.LimitInput{Max: ptr(1)}
		in.Domains = []string{"example.com"}
	})
	domain, err := license.ParseDomain("example.org")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.claimed(t, made.Key, "m-1")
		c := licensing.SeatClaim{Holder: s.holder(t, made.Key), Subject: domain}
		c.Request.Domain = &domain
		must(s.Activate(context.Background(), c))(t)
	}
	s.wantLimits(t, journal.LimitReachedData{Kind: "MACHINE", Refused: true}, journal.LimitReachedData{Kind: "DOMAIN", Limit: 1, Count: 1, Refused: true})
}

func TestNoLimitIsToldWhereSomethingElseIsInTheWay(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	s.claimed(t, made.Key, "m-1", "m-2")
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: made.License.ID()}))(t)
	s.claimed(t, made.Key, "m-3")
	s.wantLimits(t)
}

func TestACrowdAtAFullLicenseMakesOneCommitAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1)
		close(c.letGo)
		c.claimed(t, c.made.Key, "m-0")
		var all sync.WaitGroup
		for i := range 500 {
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i+1))
			all.Go(func() {
				if must(c.Activate(context.Background(), claim))(t).Changed {
					t.Error("a seat too many")
				}
			})
		}
		all.Wait()
		if n := c.commits.Load(); n != 2 {
			t.Errorf("%d commits", n)
		}
		other := *c.shop // another server
		other.restart(t, oldSecret)
		other.claimed(t, c.made.Key, "m-1")
		if n := c.commits.Load(); n != 2 {
			t.Errorf("another server makes %d commits", n-2)
		}
		c.wantLimits(t, journal.LimitReachedData{Kind: "MACHINE", Limit: 1, Count: 1, Refused: true})
	})
}

func TestALimitThatCannotBeToldChangesNoAnswer(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	s.claimed(t, made.Key, "m-1", "m-2")
	s.store.commit = func(context.Context, storage.Change) error { return errBroken }
	refused := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-3")))(t)
	if refused.Seat != nil || refused.MachineCount() != 2 {
		t.Errorf("m-3 has %+v", refused.Seat)
	}
	if !strings.Contains(s.log.text.String(), "not in the journal") {
		t.Error("it is not logged")
	}
	// Where a seat hangs on the change, it is not given.
	s.store.commit = nil
	must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t)
	s.store.commit = func(context.Context, storage.Change) error { return errBroken }
	_, err := s.Activate(context.Background(), s.claim(t, made.Key, "m-3"))
	wantCode(t, err, fault.Unavailable)
}
