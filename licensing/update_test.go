package licensing_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// everything is an update of every field of a license.
func everything(id string) licensing.UpdateLicenseInput {
	return licensing.UpdateLicenseInput{
		License: id, Plan: ptr("acme/big"), ExternalID: ptr("order 8"),
		Customer: &licensing.CustomerInput{Name: ptr("Ben")}, StartsAt: ptr(noon.Add(time.Hour)), ExpiresAt: ptr(noon.AddDate(3, 0, 0)),
		MaxMachines: &licensing.LimitInput{Max: ptr(7)}, MaxDomains: &licensing.LimitInput{Unlimited: ptr(true)}, Grace: lasting("P3D"),
		Entitlements: []licensing.EntitlementInput{{Code: "export"}}, AllowedDomains: []string{"Example.com"},
		Metadata: license.Metadata(`{"a":1}`),
	}
}

func TestAnUpdateIsShownAndStored(t *testing.T) {
	s := newShop(t)
	s.plan(t, "acme", "big")
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Customer = &licensing.CustomerInput{Email: ptr("ada@example.com")}
	}).License.ID()
	s.now = noon.Add(time.Minute)
	made := must(s.UpdateLicense(as(ada), everything(id)))(t).License
	there := must(s.License(as(ada), &id, nil))(t)
	there.License.Version = made.License.Version // storage's own, and not shown
	if diff := same(there, made); diff != "" {
		t.Errorf("what is shown is not what is stored: %s", diff)
	}
	want := *made.License
	want.PlanID, want.ExternalID, want.Customer = license.PlanID(s.acme.ID, "big"), "order 8", license.Customer{Name: "Ben"}
	want.StartsAt, want.ExpiresAt = noon.Add(time.Hour), noon.AddDate(3, 0, 0)
	want.Overrides = license.Overrides{
		MaxMachines: &license.Limit{Max: ptr(7)}, MaxDomains: &license.Limit{}, Grace: lasting("P3D"),
		Entitlements: []license.Entitlement{{Code: "export"}},
	}
	want.AllowedDomains, want.Metadata = []string{"example.com"}, license.Metadata(`{"a":1}`)
	want.Revision, want.UpdatedAt = 2, s.now
	if diff := same(&want, made.License); diff != "" {
		t.Error(diff)
	}
	if made.Plan.Code != "big" {
		t.Errorf("the plan shown is %s", made.Plan.Code)
	}
	cleared := must(s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: id, Clear: license.ClearFields()}))(t).License.License
	if d := same(license.Overrides{}, cleared.Overrides); d != "" || cleared.ExternalID != "" || cleared.Customer != (license.Customer{}) ||
		!cleared.StartsAt.IsZero() || !cleared.ExpiresAt.IsZero() || cleared.AllowedDomains != nil {
		t.Errorf("with everything cleared: %+v", cleared)
	}
}

func TestABadUpdateOfALicenseNamesEachBadField(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	_, err := s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{
		License: s.id(), ExternalID: control, Customer: &licensing.CustomerInput{Email: ptr("nobody")},
		MaxMachines: &licensing.LimitInput{}, MaxDomains: &licensing.LimitInput{Max: tooMany}, Metadata: deep,
	})
	wantFields(t, err, "externalId", "customer.email", "maxMachines", "maxDomains", "metadata")
	in := everything(s.id())
	in.Plan, in.Clear = nil, []license.ClearField{license.ClearGrace}
	_, err = s.UpdateLicense(as(ada), in)
	wantFields(t, err, "clear")
	_, err = s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: s.id(), Plan: ptr("other/pro")})
	wantFields(t, err, "plan")
	_, err = s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: s.id(), StartsAt: ptr(noon.AddDate(1, 0, 0))})
	wantFields(t, err, "startsAt")
	s.wantUnchanged(t, before)
}

func TestAPlanOfAnotherProductIsNotFoundByWhoCannotSeeIt(t *testing.T) {
	s := newAcmeShop(t)
	s.policy.allow(authz.Actions(), "acme")
	_, err := s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: s.id(), Plan: ptr("other/pro")})
	wantCode(t, err, fault.NotFound)
}

