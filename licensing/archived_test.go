package licensing_test

import (
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
)

// archive archives, or brings back, acme's plan of this code, or acme itself
// where it is empty.
func (s *shop) archive(t testing.TB, plan string, archived bool) {
	t.Helper()
	if plan == "" {
		must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Archived: &archived}))(t)
		return
	}
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/" + plan, Archived: &archived}))(t)
}

func TestALicenseIsNotMovedToAnArchivedPlan(t *testing.T) {
	s := newShop(t)
	s.plan(t, "acme", "old")
	id := s.issue(t, nil).License.ID()
	s.archive(t, "old", true)
	before := s.dump(t)
	move := licensing.UpdateLicenseInput{License: id, Plan: ptr("acme/old")}
	_, err := s.UpdateLicense(as(ada), move)
	wantClash(t, err, fault.State, "")
	s.wantUnchanged(t, before)
	s.archive(t, "old", false)
	must(s.UpdateLicense(as(ada), move))(t)
}

func TestLicensesOfWhatIsArchivedGoOn(t *testing.T) {
	for name, plan := range map[string]string{"plan": "pro", "product": ""} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			made := s.issue(t, nil)
			id := made.License.ID()
			s.archive(t, plan, true)
			must(s.RenewLicense(as(ada), licensing.RenewLicenseInput{License: id, Revision: ptr(1)}))(t)
			must(s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{
				License: id, Plan: ptr("acme/pro"), MaxMachines: &licensing.LimitInput{Max: ptr(2)},
			}))(t)
			must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
			must(s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id}))(t)
			rotated := must(s.RotateLicenseKey(as(ada), rotation(id)))(t)
			if got := must(s.License(as(ada), nil, &rotated.Key))(t); got.Status() != license.StatusActive || got.ExpiresAt().Year() != noon.Year()+2 {
				t.Errorf("it is %s until %v", got.Status(), got.ExpiresAt())
			}
			batch := s.batch(t, "", proLicense(nil))
			if told(batch.Results[0]) != "CONFLICT" {
				t.Errorf("a batch is %s", told(batch.Results[0]))
			}
		})
	}
}

func TestPlansOfAnArchivedProductStayAndCanBeChanged(t *testing.T) {
	s := newShop(t)
	s.archive(t, "", true)
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Grace: lasting("P1D")}))(t)
	if got := must(s.Plan(as(ada), "acme/pro"))(t); got.Plan.Archived || !got.Product.Archived {
		t.Errorf("the plan is archived: %t, its product: %t", got.Plan.Archived, got.Product.Archived)
	}
	args := page.Args{First: 50}
	if got := must(s.PlansOf(as(ada), s.acme, false, args))(t).Nodes; len(got) != 1 {
		t.Errorf("%d plans are listed", len(got))
	}
	if got := must(s.Products(as(ada), false, args))(t).Nodes; len(got) != 0 {
		t.Errorf("%d products are listed", len(got))
	}
	s.archive(t, "", false)
	if got := must(s.Products(as(ada), false, args))(t).Nodes; len(got) != 1 {
		t.Errorf("%d products are listed once it is back", len(got))
	}
	s.issue(t, nil)
}
