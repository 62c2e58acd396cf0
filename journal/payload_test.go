package journal_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
)

func TestAPayloadIsOfItsTypesGoType(t *testing.T) {
	mail, at := "ada@example.com", noon.Add(time.Hour)
	text := func(p journal.Personal[string]) *journal.Changed[journal.Personal[string]] {
		return &journal.Changed[journal.Personal[string]]{To: &p}
	}
	meta := json.RawMessage(`{"a":1}`)
	for _, tt := range []struct {
		what journal.Type
		data string
		want any
	}{
		{journal.LicenseExpired, `{"expiresAt":"2026-11-21T13:00:00Z"}`, &journal.LicenseExpiredData{ExpiresAt: at}},
		{journal.AccessDenied, `{"action":"license:read","count":2,"since":"2026-11-21T13:00:00Z"}`, &journal.AccessDeniedData{Action: "license:read", Count: 2, Since: at}},
		{journal.LicenseKeyRevealed, ``, &journal.LicenseKeyRevealedData{}},
		{
			journal.LicenseUpdated, `{"changes":{"externalId":{"to":{"hmac":"AAEC"}},"customer.email":{"to":"ada@example.com"},"customer.name":{"to":{"withheld":true}}}}`,
			&journal.LicenseUpdatedData{Changes: journal.LicenseChanges{
				CustomerEmail: text(journal.Personal[string]{Value: &mail}), CustomerName: text(journal.Personal[string]{Withheld: true}),
				ExternalID: text(journal.Personal[string]{HMAC: []byte{0, 1, 2}}),
			}},
		},
		{
			journal.ProductUpdated, `{"changes":{"metadata":{"from":{"a":1}},"archived":{"to":true}}}`,
			&journal.ProductUpdatedData{Changes: journal.ProductChanges{
				Archived: &journal.Changed[bool]{To: new(true)},
				Metadata: &journal.Changed[journal.Personal[json.RawMessage]]{From: &journal.Personal[json.RawMessage]{Value: &meta}},
			}},
		},
	} {
		got, err := tt.what.Payload(json.RawMessage(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.what, diff)
		}
		again, err := json.Marshal(got)
		if err != nil || tt.data != "" && string(again) != tt.data {
			t.Errorf("%s is written as %s, %v", tt.what, again, err)
		}
	}
}

func TestNoPayloadIsMadeOfWhatIsNoData(t *testing.T) {
	for data, what := range map[string]journal.Type{
		`{}`:                                    "license.lost",
		`{`:                                     journal.LicenseExpired,
		`{"expiresAt":7}`:                       journal.LicenseExpired,
		`{"changes":{"keys":7}}`:                journal.LicenseKeyRotated,
		`{"changes":{"statusReason":{"to":7}}}`: journal.LicenseRevoked,
		`{"changes":{"statusReason":{"to":{"hmac":7}}}}`: journal.LicenseRevoked,
	} {
		if got, err := what.Payload(json.RawMessage(data)); err == nil {
			t.Errorf("%s of %s is %v", data, what, got)
		}
	}
}

func TestEveryTypeHasAVersionAndAPayload(t *testing.T) {
	seen := map[journal.Type]bool{}
	for _, what := range journal.Types() {
		if _, err := what.Payload(nil); err != nil || what.Version() < 1 || seen[what] {
			t.Errorf("%s: version %d, %v", what, what.Version(), err)
		}
		seen[what] = true
	}
	if journal.Type("license.lost").Version() != 0 {
		t.Error("an unknown type has a version")
	}
}