// The terms of a license need more than license:update, whether they are set
// or cleared, on the license's own product.
func TestTermsNeedMoreThanUpdate(t *testing.T) {
	clearing := func(f license.ClearField) func(*licensing.UpdateLicenseInput) {
		return func(in *licensing.UpdateLicenseInput) { in.Clear = []license.ClearField{f} }
	}
	for name, c := range map[string]struct {
		needs authz.Action // beside license:update
		set   func(*licensing.UpdateLicenseInput)
	}{
		"externalId":           {"", func(in *licensing.UpdateLicenseInput) { in.ExternalID = ptr("7") }},
		"customer":             {"", func(in *licensing.UpdateLicenseInput) { in.Customer = &licensing.CustomerInput{} }},
		"allowedDomains":       {"", func(in *licensing.UpdateLicenseInput) { in.AllowedDomains = []string{} }},
		"metadata":             {"", func(in *licensing.UpdateLicenseInput) { in.Metadata = license.Metadata("{}") }},
		"clear externalId":     {"", clearing(license.ClearExternalID)},
		"clear customer":       {"", clearing(license.ClearCustomer)},
		"clear allowedDomains": {"", clearing(license.ClearAllowedDomains)},
		"startsAt":             {authz.LicenseRenew, func(in *licensing.UpdateLicenseInput) { in.StartsAt = &noon }},
		"expiresAt":            {authz.LicenseRenew, func(in *licensing.UpdateLicenseInput) { in.ExpiresAt = ptr(noon.Add(time.Hour)) }},
		"clear startsAt":       {authz.LicenseRenew, clearing(license.ClearStartsAt)},
		"clear expiresAt":      {authz.LicenseRenew, clearing(license.ClearExpiresAt)},
		"plan":                 {authz.LicenseIssue, func(in *licensing.UpdateLicenseInput) { in.Plan = ptr("acme/pro") }},
		"maxMachines": {authz.LicenseIssue, func(in *licensing.UpdateLicenseInput) {
			in.MaxMachines = &licensing.LimitInput{Max: ptr(9)}
		}},
		"maxDomains": {authz.LicenseIssue, func(in *licensing.UpdateLicenseInput) {
			in.MaxDomains = &licensing.LimitInput{Unlimited: ptr(true)}
		}},
		"grace":              {authz.LicenseIssue, func(in *licensing.UpdateLicenseInput) { in.Grace = lasting("PT0S") }},
		"entitlements":       {authz.LicenseIssue, func(in *licensing.UpdateLicenseInput) { in.Entitlements = []licensing.EntitlementInput{} }},
		"clear maxMachines":  {authz.LicenseIssue, clearing(license.ClearMaxMachines)},
		"clear maxDomains":   {authz.LicenseIssue, clearing(license.ClearMaxDomains)},
		"clear grace":        {authz.LicenseIssue, clearing(license.ClearGrace)},
		"clear entitlements": {authz.LicenseIssue, clearing(license.ClearEntitlements)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newAcmeShop(t)
			in := licensing.UpdateLicenseInput{License: s.id()}
			c.set(&in)
			before := s.dump(t)
			for _, elsewhere := range []authz.Scope{{}, authz.Products("other")} {
				s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
					if action == authz.LicenseUpdate {
						return authz.Products("acme")
					}
					return elsewhere
				}
				if _, err := s.UpdateLicense(as(ada), in); c.needs != "" {
					wantDenied(t, err, c.needs)
					s.wantUnchanged(t, before)
				} else if err != nil {
					t.Error(err)
				}
			}
			s.policy.allow([]authz.Action{authz.LicenseUpdate, c.needs}, "acme")
			if _, err := s.UpdateLicense(as(ada), in); err != nil {
				t.Errorf("with %s: %v", c.needs, err)
			}
		})
	}
}

