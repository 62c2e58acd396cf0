package licensing_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

func TestANewNameOrPlatformAloneIsStored(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	for _, said := range []struct{ name, platform string }{{"Ada's laptop", ""}, {"", "linux"}, {"Ada's desktop", "linux"}, {"", "windows"}} {
		n := len(s.entries(t, 0))
		claim := s.claim(t, made.Key, "m-1")
		claim.Name, claim.Platform = said.name, said.platform
		got := must(s.Activate(context.Background(), claim))(t)
		if diff := cmp.Diff([]journal.Type{journal.ActivationUpdated}, s.types(t, n)); diff != "" || got.Changed {
			t.Errorf("%+v: changed %t, %s", said, got.Changed, diff)
		}
		stored := must(s.License(as(ada), ptr(made.License.ID()), nil))(t).License.Seats[0]
		if stored.Name != got.Seat.Name || stored.Platform != got.Seat.Platform || said.name != "" && stored.Name != said.name || said.platform != "" && stored.Platform != said.platform {
			t.Errorf("%+v is stored as %+v", said, stored)
		}
	}
}

// Its place counts as free already; that nobody has taken it yet is no news to
// whoever gives it back.
func TestARunOutSeatThatIsGivenBackIsGoneButWasNotFreed(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	s.now = noon.Add(10 * time.Minute)
	if got := must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t); got.Changed {
		t.Error("a seat was freed that was free")
	}
	s.wantSeats(t, made.License.ID())
}

// A kind without a limit leaves all places to one that may need them; its
// subjects need none.
func TestASubjectThatNeedsNoSeatIsAnsweredWithoutOne(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "sites")
	in.MaxMachines, in.MaxDomains, in.RequireDomain = nil, ptr(license.MaxSeats), ptr(false)
	must(s.CreatePlan(as(ada), in))(t)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/sites" })
	n := len(s.entries(t, 0))
	for range 2 {
		got := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
		if got.Seat != nil || got.Changed || !got.License.ActivatedAt.Equal(noon) {
			t.Errorf("m-1 has %+v, activated at %v", got.Seat, got.License.ActivatedAt)
		}
	}
	if diff := cmp.Diff([]journal.Type{journal.LicenseActivated}, s.types(t, n)); diff != "" {
		t.Error(diff)
	}
	s.wantSeats(t, made.License.ID())
}

func TestTheJournalHoldsNothingThatNamesAMachine(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	for _, platform := range []string{"canary os", "canary bsd"} {
		claim := s.claim(t, made.Key, "canary machine")
		claim.Name, claim.Platform = "canary's laptop", platform
		must(s.Activate(context.Background(), claim))(t)
	}
	must(s.Deactivate(context.Background(), s.release(t, made.Key, "canary machine")))(t)
	pending := must(s.store.Pending(context.Background(), 100_000))(t)
	if types := s.types(t, 0); types[len(types)-1] != journal.ActivationRemoved {
		t.Fatalf("the journal has %v", types)
	}
	for _, entry := range pending {
		if strings.Contains(shown(t, entry)+string(entry.Body), "canary") {
			t.Errorf("an entry holds %s", entry.Body)
		}
	}
}

func TestAMachineAndADomainOfOneNameHoldTwoSeats(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "both")
	in.MaxMachines, in.MaxDomains = ptr(1), ptr(1)
	must(s.CreatePlan(as(ada), in))(t)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Plan, in.Domains = "acme/both", []string{"example.com"}
	})
	got := must(s.Activate(context.Background(), s.claim(t, made.Key, "example.com")))(t)
	if !got.Changed || got.MachineCount() != 1 || got.DomainCount() != 1 {
		t.Errorf("changed %t: %d machines and %d domains", got.Changed, got.MachineCount(), got.DomainCount())
	}
	s.wantSeats(t, made.License.ID(), "example.com", "example.com")
}
