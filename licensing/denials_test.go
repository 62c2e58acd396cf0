package licensing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// refusal is what an entry says of refusals.
type refusal struct {
	Who     actor.Actor
	Product string
	Request string
	journal.AccessDeniedData
}

// refusals lists what the journal says of refusals, in order.
func (s *shop) refusals(t testing.TB) []refusal {
	t.Helper()
	var all []refusal
	for _, e := range s.entries(t, 0) {
		if e.Type != journal.AccessDenied {
			continue
		}
		r := refusal{Who: e.Actor, Product: e.Product, Request: e.Request}
		if err := json.Unmarshal(e.Data, &r.AccessDeniedData); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		all = append(all, r)
	}
	return all
}

func (s *shop) wantRefusals(t testing.TB, want ...refusal) {
	t.Helper()
	if diff := cmp.Diff(want, s.refusals(t)); diff != "" {
		t.Errorf("refusals (-want +got): %s", diff)
	}
}

func refused(who actor.Actor, action authz.Action, product string, count int, since time.Time) refusal {
	return refusal{Who: who, Product: product, AccessDeniedData: journal.AccessDeniedData{Action: string(action), Count: count, Since: since}}
}

// denied has ada ask what she may not.
func (s *shop) denied(ctx context.Context, t testing.TB) {
	t.Helper()
	_, err := s.Products(ctx, false, page.Args{First: 50})
	wantDenied(t, err, authz.ProductRead)
}

func TestARefusalIsInTheJournalOnceAnHour(t *testing.T) {
	s := newShop(t)
	s.policy.allow(nil)
	for range 5 {
		s.denied(actor.WithRequest(as(ada), "R1"), t)
		s.now = s.now.Add(time.Minute)
	}
	first := refused(ada, authz.ProductRead, "", 1, noon)
	first.Request = "R1"
	s.wantRefusals(t, first)
	s.denied(as(ben), t)
	_, err := s.Plan(as(ada), "acme/pro")
	wantDenied(t, err, authz.PlanRead)
	others := []refusal{refused(ben, authz.ProductRead, "", 1, s.now), refused(ada, authz.PlanRead, "", 1, s.now)}
	s.wantRefusals(t, slices.Concat([]refusal{first}, others)...)

	// With the next hour's those are told that came meanwhile.
	s.now = noon.Add(time.Hour)
	s.denied(as(ada), t)
	s.denied(as(ada), t)
	s.wantRefusals(t, slices.Concat([]refusal{first}, others, []refusal{refused(ada, authz.ProductRead, "", 5, noon.Add(time.Minute))})...)
}

func TestARefusalBelongsToARecordThatIsSwept(t *testing.T) {
	s := newShop(t)
	s.policy.allow(nil)
	s.denied(as(ada), t)
	entries := s.entries(t, 2)
	stored := s.stored(t, entries[0].Subject)
	if stored.Kind != storage.Denial || !strings.HasPrefix(stored.ID, "den_") || entries[0].Record() != stored.ID {
		t.Errorf("the entry of %s belongs to the %s %s", entries[0].Record(), stored.Kind, stored.ID)
	}
	s.wantTrue(t, entries[0])
	for _, p := range must(s.store.Pending(t.Context(), 100))(t) {
		if err := s.store.Settle(t.Context(), []storage.Pending{p}); err != nil {
			t.Fatal(err)
		}
	}
	due := noon.Add(30 * 24 * time.Hour)
	if got := must(s.store.Sweep(t.Context(), due, 10))(t); got != 0 {
		t.Error("it is swept before its time")
	}
	if got := must(s.store.Sweep(t.Context(), due.Add(time.Millisecond), 10))(t); got != 1 {
		t.Error("it is not swept")
	}
}

func TestARefusalNamesTheProductWhereItIsOfOne(t *testing.T) {
	s := newShop(t)
	s.product(t, "other", "OTHER")
	s.plan(t, "other", "pro")
	id := s.issue(t, ofAda).License.ID()
	must(s.RevokeLicense(as(ben), licensing.RevokeLicenseInput{License: id}))(t)
	s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
		switch action {
		case authz.LicenseSuspend:
			return authz.Products("acme")
		case authz.LicenseRevoke, authz.CustomerErase, authz.ProductWrite:
			return authz.Products("other")
		}
		return authz.Scope{}
	}
	_, err := s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id})
	wantDenied(t, err, authz.LicenseRevoke)
	_, err = s.EraseCustomer(as(ada), licensing.EraseCustomerInput{Email: ptr("ada@example.com")})
	wantDenied(t, err, authz.CustomerErase)
	// One that need not be there is not named: else anybody could fill the log.
	for _, code := range []string{"one", "two"} {
		_, err = s.CreateProduct(as(ada), licensing.CreateProductInput{Code: code, Name: "N", KeyPrefix: "NEW"})
		wantDenied(t, err, authz.ProductWrite)
	}
	// What of another product is not found was not refused.
	_, err = s.RevokeLicense(as(ada), licensing.RevokeLicenseInput{License: id})
	wantCode(t, err, fault.NotFound)
	s.wantRefusals(t,
		refused(ada, authz.LicenseRevoke, s.acme.ID, 1, noon), refused(ada, authz.CustomerErase, s.acme.ID, 1, noon),
		refused(ada, authz.ProductWrite, "", 1, noon),
	)
}

func TestARefusalThatWasJudgedOutsideIsAccountedFor(t *testing.T) {
	s := newShop(t)
	s.Denied(as(ada), authz.LicenseIssue)
	s.Denied(as(ada), authz.LicenseIssue)
	s.wantRefusals(t, refused(ada, authz.LicenseIssue, "", 1, noon))
	if n := strings.Count(s.log.text.String(), "access denied"); n != 2 {
		t.Errorf("%d refusals are in the log", n)
	}
}

