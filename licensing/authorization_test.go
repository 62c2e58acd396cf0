package licensing_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
)

// useCase is a call of one use-case on acme.
type useCase struct {
	method string
	action authz.Action
	call   func(context.Context, *acmeShop) (any, error)
}

// acmeShop is a shop with a license in each state, and another product.
type acmeShop struct {
	*shop
	issued, suspended, revoked *licensing.IssueLicensePayload
	others                     *licensing.PlanView
	seat                       string               // the id of a seat of the one that is issued
	event                      *licensing.EventView // that made it
}

func newAcmeShop(t testing.TB) *acmeShop {
	t.Helper()
	s := &acmeShop{shop: newShop(t)}
	s.issued, s.suspended, s.revoked = s.issue(t, ofAda), s.issue(t, nil), s.issue(t, nil)
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: s.suspended.License.ID()}))(t)
	must(s.RevokeLicense(as(ada), licensing.RevokeLicenseInput{License: s.revoked.License.ID()}))(t)
	s.seat = must(s.Activate(context.Background(), s.claim(t, s.issued.Key, "m-1")))(t).Seat.ID
	s.product(t, "other", "OTHER")
	s.others = s.plan(t, "other", "pro")
	filter := &licensing.EventFilter{License: ptr(s.id()), Types: []string{"license.created"}}
	s.event = must(s.Events(as(ada), filter, licensing.OldestFirst, page.Args{First: 1}))(t).Nodes[0]
	return s
}

func (s *acmeShop) id() string { return s.issued.License.ID() }

// useCases holds each use-case that staff call at least once.
func useCases() []useCase { return append(useCasesOfRecords(), useCasesOfEvents()...) }

func useCasesOfRecords() []useCase {
	args := page.Args{First: 50}
	return []useCase{
		{"CreateProduct", authz.ProductWrite, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.CreateProduct(ctx, licensing.CreateProductInput{Code: "new", Name: "New", KeyPrefix: "NEW"})
		}},
		{"UpdateProduct", authz.ProductWrite, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: "acme", Archived: ptr(true)})
		}},
		{"Product", authz.ProductRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.Product(ctx, "acme") }},
		{"Products", authz.ProductRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.Products(ctx, false, args) }},
		{"CreatePlan", authz.PlanWrite, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.CreatePlan(ctx, planOf("acme", "basic"))
		}},
		{"UpdatePlan", authz.PlanWrite, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.UpdatePlan(ctx, licensing.UpdatePlanInput{Plan: "acme/pro", Name: ptr("Pro")})
		}},
		{"Plan", authz.PlanRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.Plan(ctx, s.pro.ID) }},
		{"PlansOf", authz.PlanRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.PlansOf(ctx, s.acme, false, args)
		}},
		{"IssueLicense", authz.LicenseIssue, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.IssueLicense(ctx, proLicense(nil))
		}},
		{"IssueLicense", authz.LicenseIssue, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.IssueLicense(ctx, under("order 7", func(in *licensing.IssueLicenseInput) { in.Key = ptr("A-KEY-MADE-ELSEWHERE") }))
		}},
		{"IssueLicenses", authz.LicenseIssue, func(ctx context.Context, s *acmeShop) (any, error) {
			got, err := s.IssueLicenses(ctx, licensing.IssueLicensesInput{Licenses: []licensing.IssueLicenseInput{proLicense(nil)}})
			if err == nil && got.Failed > 0 {
				err = fault.Errorf(fault.Code(got.Results[0].Error.Code), "%s", got.Results[0].Error.Message)
			}
			return got, err
		}},
		{"License", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.License(ctx, ptr(s.id()), nil) }},
		{"License", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.License(ctx, nil, &s.issued.Key) }},
		{"Licenses", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.Licenses(ctx, nil, licensing.CreatedNewest, args)
		}},
		{"Licenses", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.Licenses(ctx, &licensing.LicenseFilter{Product: ptr("acme")}, licensing.CreatedNewest, args)
		}},
		{"Licenses", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.Licenses(ctx, &licensing.LicenseFilter{Plan: ptr(s.pro.ID)}, licensing.ExpiresSoonest, args)
		}},
		{"UpdateLicense", authz.LicenseUpdate, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: s.id(), ExternalID: ptr("order 8")})
		}},
		{"RenewLicense", authz.LicenseRenew, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.RenewLicense(ctx, licensing.RenewLicenseInput{License: s.id(), Revision: ptr(1)})
		}},
		{"SuspendLicense", authz.LicenseSuspend, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: s.id()})
		}},
		{"ReinstateLicense", authz.LicenseSuspend, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: s.suspended.License.ID()})
		}},
		{"RevokeLicense", authz.LicenseRevoke, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: s.id()})
		}},
		{"RemoveActivation", authz.LicenseUpdate, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.RemoveActivation(ctx, licensing.RemoveActivationInput{License: s.id(), Activation: s.seat})
		}},
		{"RotateLicenseKey", authz.LicenseRotateKey, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: s.id()})
		}},
		{"RevealLicenseKey", authz.LicenseRevealKey, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: s.id(), Reason: "lost"})
		}},
		{"SearchLicenses", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.SearchLicenses(ctx, "lic_", nil) }},
		{"SearchLicenses", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.SearchLicenses(ctx, "lic_", ptr("acme"))
		}},
		{"EraseCustomer", authz.CustomerErase, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.EraseCustomer(ctx, licensing.EraseCustomerInput{License: ptr(s.id())})
		}},
		{"EraseCustomer", authz.CustomerErase, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.EraseCustomer(ctx, licensing.EraseCustomerInput{Email: ptr("ada@example.com")})
		}},
	}
}

