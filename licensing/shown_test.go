package licensing_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/journal/journaltest"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// showing is what an event's data says, field by field: of the last entry of a
// type.
func (s *shop) showing(t testing.TB, what journal.Type, record *storage.Stored) map[string]string {
	t.Helper()
	var last *journal.Entry
	for _, e := range s.entries(t, 0) {
		if e.Type == what {
			last = &e
		}
	}
	if last == nil {
		t.Fatalf("nothing is %s", what)
	}
	if record == nil {
		record = s.stored(t, last.Record())
	}
	data := must(licensing.ShownData(s.Service, *last, record))(t)
	journaltest.CheckShown(t, *last, data)
	return showing(t, data)
}

func showing(t testing.TB, data json.RawMessage) map[string]string {
	t.Helper()
	var shown struct {
		Changes journal.Changes `json:"changes"`
	}
	if err := json.Unmarshal(data, &shown); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	fields := map[string]string{}
	for name, change := range shown.Changes {
		for _, end := range []struct {
			name  string
			value json.RawMessage
		}{{"from", change.From}, {"to", change.To}} {
			if end.value != nil {
				fields[name+" "+end.name] = string(end.value)
			}
		}
	}
	return fields
}

// wantShown fails unless the last entry of a type shows exactly these fields.
func (s *shop) wantShown(t testing.TB, what journal.Type, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, s.showing(t, what, nil)); diff != "" {
		t.Errorf("%s shows (-want +got): %s", what, diff)
	}
}

const noMore = `{"withheld":true}`

func TestAnEventShowsTheCustomerAsTheLicenseHasIt(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		ofAda(in)
		in.Metadata = license.Metadata(`{"b":"<é>","a":1.0}`)
	}).License.ID()
	created := map[string]string{
		"customer.email to": `"Ada@Example.com"`, "customer.name to": `"Ada King Lovelace"`, "customer.externalId to": `"C-9"`,
		"metadata to": `{"b":"\u003cé\u003e","a":1.0}`, "expiresAt to": `"2027-11-21T12:00:00Z"`, "keys to": "1",
		"plan to": `"` + s.pro.ID + `"`, "state to": `"issued"`,
	}
	s.wantShown(t, journal.LicenseCreated, created)

	update := func(email string) {
		t.Helper()
		must(s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: id, Customer: &licensing.CustomerInput{
			Email: &email, Name: ptr("Ada King Lovelace"), ExternalID: ptr("C-9"),
		}}))(t)
	}
	update("eve@example.com")
	s.wantShown(t, journal.LicenseUpdated, map[string]string{"customer.email from": noMore, "customer.email to": `"eve@example.com"`})
	created["customer.email to"] = noMore
	s.wantShown(t, journal.LicenseCreated, created)

	// What is there again is shown again, wherever it stood.
	update("Ada@Example.com")
	s.wantShown(t, journal.LicenseUpdated, map[string]string{"customer.email from": noMore, "customer.email to": `"Ada@Example.com"`})
	created["customer.email to"] = `"Ada@Example.com"`
	s.wantShown(t, journal.LicenseCreated, created)

	// A secret that is added before the one they were hidden under.
	s.restart(t, newSecret, oldSecret)
	s.wantShown(t, journal.LicenseCreated, created)
	// Without that one nothing confirms what was hidden.
	s.restart(t, newSecret)
	if got := s.showing(t, journal.LicenseCreated, nil); got["customer.email to"] != noMore || got["state to"] != `"issued"` {
		t.Errorf("without its secret it shows %v", got)
	}
}

