package licensing_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
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
	for _, tt := range []struct {
		name string
		call func(context.Context) error
		want accounted
	}{
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
	for name := range e.Data {
		a.Changed = append(a.Changed, name)
	}
	slices.Sort(a.Changed)
	return a
}

// wantTrue fails unless the entry, the last of its record, is of the record as
// it is stored.
func (s *shop) wantTrue(t testing.TB, e journal.Entry) {
	t.Helper()
	stored := s.stored(t, e.Subject)
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

// What nobody may find in the journal, in the log or in an error, by what it
// is. They are of one case and no substring of what may be found.
var canaries = map[string]string{
	"e-mail":               "canary-mail@example.com",
	"customer's name":      "canary-customer",
	"customer's id":        "canary-customer-id",
	"external id":          "canary-order",
	"reason of suspension": "canary-unpaid",
	"reason to reinstate":  "canary-paid",
	"reason of revocation": "canary-fraud",
	"reason to reveal":     "canary-lost",
	"metadata":             "canary-metadata",
	"plan's metadata":      "canary-plan-metadata",
	"product's metadata":   "canary-product-metadata",
	"allowed domain":       "canary-domain.example.com",
	"imported key":         "canary-imported-key",
	"idempotency key":      "canary-idempotency-key",
}

func TestNoPersonalValueOrSecretIsInJournalLogOrErrors(t *testing.T) {
	s := newShop(t)
	hidden := map[string]string{}
	for name, canary := range canaries {
		hidden[name] = canary
	}
	var heard strings.Builder // what callers are told in errors
	for i, generated := range s.liveWithCanaries(t, &heard) {
		hidden[fmt.Sprint("generated key ", i)] = generated
		hidden[fmt.Sprint("the data of it ", i)] = strings.ReplaceAll(strings.TrimPrefix(generated, "ACME"), "-", "")[:key.Length]
	}
	hidden["secret"] = oldSecret
	var journaled strings.Builder
	for _, e := range must(s.store.Pending(context.Background(), 1000))(t) {
		journaled.Write(e.Body)
		journaled.WriteByte('\n')
	}
	if n := strings.Count(journaled.String(), "\n"); n < 15 {
		t.Fatalf("%d entries: not all calls were made", n)
	}
	for place, text := range map[string]string{"journal": journaled.String(), "log": s.log.text.String(), "errors": heard.String()} {
		if text == "" {
			t.Errorf("there is nothing in the %s", place)
		}
		for name, canary := range hidden {
			for _, form := range forms(canary) {
				if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
					t.Errorf("the %s is in the %s, as %s", name, place, form)
				}
			}
		}
	}
}

// forms are the ways in which a value may be written.
func forms(value string) []string {
	raw := []byte(value)
	all := []string{value, hex.EncodeToString(raw)}
	if decoded, err := hex.DecodeString(value); err == nil {
		raw = decoded
	}
	// Inside of a longer text base64 has one of three forms.
	for skip := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, skip), raw...))
		all = append(all, text[4:len(text)-4])
	}
	return all
}