func useCasesOfEvents() []useCase {
	args := page.Args{First: 50}
	return []useCase{
		{"Events", authz.EventRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.Events(ctx, nil, licensing.NewestFirst, args)
		}},
		{"Events", authz.EventRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.Events(ctx, &licensing.EventFilter{Subject: ptr(s.id()), Actor: &ada.ID}, licensing.OldestFirst, args)
		}},
		{"EventsOf", authz.EventRead, func(ctx context.Context, s *acmeShop) (any, error) {
			return s.EventsOf(ctx, s.issued.License, licensing.NewestFirst, args)
		}},
		{"WatchEvents", authz.EventRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.WatchEvents(ctx, nil, nil) }},
		{"EventLicense", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.EventLicense(ctx, s.event) }},
		{"EventData", authz.LicenseRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.EventData(ctx, s.event) }},
		{"Journal", authz.JournalRead, func(ctx context.Context, s *acmeShop) (any, error) { return s.Journal(ctx) }},
	}
}

func TestEveryUseCaseIsInTheTable(t *testing.T) {
	others := []string{
		"Activate", "ByLookup", "Deactivate", "NoteFirstUse", "ReadKey", "SubjectHash", "TouchSeat", // of holders
		"Denied", "RunDenials", "Announce", "Reschedule", // of no caller
	}
	var want []string
	for _, u := range useCases() {
		want = append(want, u.method)
	}
	want = append(want, others...)
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for method := range reflect.TypeFor[*licensing.Service]().Methods() {
		got = append(got, method.Name)
	}
	if diff := same(want, got); diff != "" {
		t.Errorf("exported methods (-in the table +of Service): %s", diff)
	}
}

func TestAUseCaseNeedsItsActionOnThisProductAndNoMore(t *testing.T) {
	for _, u := range useCases() {
		s := newAcmeShop(t)
		s.policy.allow([]authz.Action{u.action}, "acme", "new")
		if u.action == authz.JournalRead {
			s.policy.scope = onAll(u.action)
		}
		answer, err := u.call(as(ada), s)
		if err != nil {
			t.Errorf("%s with %s alone: %v", u.method, u.action, err)
		}
		text := shown(t, answer)
		finds := u.action == authz.LicenseRead && u.method != "EventData" || u.method == "Events"
		if finds && !strings.Contains(text, s.id()) || strings.Contains(text, s.others.ID) {
			t.Errorf("%s shows %s", u.method, text)
		}
	}
}

// onAll lets everybody do one action on all products, and no other.
func onAll(only authz.Action) func(actor.Actor, authz.Action) authz.Scope {
	return func(_ actor.Actor, action authz.Action) authz.Scope {
		if action == only {
			return authz.AllProducts()
		}
		return authz.Scope{}
	}
}

func TestNobodyIsToldToLogIn(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	for _, u := range useCases() {
		if _, err := u.call(context.Background(), s); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", u.method, err)
		}
	}
	s.wantUnchanged(t, before)
}

