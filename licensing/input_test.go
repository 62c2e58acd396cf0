package licensing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

var (
	deep    = license.Metadata(`{"a":{"b":{"c":{"d":{}}}}}`)                  // 5 levels
	large   = license.Metadata(`{"a":"` + strings.Repeat("x", 17<<10) + `"}`) // 17 KiB
	tooMany = ptr(license.MaxSeats + 1)
	control = ptr("a\x00b")
)

func TestABadLicenseNamesEachBadField(t *testing.T) {
	type input = licensing.IssueLicenseInput
	for name, tt := range map[string]struct {
		spoil func(*input)
		bad   []string
	}{
		"an end before the start": {func(in *input) { in.StartsAt, in.ExpiresAt = ptr(noon.Add(1)), ptr(noon.Add(-time.Hour)) }, []string{"expiresAt"}},
		"an end at the start":     {func(in *input) { in.StartsAt, in.ExpiresAt = &noon, &noon }, []string{"expiresAt"}},
		"an end and none":         {func(in *input) { in.ExpiresAt, in.NeverExpires = &noon, true }, []string{"neverExpires"}},
		"a limit in two ways": {func(in *input) {
			in.MaxMachines = &licensing.LimitInput{Max: ptr(1), Unlimited: ptr(true)}
		}, []string{"maxMachines"}},
		"limits in no way": {func(in *input) {
			in.MaxMachines, in.MaxDomains = &licensing.LimitInput{}, &licensing.LimitInput{Unlimited: ptr(false)}
		}, []string{"maxMachines", "maxDomains"}},
		"negative limits": {func(in *input) {
			in.MaxMachines, in.MaxDomains = &licensing.LimitInput{Max: ptr(-1)}, &licensing.LimitInput{Max: ptr(-1)}
		}, []string{"maxMachines", "maxDomains"}},
		"a limit beyond seats": {func(in *input) { in.MaxDomains = &licensing.LimitInput{Max: tooMany} }, []string{"maxDomains"}},
		"deep metadata":        {func(in *input) { in.Metadata = deep }, []string{"metadata"}},
		"large metadata":       {func(in *input) { in.Metadata = large }, []string{"metadata"}},
		"metadata, no object":  {func(in *input) { in.Metadata = license.Metadata(`[]`) }, []string{"metadata"}},
		"a domain that is none": {func(in *input) {
			in.AllowedDomains = []string{"example.com", "*.*.example.com", "http://example.com"}
		}, []string{"allowedDomains.1", "allowedDomains.2"}},
		"entitlements": {func(in *input) {
			in.Entitlements = []licensing.EntitlementInput{{Code: "a"}, {Code: ""}, {Code: "a", Value: json.RawMessage("{")}}
		}, []string{"entitlements.1.code", "entitlements.2.code", "entitlements.2.value"}},
		"everything": {func(in *input) {
			in.ExternalID = control
			in.Customer = &licensing.CustomerInput{Email: ptr("nobody"), Name: control, ExternalID: ptr(strings.Repeat("x", 201))}
			in.StartsAt, in.ExpiresAt, in.NeverExpires = &noon, &noon, true
			in.MaxMachines, in.MaxDomains = &licensing.LimitInput{}, &licensing.LimitInput{Max: ptr(-1)}
			in.Metadata, in.AllowedDomains = deep, []string{""}
		}, []string{
			"externalId", "customer.email", "customer.name", "customer.externalId", "expiresAt", "neverExpires",
			"maxMachines", "maxDomains", "metadata", "allowedDomains.0",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			before := s.dump(t)
			_, err := s.IssueLicense(as(ada), proLicense(tt.spoil))
			wantFields(t, err, tt.bad...)
			_, err = s.IssueLicense(as(ada), under("order 7", tt.spoil))
			wantFields(t, err, tt.bad...)
			s.wantUnchanged(t, before)
		})
	}
}

func TestABadPlanNamesEachBadField(t *testing.T) {
	s := newShop(t)
	before := s.dump(t)
	short := lasting("PT9S")
	in := planOf("acme", "Bad Code")
	in.Name, in.Duration, in.LeaseDuration, in.CheckInInterval, in.MaxOfflineDuration = "", lasting("P0D"), short, short, short
	in.ExpiryBasis, in.RenewalBasis, in.OveragePercent = "NEVER", "", -1
	in.MaxMachines, in.MaxDomains = ptr(-1), tooMany
	in.Metadata, in.Entitlements = large, []licensing.EntitlementInput{{}}
	_, err := s.CreatePlan(as(ada), in)
	bad := []string{
		"duration", "leaseDuration", "checkInInterval", "maxOfflineDuration", "expiryBasis",
		"overagePercent", "maxMachines", "maxDomains", "entitlements.0.code", "metadata", "name",
	}
	wantFields(t, err, append(bad, "code", "renewalBasis")...)

	_, err = s.UpdatePlan(as(ada), licensing.UpdatePlanInput{
		Plan: "acme/pro", Name: &in.Name, Duration: in.Duration, ExpiryBasis: &in.ExpiryBasis, MaxMachines: in.MaxMachines,
		MaxDomains: in.MaxDomains, OveragePercent: &in.OveragePercent, LeaseDuration: short, CheckInInterval: short,
		MaxOfflineDuration: short, Entitlements: in.Entitlements, Metadata: large,
	})
	wantFields(t, err, bad...)
	_, err = s.UpdatePlan(as(ada), licensing.UpdatePlanInput{
		Plan: "acme/pro", Duration: lasting("P1Y"), Clear: []licensing.PlanField{licensing.PlanDuration},
	})
	wantFields(t, err, "clear")
	s.wantUnchanged(t, before)
}

