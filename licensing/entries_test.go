package licensing_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// accounted is what an entry says of whom and what.
type accounted struct {
	Type    journal.Type
	Actor   actor.Actor
	Subject string
	Product string
	Changed []string // the names of the fields
}

func TestEachChangeCommitsItsEntryAndNoOther(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Customer, in.AllowedDomains = &licensing.CustomerInput{Email: ptr("ada@example.com")}, []string{"example.com"}
	}).License.ID()
	newProduct := license.ProductID("new")
	for _, tt := range []accountable{
		{"createProduct", func(ctx context.Context) error {
			_, err := s.CreateProduct(ctx, licensing.CreateProductInput{Code: "new", Name: "N", KeyPrefix: "NEW", Metadata: license.Metadata(`{}`)})
			return err
		}, accounted{journal.ProductCreated, ben, newProduct, newProduct, []string{"code", "keyPrefix", "metadata", "name"}}},
		{"updateProduct", func(ctx context.Context) error {
			_, err := s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: "new", Name: ptr("M"), Archived: ptr(true)})
			return err
		}, accounted{journal.ProductUpdated, ben, newProduct, newProduct, []string{"archived", "name"}}},
		{"createPlan", func(ctx context.Context) error {
			_, err := s.CreatePlan(ctx, planOf("acme", "new"))
			return err
		}, accounted{journal.PlanCreated, ben, license.PlanID(s.acme.ID, "new"), s.acme.ID,
			[]string{"code", "duration", "expiryBasis", "maxMachines", "name", "renewalBasis", "requireProduct"}}},
		{"updatePlan", func(ctx context.Context) error {
			_, err := s.UpdatePlan(ctx, licensing.UpdatePlanInput{Plan: "acme/new", MaxMachines: ptr(4), Clear: []licensing.PlanField{licensing.PlanDuration}})
			return err
		}, accounted{journal.PlanUpdated, ben, license.PlanID(s.acme.ID, "new"), s.acme.ID, []string{"duration", "maxMachines"}}},
		{"suspendLicense", func(ctx context.Context) error {
			_, err := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr("unpaid")})
			return err
		}, accounted{journal.LicenseSuspended, ben, id, s.acme.ID, []string{"state", "statusReason"}}},
		{"reinstateLicense", func(ctx context.Context) error {
			_, err := s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: id})
			return err
		}, accounted{journal.LicenseReinstated, ben, id, s.acme.ID, []string{"state", "statusReason"}}},
		{"revokeLicense", func(ctx context.Context) error {
			_, err := s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: id})
			return err
		}, accounted{journal.LicenseRevoked, ben, id, s.acme.ID, []string{"state"}}},
		{"revealLicenseKey", func(ctx context.Context) error {
			_, err := s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: id, Reason: "lost"})
			return err
		}, accounted{journal.LicenseKeyRevealed, ben, id, s.acme.ID, []string{"revealReason"}}},
		{"eraseCustomer", func(ctx context.Context) error {
			_, err := s.EraseCustomer(ctx, licensing.EraseCustomerInput{Email: ptr("ADA@example.com")})
			return err
		}, accounted{journal.LicenseErased, ben, id, s.acme.ID, []string{"customer.email"}}},
		{"noteFirstUse", func(ctx context.Context) error {
			_, err := s.NoteFirstUse(ctx, id, noon)
			return err
		}, accounted{journal.LicenseActivated, actor.Actor{Kind: actor.LicenseHolder, ID: id}, id, s.acme.ID, []string{"activatedAt"}}},
	} {
		s.wantAccounted(t, tt)
	}
}

func TestEachChangeOfALicenseCommitsItsEntryAndNoOther(t *testing.T) {
	s := newShop(t)
	s.plan(t, "acme", "new")
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Customer, in.AllowedDomains = &licensing.CustomerInput{Email: ptr("ada@example.com")}, []string{"example.com"}
	}).License.ID()
	for _, tt := range []accountable{
		{"updateLicense", func(ctx context.Context) error {
			_, err := s.UpdateLicense(ctx, licensing.UpdateLicenseInput{
				License: id, Plan: ptr("acme/new"), Customer: &licensing.CustomerInput{Name: ptr("Ada")}, StartsAt: &noon,
				MaxMachines: &licensing.LimitInput{Max: ptr(1)}, Clear: []license.ClearField{license.ClearAllowedDomains},
			})
			return err
		}, accounted{journal.LicenseUpdated, ben, id, s.acme.ID,
			[]string{"allowedDomains", "customer.email", "customer.name", "maxMachines", "plan", "startsAt"}}},
		{"renewLicense", func(ctx context.Context) error {
			_, err := s.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, Until: ptr(noon.AddDate(2, 0, 0))})
			return err
		}, accounted{journal.LicenseRenewed, ben, id, s.acme.ID, []string{"expiresAt"}}},
		{"rotateLicenseKey, with overlap", func(ctx context.Context) error {
			_, err := s.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: id, Overlap: *lasting("P1D"), IdempotencyKey: ptr("k")})
			return err
		}, accounted{journal.LicenseKeyRotated, ben, id, s.acme.ID, []string{"keys", "oldKeysEndAt"}}},
		{"rotateLicenseKey, again", func(ctx context.Context) error {
			_, err := s.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: id, Overlap: *lasting("P1D"), IdempotencyKey: ptr("k")})
			return err
		}, accounted{journal.LicenseKeyRevealed, ben, id, s.acme.ID, nil}},
		{"rotateLicenseKey, at once", func(ctx context.Context) error {
			_, err := s.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: id})
			return err
		}, accounted{journal.LicenseKeyRotated, ben, id, s.acme.ID, []string{"keys", "oldKeysEndAt"}}},
	} {
		s.wantAccounted(t, tt)
	}
}