func TestNothingOfAnErasedCustomerIsShownAndTheLogStays(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, ofAda).License.ID()
	must(s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: id, Customer: &licensing.CustomerInput{
		Email: ptr("ada2@example.com"), Name: ptr("Ada King Lovelace"), ExternalID: ptr("C-9"),
	}}))(t)
	before := must(s.store.Pending(context.Background(), 1000))(t)
	s.erased(t, licensing.EraseCustomerInput{License: &id}, 1)
	gone := map[string]string{"customer.email from": noMore, "customer.name from": noMore, "customer.externalId from": noMore}
	s.wantShown(t, journal.LicenseErased, gone)
	s.wantShown(t, journal.LicenseUpdated, map[string]string{"customer.email from": noMore, "customer.email to": noMore})
	for name, value := range s.showing(t, journal.LicenseCreated, nil) {
		if personal := len(name) > 8 && name[:8] == "customer"; personal != (value == noMore) {
			t.Errorf("of an erased customer %s shows %s", name, value)
		}
	}
	after := must(s.store.Pending(context.Background(), 1000))(t)
	if diff := cmp.Diff(before, after[:len(before)]); diff != "" {
		t.Errorf("the log was changed: %s", diff)
	}
}

func TestAnEventShowsASeatWhileItIsThere(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	claim := s.claim(t, made.Key, "m-1")
	claim.Name, claim.Platform = "Ann's", "linux"
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-2")))(t) // so that it is one of two
	must(s.Activate(context.Background(), claim))(t)
	s.wantShown(t, journal.ActivationCreated, map[string]string{
		"kind to": `"MACHINE"`, "subject to": `"m-1"`, "name to": `"Ann's"`, "platform to": `"linux"`,
	})
	claim.Name = "Bob's"
	must(s.Activate(context.Background(), claim))(t)
	s.wantShown(t, journal.ActivationUpdated, map[string]string{"name from": noMore, "name to": `"Bob's"`})
	s.wantShown(t, journal.ActivationCreated, map[string]string{
		"kind to": `"MACHINE"`, "subject to": `"m-1"`, "name to": noMore, "platform to": `"linux"`,
	})
	must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t)
	s.wantShown(t, journal.ActivationRemoved, map[string]string{
		"kind from": `"MACHINE"`, "subject from": noMore, "name from": noMore, "platform from": noMore,
	})
}

func TestAnEventShowsWhatStaffWrote(t *testing.T) {
	s := newShop(t)
	meta := license.Metadata(`{"a":[1,{"b":null}]}`)
	must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Metadata: meta}))(t)
	s.wantShown(t, journal.ProductUpdated, map[string]string{"metadata to": string(meta)})
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Metadata: meta, Name: ptr("P")}))(t)
	s.wantShown(t, journal.PlanUpdated, map[string]string{"metadata to": string(meta), "name from": `"The pro"`, "name to": `"P"`})

	id := s.issue(t, nil).License.ID()
	must(s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: id, Reason: "lost"}))(t)
	s.wantShown(t, journal.LicenseKeyRevealed, map[string]string{"revealReason to": `"lost"`})
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id, Reason: ptr("unpaid")}))(t)
	s.wantShown(t, journal.LicenseSuspended, map[string]string{
		"state from": `"issued"`, "state to": `"suspended"`, "statusReason to": `"unpaid"`,
	})
}

func TestAValueIsShownOfItsOwnRecordOnly(t *testing.T) {
	s := newShop(t)
	s.issue(t, ofAda)
	entries := s.entries(t, 0)
	last := entries[len(entries)-1]
	other := s.stored(t, s.issue(t, ofAda).License.ID())
	posing := *other
	posing.ID = last.Subject
	posing.Kind = storage.Alias
	for name, record := range map[string]*storage.Stored{"nothing": nil, "another license": other, "another kind": &posing} {
		got := showing(t, must(licensing.ShownData(s.Service, last, record))(t))
		if got["customer.email to"] != noMore || got["state to"] != `"issued"` {
			t.Errorf("with %s in its place it shows %v", name, got)
		}
	}
	last.Data = nil
	if got := must(licensing.ShownData(s.Service, last, other))(t); string(got) != "{}" {
		t.Errorf("without data it shows %s", got)
	}
}

func BenchmarkShownData(b *testing.B) {
	s := newShop(b)
	s.issue(b, ofAda)
	entries := s.entries(b, 0)
	last := entries[len(entries)-1]
	record := s.stored(b, last.Record())
	b.ReportAllocs()
	for b.Loop() {
		must(licensing.ShownData(s.Service, last, record))(b)
	}
}