func TestEachFieldOfAPlanCanBeEmptied(t *testing.T) {
	s := newShop(t)
	all := licensing.UpdatePlanInput{
		Plan: "acme/pro", Duration: lasting("P1Y"), Grace: lasting("P1D"), MaxMachines: ptr(1), MaxDomains: ptr(1),
		RequireFingerprint: ptr(false), RequireDomain: ptr(false), LeaseDuration: lasting("PT1H"),
		CheckInInterval: lasting("P1D"), MaxOfflineDuration: lasting("P1D"),
	}
	for name, empty := range map[licensing.PlanField]func(*license.Plan) bool{
		"DURATION":             func(p *license.Plan) bool { return p.Duration == nil },
		"GRACE":                func(p *license.Plan) bool { return p.Grace == nil },
		"MAX_MACHINES":         func(p *license.Plan) bool { return p.MaxMachines == nil },
		"MAX_DOMAINS":          func(p *license.Plan) bool { return p.MaxDomains == nil },
		"REQUIRE_FINGERPRINT":  func(p *license.Plan) bool { return p.RequireFingerprint == nil },
		"REQUIRE_DOMAIN":       func(p *license.Plan) bool { return p.RequireDomain == nil },
		"LEASE_DURATION":       func(p *license.Plan) bool { return p.LeaseDuration == nil },
		"CHECK_IN_INTERVAL":    func(p *license.Plan) bool { return p.CheckInInterval == nil },
		"MAX_OFFLINE_DURATION": func(p *license.Plan) bool { return p.MaxOfflineDuration == nil },
	} {
		if full := must(s.UpdatePlan(as(ada), all))(t); empty(full.Plan.Plan) {
			t.Errorf("%s was not set", name)
		}
		must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Clear: []licensing.PlanField{name}}))(t)
		if got := must(s.Plan(as(ada), "acme/pro"))(t); !empty(got.Plan) {
			t.Errorf("%s was not emptied", name)
		}
	}
}

func TestABadProductNamesEachBadField(t *testing.T) {
	s := newShop(t)
	before := s.dump(t)
	_, err := s.CreateProduct(as(ada), licensing.CreateProductInput{Code: "a", Name: " ", KeyPrefix: "lower", Metadata: deep})
	wantFields(t, err, "code", "name", "keyPrefix", "metadata")
	_, err = s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Name: control, Metadata: large})
	wantFields(t, err, "name", "metadata")
	s.wantUnchanged(t, before)
}

func TestABadReasonIsRefused(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	for _, bad := range []string{"a\nb", strings.Repeat("x", 1001), "\xff"} {
		_, err := s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: s.id(), Reason: &bad})
		wantFields(t, err, "reason")
		_, err = s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: s.suspended.License.ID(), Reason: &bad})
		wantFields(t, err, "reason")
		_, err = s.RevokeLicense(as(ada), licensing.RevokeLicenseInput{License: s.id(), Reason: &bad})
		wantFields(t, err, "reason")
		_, err = s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: s.id(), Reason: bad})
		wantFields(t, err, "reason")
	}
	_, err := s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: s.id()})
	wantFields(t, err, "reason")
	s.wantUnchanged(t, before)
}

