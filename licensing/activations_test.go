package licensing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

func TestStaffFreeAnySeat(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	seat := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t).Seat
	in := licensing.RemoveActivationInput{License: made.License.ID(), Activation: seat.ID, IdempotencyKey: ptr("ticket 7")}
	n := len(s.entries(t, 0))
	for range 2 { // the second is a retry
		got := must(s.RemoveActivation(as(ada), in))(t)
		if got.RemovedActivationID != seat.ID || got.License.MachineCount() != 0 || got.License.Revision() != 2 {
			t.Errorf("removed %s, %d left, revision %d", got.RemovedActivationID, got.License.MachineCount(), got.License.Revision())
		}
	}
	entries := s.entries(t, n)
	if len(entries) != 1 || entries[0].Type != journal.ActivationRemoved || entries[0].Actor != ada || entries[0].Subject != seat.ID {
		t.Errorf("the journal has %+v", entries)
	}
	before := s.dump(t)
	in.IdempotencyKey = nil
	_, err := s.RemoveActivation(as(ada), in)
	wantCode(t, err, fault.NotFound)
	s.wantUnchanged(t, before)
}

func TestSeatsAreListedInTheOrderInWhichTheyWereTaken(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "both")
	in.MaxMachines, in.MaxDomains, in.LeaseDuration = ptr(10), ptr(10), lasting("PT10M")
	must(s.CreatePlan(as(ada), in))(t)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Plan, in.Domains = "acme/both", []string{"example.com"}
	})
	var want []string
	for i := range 5 {
		s.now = s.now.Add(time.Minute)
		want = append(want, fmt.Sprint("m-", 9-i))
		must(s.Activate(context.Background(), s.claim(t, made.Key, want[i])))(t)
	}
	kind := license.Machine
	view := must(s.License(as(ada), ptr(made.License.ID()), nil))(t)
	var got []string
	var after *string
	for {
		page := must(view.Activations(&kind, 2, after))(t)
		for _, one := range page.Nodes {
			got = append(got, one.Subject())
		}
		if after = page.PageInfo.EndCursor; !page.PageInfo.HasNextPage {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := must(view.Activations(nil, 50, nil))(t); len(all.Nodes) != 6 || all.Nodes[0].Subject() != "example.com" {
		t.Errorf("%d seats of both kinds", len(all.Nodes))
	}
	if _, err := view.Activations(nil, 50, after); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("another list's cursor: %v", err)
	}

	s.now = s.now.Add(8 * time.Minute) // the first two machines have run out, and the domain
	view = must(s.License(as(ada), ptr(made.License.ID()), nil))(t)
	if held := must(view.Activations(nil, 50, nil))(t); len(held.Nodes) != 2 {
		t.Errorf("%d seats are held", len(held.Nodes))
	}
}

func TestALicenseIsIssuedWithItsDomains(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "web")
	in.MaxMachines, in.MaxDomains = nil, ptr(3)
	must(s.CreatePlan(as(ada), in))(t)
	web := func(domains ...string) licensing.IssueLicenseInput {
		return under("order 7", func(in *licensing.IssueLicenseInput) {
			in.Plan, in.Domains, in.AllowedDomains = "acme/web", domains, []string{"example.com", "*.example.com"}
		})
	}
	n := len(s.entries(t, 0))
	made := must(s.IssueLicense(as(ada), web("Example.COM", "www.example.com:443")))(t)
	if made.License.DomainCount() != 2 {
		t.Errorf("%d domains", made.License.DomainCount())
	}
	want := []journal.Type{journal.LicenseCreated, journal.ActivationCreated, journal.ActivationCreated}
	if diff := cmp.Diff(want, s.types(t, n)); diff != "" {
		t.Error(diff)
	}
	s.wantSeats(t, made.License.ID(), "Example.COM", "www.example.com:443")
	retried := must(s.IssueLicense(as(ada), web("Example.COM", "www.example.com:443")))(t)
	if retried.License.ID() != made.License.ID() || retried.License.DomainCount() != 2 {
		t.Error("a retry makes another")
	}
	_, err := s.IssueLicense(as(ada), web("example.com"))
	wantClash(t, err, fault.IdempotencyMismatch, made.License.ID())

	for name, c := range map[string]struct {
		domains []string
		fields  []string
	}{
		"too many for the limit": {[]string{"a.example.com", "b.example.com", "c.example.com", "d.example.com"}, []string{"domains.3"}},
		"twice":                  {[]string{"a.example.com", "A.example.com."}, []string{"domains.1"}},
		"not allowed":            {[]string{"example.org", "a.example.com"}, []string{"domains.0"}},
		"no host names":          {[]string{"", "exa mple.com"}, []string{"domains.0", "domains.1"}},
		"101":                    {make([]string, 101), []string{"domains"}},
	} {
		in := web(c.domains...)
		in.IdempotencyKey = nil
		_, err := s.IssueLicense(as(ada), in)
		t.Log(name)
		wantFields(t, err, c.fields...)
	}
}

// The id of a seat is what license, kind and subject make, under the secret
// that its license was issued under.
func TestASubjectHasOneSeatUnderAnySecret(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	seat := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t).Seat
	claim := s.claim(t, made.Key, "m-1")
	s.restart(t, newSecret, oldSecret)
	must(s.RemoveActivation(as(ada), licensing.RemoveActivationInput{License: made.License.ID(), Activation: seat.ID}))(t)
	if again := must(s.Activate(context.Background(), claim))(t); !again.Changed || again.Seat.ID != seat.ID {
		t.Errorf("its id is %s, and was %s", again.Seat.ID, seat.ID)
	}
}