func TestWhoHasNoCredentialIsInNoEntry(t *testing.T) {
	s := newShop(t)
	_, err := s.Products(context.Background(), false, page.Args{First: 50})
	wantCode(t, err, fault.Unauthenticated)
	s.Denied(context.Background(), authz.LicenseIssue)
	s.wantRefusals(t)
}

func TestARefusalStaysOneWhereItCannotBeWrittenDown(t *testing.T) {
	s := newShop(t)
	s.policy.allow(nil)
	s.store.commit = func(context.Context, storage.Change) error { return errBroken }
	ctx, hangUp := context.WithCancel(as(ada))
	hangUp()
	s.denied(ctx, t)
	if !strings.Contains(s.log.text.String(), "a refusal is not in the journal yet") {
		t.Errorf("the log says %s", &s.log.text)
	}
	s.wantRefusals(t)
	s.store.commit = nil
	s.now = noon.Add(time.Hour)
	s.denied(ctx, t) // who hangs up is accounted for all the same
	s.wantRefusals(t, refused(ada, authz.ProductRead, "", 2, noon))
}

// servers gives two servers on one store, in a bubble whose clock they go by.
func servers(t *testing.T) (a, b *shop) {
	t.Helper()
	a = newShop(t)
	a.config.Now = time.Now
	a.restart(t, oldSecret)
	a.policy.allow(nil)
	other := *a
	b = &other
	b.restart(t, oldSecret)
	return a, b
}

// running has a server write its counts down, until it is ended.
func (s *shop) running(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.RunDenials(ctx) })
	synctest.Wait()
	return func() { cancel(); running.Wait() }
}

// elapse lets a bubble's time pass, and what waits for it finish.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWhatIsCountedIsWrittenDownAtTheHoursEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := servers(t)
		defer s.running(t.Context())()
		began := time.Now().UTC()
		for range 4 {
			s.denied(as(ada), t)
		}
		s.denied(as(ben), t)
		elapse(time.Hour + time.Minute)
		want := []refusal{
			refused(ada, authz.ProductRead, "", 1, began), refused(ben, authz.ProductRead, "", 1, began),
			refused(ada, authz.ProductRead, "", 3, began),
		}
		s.wantRefusals(t, want...)
		elapse(2 * time.Hour) // there is nothing more to tell
		s.wantRefusals(t, want...)
	})
}

func TestWhatIsCountedIsWrittenDownAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := servers(t)
		end := s.running(t.Context())
		began := time.Now().UTC()
		for range 4 {
			s.denied(as(ada), t)
		}
		end()
		s.wantRefusals(t, refused(ada, authz.ProductRead, "", 1, began), refused(ada, authz.ProductRead, "", 3, began))
		entries := s.entries(t, 0)
		if a, b := entries[len(entries)-2], entries[len(entries)-1]; a.Subject != b.Subject {
			t.Errorf("they belong to %s and %s", a.Subject, b.Subject)
		}
		s.Service = licensing.New(s.config) // and begins anew
		s.running(t.Context())()
		if n := len(s.refusals(t)); n != 2 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestAClockThatIsSetBackSilencesNoRefusals(t *testing.T) {
	s := newShop(t)
	s.policy.scope = func(actor.Actor, authz.Action) authz.Scope { return authz.Scope{} }
	first, second := s.now, s.now.AddDate(0, 0, -3)
	s.denied(as(ada), t)
	s.now = second
	s.denied(as(ada), t)
	s.denied(as(ada), t)
	s.wantRefusals(t, refused(ada, authz.ProductRead, "", 1, first), refused(ada, authz.ProductRead, "", 1, second))
}

func TestTwoServersMakeOneEntryAnHourAndLoseNoCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := servers(t)
		endA, endB := a.running(t.Context()), b.running(t.Context())
		var all sync.WaitGroup
		const hours, each = 5, 7
		for range hours {
			for range each {
				for _, s := range []*shop{a, b} {
					all.Go(func() { s.denied(as(ada), t) })
				}
			}
			elapse(time.Hour)
		}
		all.Wait()
		perHour := map[time.Time]int{}
		for _, e := range a.entries(t, 2) {
			perHour[e.At.Truncate(time.Hour)]++
		}
		for hour, n := range perHour {
			if n != 1 {
				t.Errorf("%d entries in the hour of %v", n, hour)
			}
		}
		endA()
		endB()
		sum := 0
		for _, r := range a.refusals(t) {
			sum += r.Count
		}
		if want := 2 * hours * each; sum != want {
			t.Errorf("%d refusals are told, want %d: %+v", sum, want, a.refusals(t))
		}
		if strings.Contains(a.log.text.String(), "not in the journal") {
			t.Error("a lost race is logged as a failure")
		}
	})
}

func TestWhatIsCountedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := servers(t)
		const most = 10_000
		commits := 0
		s.store.commit = func(context.Context, storage.Change) error { commits++; return nil }
		for i := range most + 50 {
			who := actor.Actor{Kind: actor.Token, ID: fmt.Sprint("tok_", i)}
			s.Denied(as(who), authz.ProductRead)
		}
		if commits != most {
			t.Errorf("%d entries", commits)
		}
		end := s.running(t.Context())
		elapse(time.Hour + time.Minute)
		if !bytes.Contains(s.log.text.Bytes(), []byte(`"refusals":50`)) {
			t.Error("that some were not accounted for is not logged")
		}
		s.Denied(as(ben), authz.ProductRead) // there is room again
		if commits != most+1 {
			t.Errorf("%d entries after the hour", commits)
		}
		end()
	})
}