func TestAnUnknownReferenceIsNotFound(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	ctx := as(ada)
	unknown := []string{"", "none", "none/none", "a/b/c", "acme\x00", strings.Repeat("x", 5000), "lic_" + strings.Repeat("0", 26), "idem_" + strings.Repeat("0", 26)}
	kinds := map[string]struct {
		right []string // what names one, and so none of another kind
		calls func(ref string) map[string]error
	}{
		"product": {[]string{s.acme.ID, "acme"}, func(ref string) map[string]error {
			_, product := s.Product(ctx, ref)
			_, update := s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: ref})
			_, plan := s.CreatePlan(ctx, planOf(ref, "new"))
			return map[string]error{"product": product, "updateProduct": update, "createPlan": plan}
		}},
		"plan": {[]string{s.pro.ID, "acme/pro"}, func(ref string) map[string]error {
			_, plan := s.Plan(ctx, ref)
			_, update := s.UpdatePlan(ctx, licensing.UpdatePlanInput{Plan: ref})
			_, issue := s.IssueLicense(ctx, licensing.IssueLicenseInput{Plan: ref})
			_, move := s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: s.id(), Plan: &ref})
			return map[string]error{"plan": plan, "updatePlan": update, "issueLicense": issue, "updateLicense": move}
		}},
		"license": {[]string{s.id()}, func(ref string) map[string]error {
			_, get := s.License(ctx, &ref, nil)
			_, suspend := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: ref})
			_, reinstate := s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: ref})
			_, revoke := s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: ref})
			_, update := s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: ref})
			_, renew := s.RenewLicense(ctx, licensing.RenewLicenseInput{License: ref, Revision: ptr(1)})
			_, rotate := s.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: ref})
			_, reveal := s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: ref, Reason: "lost"})
			return map[string]error{"license": get, "suspend": suspend, "reinstate": reinstate, "revoke": revoke, "reveal": reveal, "update": update, "renew": renew, "rotate": rotate}
		}},
	}
	for name, kind := range kinds {
		refs := unknown
		for other, k := range kinds {
			if other != name {
				refs = append(refs[:len(refs):len(refs)], k.right...)
			}
		}
		for _, ref := range refs {
			for call, err := range kind.calls(ref) {
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s of %.40q: %s %v", call, ref, fault.CodeOf(err), err)
				}
			}
		}
	}
	s.wantUnchanged(t, before)
}

func TestNothingIsIssuedUnderWhatIsArchived(t *testing.T) {
	s := newShop(t)
	plan, product := licensing.UpdatePlanInput{Plan: "acme/pro"}, licensing.UpdateProductInput{Product: "acme"}
	refused := func(what string) {
		t.Helper()
		for _, way := range ways {
			_, err := s.IssueLicense(as(ada), proLicense(way))
			if e := fault.All(err); len(e) != 1 || e[0].Reason != fault.State || !strings.Contains(e[0].Message, what) {
				t.Errorf("issue under an archived %s: %v", what, err)
			}
		}
	}
	plan.Archived = ptr(true)
	must(s.UpdatePlan(as(ada), plan))(t)
	refused("plan")
	plan.Archived, product.Archived = ptr(false), ptr(true)
	must(s.UpdatePlan(as(ada), plan))(t)
	must(s.UpdateProduct(as(ada), product))(t)
	refused("product")
	_, err := s.CreatePlan(as(ada), planOf("acme", "new"))
	wantClash(t, err, fault.State, s.acme.ID)
	product.Archived = ptr(false)
	must(s.UpdateProduct(as(ada), product))(t)
	s.issue(t, nil)
}

func TestAStateThatDoesNotFitIsAConflict(t *testing.T) {
	s := newAcmeShop(t)
	before := s.dump(t)
	ctx := as(ada)
	for name, call := range map[string]func() error{
		"suspend a suspended": func() error {
			_, err := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: s.suspended.License.ID()})
			return err
		},
		"suspend a revoked": func() error {
			_, err := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: s.revoked.License.ID()})
			return err
		},
		"reinstate an issued": func() error {
			_, err := s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: s.id()})
			return err
		},
		"renew a revoked": func() error {
			_, err := s.RenewLicense(ctx, licensing.RenewLicenseInput{License: s.revoked.License.ID(), Until: ptr(noon.AddDate(9, 0, 0))})
			return err
		},
		"revoke a revoked": func() error {
			_, err := s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: s.revoked.License.ID()})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantClash(t, call(), fault.State, "") })
	}
	s.wantUnchanged(t, before)
}

// The largest input that is taken fits into the journal, before and after.
func TestTheLargestChangeFitsTheJournal(t *testing.T) {
	s := newShop(t)
	granted := func(digit string) (all []licensing.EntitlementInput) {
		for i := range 100 {
			all = append(all, licensing.EntitlementInput{
				Code: fmt.Sprintf("%02d", i), Value: json.RawMessage(`"` + strings.Repeat(digit, 235) + `"`), ExpiresAt: noon,
			})
		}
		return all
	}
	for _, digit := range []string{"1", "2"} {
		must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Entitlements: granted(digit)}))(t)
	}
	before := s.dump(t)
	wide := []licensing.EntitlementInput{}
	for i := range 24 { // canonical JSON writes 1e20 in 21 digits
		wide = append(wide, licensing.EntitlementInput{Code: fmt.Sprint(i), Value: json.RawMessage(`[` + strings.Repeat("1e20,", 190) + `0]`)})
	}
	_, err := s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Entitlements: wide})
	wantCode(t, err, fault.InvalidInput)
	s.wantUnchanged(t, before)
}