func TestACallerWhoMayNothingIsDenied(t *testing.T) {
	s := newAcmeShop(t)
	s.policy.allow(nil)
	before := s.dump(t)
	for _, u := range useCases() {
		_, err := u.call(as(ada), s)
		wantDenied(t, err, u.action)
	}
	s.wantUnchanged(t, before)
	if denials := strings.Count(s.log.text.String(), "access denied"); denials != len(useCases()) {
		t.Errorf("%d of %d refusals are in the log", denials, len(useCases()))
	}
}

func TestAnActionOnAnotherProductNeitherTouchesNorShowsThisOne(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	for _, action := range authz.Actions() {
		s.policy.allow([]authz.Action{action}, "other")
		for _, u := range useCases() {
			answer, err := u.call(as(ada), s)
			var e *fault.Error
			switch {
			case err == nil && strings.HasSuffix(u.method, "s"): // a list
			case !errors.As(err, &e) || e.Code != fault.NotFound && e.Code != fault.Denied || e.ID != "":
				t.Errorf("%s with %s on another product: %v", u.method, action, err)
			case action != u.action && e.Code != fault.Denied:
				t.Errorf("%s with %s alone: %v", u.method, action, err)
			}
			text := shown(t, answer)
			for _, hidden := range []string{s.acme.ID, s.pro.ID, s.id()} {
				if strings.Contains(text, hidden) {
					t.Errorf("%s with %s on another product shows %s", u.method, action, text)
				}
			}
		}
	}
	s.wantUnchanged(t, before)
}

func TestReinstatingARevokedLicenseNeedsRevokeAsWell(t *testing.T) {
	s := newAcmeShop(t)
	in := licensing.ReinstateLicenseInput{License: s.revoked.License.ID()}
	before := s.dump(t)
	s.policy.allow([]authz.Action{authz.LicenseSuspend}, "acme")
	_, err := s.ReinstateLicense(as(ada), in)
	wantDenied(t, err, authz.LicenseRevoke)

	s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
		return authz.Products(map[authz.Action]string{authz.LicenseSuspend: "acme", authz.LicenseRevoke: "other"}[action])
	}
	_, err = s.ReinstateLicense(as(ada), in)
	wantDenied(t, err, authz.LicenseRevoke)
	s.wantUnchanged(t, before)

	s.policy.allow([]authz.Action{authz.LicenseSuspend, authz.LicenseRevoke}, "acme")
	if got := must(s.ReinstateLicense(as(ada), in))(t); got.License.Status() != license.StatusActive {
		t.Errorf("the license is %s", got.License.Status())
	}
}

func TestAKeyThatAnotherProductHasIsTakenAndNoMoreIsTold(t *testing.T) {
	const key = "A-KEY-MADE-ELSEWHERE"
	s := newAcmeShop(t)
	s.issue(t, func(in *licensing.IssueLicenseInput) { in.Key = ptr(key) })
	s.policy.allow([]authz.Action{authz.LicenseIssue}, "other")
	for _, in := range []licensing.IssueLicenseInput{
		{Plan: "other/pro", Key: ptr(key)},
		{Plan: "other/pro", Key: ptr(key), IdempotencyKey: ptr("order 7")},
		{Plan: "other/pro", Key: ptr(key), IdempotencyKey: ptr("order 7")},
	} {
		_, err := s.IssueLicense(as(ada), in)
		wantClash(t, err, fault.Taken, "")
	}
}

func TestNotToRequireTheProductNeedsAllProducts(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	create := planOf("acme", "basic")
	create.RequireProduct = false
	update := licensing.UpdatePlanInput{Plan: "acme/pro", RequireProduct: ptr(false)}
	for _, products := range []authz.Scope{{}, authz.Products("acme"), authz.Products("acme", "other")} {
		s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
			return map[authz.Action]authz.Scope{authz.PlanWrite: authz.Products("acme"), authz.ProductWrite: products}[action]
		}
		_, err := s.CreatePlan(as(ada), create)
		wantDenied(t, err, authz.ProductWrite)
		_, err = s.UpdatePlan(as(ada), update)
		wantDenied(t, err, authz.ProductWrite)
	}
	s.wantUnchanged(t, before)

	s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
		return map[authz.Action]authz.Scope{authz.PlanWrite: authz.Products("acme"), authz.ProductWrite: authz.AllProducts()}[action]
	}
	must(s.CreatePlan(as(ada), create))(t)
	must(s.UpdatePlan(as(ada), update))(t)

	s.policy.allow([]authz.Action{authz.PlanWrite}, "acme")
	must(s.UpdatePlan(as(ada), update))(t) // as it is already
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", RequireProduct: ptr(true)}))(t)
}