// accountable is a call that ben makes, and what its entry says.
type accountable struct {
	name string
	call func(context.Context) error
	want accounted
}

// wantAccounted fails unless the call commits this entry and no other.
func (s *shop) wantAccounted(t testing.TB, tt accountable) {
	t.Helper()
	n := len(s.entries(t, 0))
	if err := tt.call(as(ben)); err != nil {
		t.Fatalf("%s: %v", tt.name, err)
	}
	entries := s.entries(t, n)
	if len(entries) != 1 {
		t.Fatalf("%s commits %d entries", tt.name, len(entries))
	}
	if diff := same(tt.want, account(entries[0])); diff != "" {
		t.Errorf("%s: %s", tt.name, diff)
	}
	s.wantTrue(t, entries[0])
}

func TestAnEntryTellsOfEveryFieldThatIsThere(t *testing.T) {
	s := newShop(t)
	hour, granted, meta := lasting("PT1H"), []licensing.EntitlementInput{{Code: "export"}}, license.Metadata(`{"a":1}`)
	plan := planOf("acme", "full")
	plan.ExpiryBasis = license.FromFirstActivation
	plan.Grace, plan.LeaseDuration, plan.CheckInInterval, plan.MaxOfflineDuration = hour, hour, hour, hour
	plan.MaxDomains, plan.OveragePercent, plan.RequireFingerprint, plan.RequireDomain = ptr(1), 10, ptr(true), ptr(false)
	plan.Entitlements, plan.Metadata = granted, meta
	must(s.CreatePlan(as(ada), plan))(t)
	limit := &licensing.LimitInput{Max: ptr(1)}
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.Plan, in.ExternalID = "acme/full", ptr("7")
		in.Customer = &licensing.CustomerInput{Email: ptr("ada@example.com"), Name: ptr("Ada"), ExternalID: ptr("7")}
		in.StartsAt, in.MaxMachines, in.MaxDomains, in.Grace = &noon, limit, limit, hour
		in.Entitlements, in.AllowedDomains, in.Metadata = granted, []string{"example.com"}, meta
	}).License.ID()
	entries := s.entries(t, 2)
	for i, want := range []accounted{
		{journal.PlanCreated, ada, license.PlanID(s.acme.ID, "full"), s.acme.ID, []string{
			"checkInInterval", "code", "duration", "entitlements", "expiryBasis", "grace", "leaseDuration", "maxDomains",
			"maxMachines", "maxOfflineDuration", "metadata", "name", "overagePercent", "renewalBasis",
			"requireDomain", "requireFingerprint", "requireProduct",
		}},
		{journal.LicenseCreated, ada, id, s.acme.ID, []string{
			"allowedDomains", "awaitsActivation", "customer.email", "customer.externalId", "customer.name", "entitlements",
			"externalId", "grace", "keys", "maxDomains", "maxMachines", "metadata", "plan", "startsAt", "state",
		}},
	} {
		if diff := same(want, account(entries[i])); diff != "" {
			t.Error(diff)
		}
		s.wantTrue(t, entries[i])
	}
}

func account(e journal.Entry) accounted {
	a := accounted{Type: e.Type, Actor: e.Actor, Subject: e.Subject, Product: e.Product}
	for name := range changesOf(e) {
		a.Changed = append(a.Changed, name)
	}
	slices.Sort(a.Changed)
	return a
}

// changesOf gives what an entry says was changed.
func changesOf(e journal.Entry) journal.Changes {
	var data struct {
		Changes journal.Changes `json:"changes"`
	}
	if err := json.Unmarshal([]byte(cmp.Or(string(e.Data), "{}")), &data); err != nil {
		panic(err)
	}
	return data.Changes
}

// wantTrue fails unless the entry, the last of its record, is of the record as
// it is stored.
func (s *shop) wantTrue(t testing.TB, e journal.Entry) {
	t.Helper()
	stored := s.stored(t, e.Record())
	digest := must(journal.Digest(s.config.Secrets.First(), stored.Record))(t)
	if !bytes.Equal(e.Digest, digest) || e.Revision != stored.Revision || !e.At.Equal(s.now) || e.Version != 1 {
		t.Errorf("the entry %+v is not of revision %d", e, stored.Revision)
	}
}

func TestARefusedChangeLeavesNoEntry(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	before := s.dump(t)
	for name, call := range map[string]func() error{
		"to reinstate what is issued": func() error {
			_, err := s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id})
			return err
		},
		"a bad name": func() error {
			_, err := s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Name: ptr("")})
			return err
		},
		"a taken code": func() error {
			_, err := s.CreatePlan(as(ada), planOf("acme", "pro"))
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s is let through", name)
		}
	}
	s.wantUnchanged(t, before)
}
