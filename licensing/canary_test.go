package licensing_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/journal/journaltest"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

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
	"fingerprint":          "canary-machine",
	"machine's name":       "canary-laptop",
	"machine's platform":   "canary-os",
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
	for _, what := range journal.Types() {
		if what == journal.JournalRestored { // no use-case's, and never pending
			continue
		}
		if !strings.Contains(journaled.String(), `"`+string(what)+`"`) {
			t.Errorf("no entry is of %s: not all calls were made", what)
		}
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
		keys = append(keys, s.changeWithCanaries(t, fail, id))
	}
	must(s.SearchLicenses(ctx, c["customer's name"], nil))(t)
	fail(s.SearchLicenses(ctx, strings.Repeat(c["customer's name"], 99), nil))
	fail(s.EraseCustomer(ctx, licensing.EraseCustomerInput{Email: ptr(c["e-mail"]), ExternalID: ptr(c["customer's id"])}))
	s.eraseWithCanaries(t)
	s.ageWithCanaries(t, full)
	s.breakWithCanaries(t, fail, made, full)
	return append(keys, made.Key)
}

// ageWithCanaries lets a license fall silent, run out and lapse.
func (s *shop) ageWithCanaries(t testing.TB, full func(*licensing.IssueLicenseInput)) {
	t.Helper()
	s.watched(t)
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		full(in)
		ofWatched(in)
	}).License.ID()
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	now, end := s.now, *must(s.License(as(ada), &id, nil))(t).ExpiresAt()
	for _, at := range []time.Time{end.Add(-aDay), end, end.Add(10 * aDay)} {
		s.announceAt(t, at)
	}
	s.now = now
}

// changeWithCanaries changes a license in every way, and gives its new key.
func (s *shop) changeWithCanaries(t testing.TB, fail func(any, error), id string) string {
	t.Helper()
	c, ctx := canaries, as(ada)
	idempotency := ptr(c["idempotency key"])
	must(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{
		License: id, ExternalID: ptr(c["external id"] + "-2"),
		Customer:       &licensing.CustomerInput{Email: ptr(c["e-mail"]), Name: ptr(c["customer's name"] + "-2"), ExternalID: ptr(c["customer's id"])},
		AllowedDomains: []string{c["allowed domain"], "*." + c["allowed domain"]}, IdempotencyKey: idempotency,
	}))(t)
	fail(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, Customer: &licensing.CustomerInput{Email: ptr(c["customer's id"])}, Metadata: license.Metadata(c["metadata"])}))
	fail(s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, ExternalID: ptr(c["external id"]), IdempotencyKey: idempotency}))
	must(s.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, IdempotencyKey: idempotency}))(t)
	rotate := licensing.RotateLicenseKeyInput{License: id, Overlap: *lasting("P1D"), IdempotencyKey: idempotency}
	rotated := must(s.RotateLicenseKey(ctx, rotate))(t)
	must(s.RotateLicenseKey(ctx, rotate))(t)
	fail(s.RotateLicenseKey(as(ben), rotate))
	fail(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) { in.Plan, in.Key = "live/pro", &rotated.Key })))
	s.seatWithCanaries(t, fail, id, rotated.Key)
	must(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of suspension"]), IdempotencyKey: idempotency}))(t)
	fail(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of revocation"]), IdempotencyKey: idempotency}))
	fail(s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, Reason: ptr(c["reason of suspension"] + "\n")}))
	must(s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: id, Reason: ptr(c["reason to reinstate"]), IdempotencyKey: idempotency}))(t)
	must(s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: id, Reason: c["reason to reveal"]}))(t)
	must(s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: id, Reason: ptr(c["reason of revocation"])}))(t)
	must(s.NoteFirstUse(ctx, id, noon))(t)
	return rotated.Key
}

// seatWithCanaries takes all seats of a license and one too many, and frees
// them by its holder and by staff.
func (s *shop) seatWithCanaries(t testing.TB, fail func(any, error), id, keyText string) {
	t.Helper()
	claim := func(n int) licensing.SeatClaim {
		c := s.claim(t, keyText, fmt.Sprint(canaries["fingerprint"], n))
		c.Request.Product, c.Name, c.Platform = "live", canaries["machine's name"], canaries["machine's platform"]
		return c
	}
	ctx := context.Background()
	var last *licensing.SeatAnswer
	for n := range 4 { // where there are three
		last = must(s.Activate(ctx, claim(n)))(t)
	}
	if last.Changed {
		t.Error("a seat too many")
	}
	renamed := claim(0)
	renamed.Name += "-2"
	held := must(s.Activate(ctx, renamed))(t).Seat.ID
	broken := claim(1)
	broken.Name += "\n"
	fail(s.Activate(ctx, broken))
	must(s.RemoveActivation(as(ada), licensing.RemoveActivationInput{License: id, Activation: held}))(t)
	fail(s.RemoveActivation(as(ada), licensing.RemoveActivationInput{License: id, Activation: held}))
	release := s.release(t, keyText, fmt.Sprint(canaries["fingerprint"], 1))
	release.Request.Product = "live"
	must(s.Deactivate(ctx, release))(t)
}

// eraseWithCanaries erases the customer, of whom records hold nothing then.
func (s *shop) eraseWithCanaries(t testing.TB) {
	t.Helper()
	personal := []string{canaries["e-mail"], canaries["customer's name"], canaries["customer's id"]}
	held := func() string { return strings.ToLower(shown(t, s.dump(t).Records)) }
	if before := held(); !strings.Contains(before, forms(personal[1])[1]) && !strings.Contains(before, personal[0]) {
		t.Error("no record holds the customer")
	}
	if before := s.allShown(t); !strings.Contains(before, personal[0]) {
		t.Error("no event shows the customer")
	}
	got := must(s.EraseCustomer(as(ada), licensing.EraseCustomerInput{Email: ptr(strings.ToUpper(personal[0]))}))(t)
	if got.Licenses != 3 {
		t.Errorf("%d licenses are erased, want 3", got.Licenses)
	}
	after := held()
	for _, r := range s.dump(t).Records {
		after += strings.ToLower(string(r.Body)) // which JSON shows in base64
	}
	events := s.allShown(t)
	for _, value := range personal {
		for _, form := range forms(value) {
			if strings.Contains(after, strings.ToLower(form)) {
				t.Errorf("%s is still stored, as %s", value, form)
			}
			if strings.Contains(events, strings.ToLower(form)) {
				t.Errorf("%s is still shown, as %s", value, form)
			}
		}
	}
}

// allShown gives what all events show, in lower case.
func (s *shop) allShown(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, e := range s.entries(t, 0) {
		found := must(s.store.Model.Get(context.Background(), e.Record()))(t)
		data := must(licensing.ShownData(s.Service, e, found[0]))(t)
		journaltest.CheckShown(t, e, data)
		all.WriteString(strings.ToLower(string(data)) + "\n")
	}
	return all.String()
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