// liveWithCanaries makes every call with all canaries, well and badly, and
// gives the keys that were generated.
func (s *shop) liveWithCanaries(t testing.TB, heard *strings.Builder) []string {
	t.Helper()
	var keys []string
	c := canaries
	idempotency, meta := ptr(c["idempotency key"]), func(name string) license.Metadata {
		return license.Metadata(`{"` + c[name] + `":"` + c[name] + `"}`)
	}
	full := func(in *licensing.IssueLicenseInput) {
		in.Plan, in.ExternalID = "live/pro", ptr(c["external id"])
		in.Customer = &licensing.CustomerInput{Email: ptr(c["e-mail"]), Name: ptr(c["customer's name"]), ExternalID: ptr(c["customer's id"])}
		in.AllowedDomains, in.Metadata = []string{c["allowed domain"]}, meta("metadata")
	}
	fullImport := func(in *licensing.IssueLicenseInput) { full(in); in.Key = ptr(c["imported key"]) }
	fail := func(_ any, err error) {
		t.Helper()
		if err == nil {
			t.Error("a bad call is let through")
		}
		for _, e := range fault.All(err) {
			heard.WriteString(e.Error() + e.Field + e.ID + e.Action + "\n")
		}
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			heard.WriteString(inner.Error() + "\n")
		}
	}
	ctx := as(ada)
	product := licensing.CreateProductInput{Code: "live", Name: "Live", KeyPrefix: "ACME", Metadata: meta("product's metadata"), IdempotencyKey: idempotency}
	must(s.CreateProduct(ctx, product))(t)
	product.Name = "Another"
	fail(s.CreateProduct(ctx, product))
	plan := planOf("live", "pro")
	plan.Metadata, plan.IdempotencyKey = meta("plan's metadata"), idempotency
	must(s.CreatePlan(ctx, plan))(t)
	must(s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: "live", Metadata: meta("metadata"), IdempotencyKey: idempotency}))(t)
	must(s.UpdatePlan(ctx, licensing.UpdatePlanInput{Plan: "live/pro", Metadata: meta("metadata"), IdempotencyKey: idempotency}))(t)
	fail(s.UpdatePlan(as(ben), licensing.UpdatePlanInput{Plan: "live/pro", Metadata: meta("metadata"), IdempotencyKey: idempotency}))

	made := must(s.IssueLicense(ctx, under(*idempotency, full)))(t)
	must(s.IssueLicense(ctx, under(*idempotency, full)))(t)
	fail(s.IssueLicense(ctx, under(*idempotency, fullImport)))
	imported := must(s.IssueLicense(ctx, under("another", fullImport)))(t)
	fail(s.IssueLicense(ctx, proLicense(fullImport)))
	fail(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) {
		full(in)
		in.Customer.Email, in.Metadata = ptr(c["e-mail"]+"@"), license.Metadata(`["`+c["metadata"]+`"]`)
		in.ExternalID, in.Customer.Name = ptr(c["external id"]+"\n"), ptr(c["customer's name"]+"\x00")
	})))
	fail(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) { in.Key = ptr(c["imported key"] + "\x00") })))
	fail(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) { in.Key = ptr(made.Key[:len(made.Key)-1] + "*") })))
	fail(s.License(ctx, nil, ptr(made.Key[:len(made.Key)-1])))
	batch := must(s.IssueLicenses(ctx, licensing.IssueLicensesInput{IdempotencyKey: idempotency, Licenses: []licensing.IssueLicenseInput{
		proLicense(fullImport), proLicense(full), proLicense(func(in *licensing.IssueLicenseInput) { full(in); in.ExternalID = ptr(c["external id"] + "\n") }),
	}}))(t)
	for _, r := range batch.Results {
		if r.Error == nil {
			keys = append(keys, *r.Key)
			continue
		}
		heard.WriteString(shown(t, r.Error))
	}
	fail(s.License(ctx, nil, ptr(c["imported key"]+"-of-another")))

	for _, id := range []string{made.License.ID(), imported.License.ID()} {
		must(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{
			License: id, ExternalID: ptr(c["external id"] + "-2"), Customer: &licensing.CustomerInput{Name: ptr(c["customer's name"] + "-2")},
			AllowedDomains: []string{c["allowed domain"], "*." + c["allowed domain"]}, Metadata: meta("plan's metadata"), IdempotencyKey: idempotency,
		}))(t)
		fail(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, Customer: &licensing.CustomerInput{Email: ptr(c["customer's id"])}, Metadata: license.Metadata(c["metadata"])}))
		fail(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, ExternalID: ptr(c["external id"]), IdempotencyKey: idempotency}))
		must(s.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, IdempotencyKey: idempotency}))(t)
		rotate := licensing.RotateLicenseKeyInput{License: id, Overlap: *lasting("P1D"), IdempotencyKey: idempotency}
		rotated := must(s.RotateLicenseKey(ctx, rotate))(t)
		must(s.RotateLicenseKey(ctx, rotate))(t)
		keys = append(keys, rotated.Key)
		fail(s.RotateLicenseKey(as(ben), rotate))
		fail(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) { in.Plan, in.Key = "live/pro", &rotated.Key })))
		must(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of suspension"]), IdempotencyKey: idempotency}))(t)
		fail(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of revocation"]), IdempotencyKey: idempotency}))
		fail(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of suspension"] + "\n")}))
		must(s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: id, Reason: ptr(c["reason to reinstate"]), IdempotencyKey: idempotency}))(t)
		must(s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: id, Reason: c["reason to reveal"]}))(t)
		must(s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: id, Reason: ptr(c["reason of revocation"])}))(t)
		must(s.NoteFirstUse(ctx, id, noon))(t)
	}
	must(s.SearchLicenses(ctx, c["customer's name"], nil))(t)
	fail(s.SearchLicenses(ctx, strings.Repeat(c["customer's name"], 99), nil))
	fail(s.EraseCustomer(ctx, licensing.EraseCustomerInput{Email: ptr(c["e-mail"]), ExternalID: ptr(c["customer's id"])}))
	s.eraseWithCanaries(t)
	s.breakWithCanaries(t, fail, made, full)
	return append(keys, made.Key)
}

// eraseWithCanaries erases the customer, of whom records hold nothing then.
func (s *shop) eraseWithCanaries(t testing.TB) {
	t.Helper()
	personal := []string{canaries["e-mail"], canaries["customer's name"], canaries["customer's id"]}
	held := func() string { return strings.ToLower(shown(t, s.dump(t).Records)) }
	if before := held(); !strings.Contains(before, forms(personal[1])[1]) && !strings.Contains(before, personal[0]) {
		t.Error("no record holds the customer")
	}
	got := must(s.EraseCustomer(as(ada), licensing.EraseCustomerInput{Email: ptr(strings.ToUpper(personal[0]))}))(t)
	if got.Licenses != 2 {
		t.Errorf("%d licenses are erased, want 2", got.Licenses)
	}
	after := held()
	for _, r := range s.dump(t).Records {
		after += strings.ToLower(string(r.Body)) // which JSON shows in base64
	}
	for _, value := range personal {
		for _, form := range forms(value) {
			if strings.Contains(after, strings.ToLower(form)) {
				t.Errorf("%s is still stored, as %s", value, form)
			}
		}
	}
}

// breakWithCanaries makes storage fail and lie.
func (s *shop) breakWithCanaries(t testing.TB, fail func(any, error), made *licensing.IssueLicensePayload, full func(*licensing.IssueLicenseInput)) {
	t.Helper()
	ctx := as(ada)
	s.store.commit = func(context.Context, storage.Change) error { return errBroken }
	fail(s.IssueLicense(ctx, under(canaries["idempotency key"]+"-2", full)))
	fail(s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: made.License.ID(), Reason: canaries["reason to reveal"]}))
	s.store.commit = nil
	s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
		found, err := s.store.Model.Get(ctx, ids...)
		for _, r := range found {
			if r != nil && r.Kind == storage.License {
				r.Body = bytes.Replace(r.Body, []byte(`"sealed":"`), []byte(`"sealed":"AAAA`), 1)
			}
		}
		return found, err
	}
	fail(s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: made.License.ID(), Reason: canaries["reason to reveal"]}))
	s.store.get = nil
	s.policy.allow(nil)
	fail(s.IssueLicense(ctx, under(canaries["idempotency key"], full)))
}