func TestOfTwoAdminsWhoSawOneRevisionOneWins(t *testing.T) {
	for range 100 {
		s := newShop(t)
		id := s.issue(t, nil).License.ID()
		errs := make([]error, 2)
		var all sync.WaitGroup
		for i, who := range []actor.Actor{ada, ben} {
			all.Go(func() {
				_, errs[i] = s.UpdateLicense(as(who), licensing.UpdateLicenseInput{License: id, ExternalID: &who.ID, Revision: ptr(1)})
			})
		}
		all.Wait()
		winner := ada
		if errs[0] != nil {
			errs[0], errs[1], winner = errs[1], errs[0], ben
		}
		if errs[0] != nil {
			t.Fatalf("both lost: %v", errs)
		}
		wantClash(t, errs[1], fault.RevisionStale, id)
		if got := s.stored(t, id); got.Revision != 2 || got.Index.ExternalID != winner.ID {
			t.Fatalf("%s won, and stored is %+v", winner, got.Index)
		}
	}
}

func TestOfTwoAdminsWithoutRevisionNothingIsLost(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			in := licensing.UpdateLicenseInput{License: id}
			switch i {
			case 0:
				in.ExternalID = ptr("order 7")
			case 1:
				in.Grace = lasting("P1D")
			case 2:
				in.AllowedDomains = []string{"example.com"}
			default:
				in.Metadata = license.Metadata(fmt.Sprintf(`{"by":%d}`, i))
			}
			_, errs[i] = s.UpdateLicense(as(ada), in)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	got := must(s.License(as(ada), &id, nil))(t)
	if got.Revision() != 9 || got.License.ExternalID != "order 7" || got.License.Overrides.Grace == nil || len(got.AllowedDomains()) != 1 || len(got.License.Metadata) == 0 {
		t.Errorf("after 8 changes at once: %+v", got.License)
	}
}

func TestARenewalThatWouldRepeatItselfIsRefused(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	before := s.dump(t)
	_, err := s.RenewLicense(as(ada), licensing.RenewLicenseInput{License: id})
	wantFields(t, err, "until")
	s.wantUnchanged(t, before)
}

func TestARetriedRenewalRenewsOnce(t *testing.T) {
	year := noon.AddDate(1, 0, 0) // its end
	for name, c := range map[string]struct {
		in    licensing.RenewLicenseInput
		until time.Time
		again fault.Code // of the retry
	}{
		"until":          {licensing.RenewLicenseInput{Until: ptr(year.AddDate(0, 1, 0))}, year.AddDate(0, 1, 0), ""},
		"revision":       {licensing.RenewLicenseInput{Revision: ptr(1)}, year.AddDate(1, 0, 0), fault.Conflict},
		"idempotencyKey": {licensing.RenewLicenseInput{IdempotencyKey: ptr("k")}, year.AddDate(1, 0, 0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			c.in.License = s.issue(t, nil).License.ID()
			n := len(s.entries(t, 0))
			if got := must(s.RenewLicense(as(ada), c.in))(t).License; !got.ExpiresAt().Equal(c.until) || got.Revision() != 2 {
				t.Errorf("renewed to %v, revision %d", got.ExpiresAt(), got.Revision())
			}
			before := s.dump(t)
			got, err := s.RenewLicense(as(ada), c.in)
			wantCode(t, err, c.again)
			if err == nil && (!got.License.ExpiresAt().Equal(c.until) || got.License.Revision() != 2) {
				t.Errorf("the retry gives %+v", got.License.License)
			}
			s.wantUnchanged(t, before)
			if told := s.entries(t, n); len(told) != 1 || told[0].Type != journal.LicenseRenewed {
				t.Errorf("the journal has %+v", told)
			}
		})
	}
}

func TestARenewalGoesByThePlanAsItIsNow(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Duration: lasting("P2M"), Archived: ptr(true)}))(t)
	must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Archived: ptr(true)}))(t)
	got := must(s.RenewLicense(as(ada), licensing.RenewLicenseInput{License: id, Revision: ptr(1)}))(t).License
	if want := noon.AddDate(1, 2, 0); !got.ExpiresAt().Equal(want) {
		t.Errorf("renewed to %v, want %v", got.ExpiresAt(), want)
	}
}
