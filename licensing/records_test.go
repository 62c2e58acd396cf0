package licensing_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		product := anyProduct(t)
		wantBack(t, product, licensing.EncodeProduct, licensing.DecodeProduct)
		plan := anyPlan(t)
		wantBack(t, plan, licensing.EncodePlan, licensing.DecodePlan)
		held := anyLicense(t)
		wantBack(t, held, licensing.EncodeLicense, licensing.DecodeLicense)
	})
}

func wantBack[T any](t *rapid.T, want *T, encode func(*T) (storage.Record, error), decode func(*storage.Stored) (*T, error)) {
	record, err := encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(&storage.Stored{Record: record})
	if err != nil {
		t.Fatal(err)
	}
	seats := cmpopts.IgnoreFields(license.License{}, "Seats") // are stored beside the record
	if diff := same(want, got, seats); diff != "" {
		t.Fatalf("%s\nstored as %s", diff, record.Body)
	}
	again, err := encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(record, again); diff != "" {
		t.Fatalf("encoded again: %s", diff)
	}
}

func TestSeatsAndCountersAreReadWithTheirLicense(t *testing.T) {
	record, err := licensing.EncodeLicense(&license.License{ID: "lic_0"})
	if err != nil {
		t.Fatal(err)
	}
	got := must(licensing.DecodeLicense(&storage.Stored{
		Record: record,
		Seats: []storage.Seat{
			{ID: "act_0", Lease: noon, Seen: noon.Add(1), Body: []byte(`{"kind":"MACHINE","subject":"m-1","name":"n","platform":"p","createdAt":"2026-11-21T12:00:00.002Z","offlineUntil":"2026-11-21T12:00:00.003Z"}`)},
			{ID: "act_1", Body: []byte(`{"kind":"DOMAIN","subject":"WWW.example.com","domain":"www.example.com","createdAt":"2026-11-21T12:00:00Z"}`)},
		},
		Total: storage.UsageTotal{Count: 7, Last: noon},
	}))(t)
	want := []license.Activation{
		{ID: "act_0", Kind: license.Machine, Subject: "m-1", Name: "n", Platform: "p", CreatedAt: noon.Add(2 * time.Millisecond), LastSeenAt: noon.Add(1), LeaseUntil: noon, OfflineUntil: noon.Add(3 * time.Millisecond)},
		{ID: "act_1", Kind: license.Domain, Subject: "WWW.example.com", Domain: "www.example.com", CreatedAt: noon},
	}
	if diff := same(want, got.Seats); diff != "" {
		t.Error(diff)
	}
	if got.ValidationCount != 7 || !got.LastValidatedAt.Equal(noon) {
		t.Errorf("used %d times, last at %v", got.ValidationCount, got.LastValidatedAt)
	}
}

func TestACustomerIsIndexedInLowerCaseAndShownAsWritten(t *testing.T) {
	for _, email := range []string{"Ada@Example.com", "ada@example.com", "ÄDA@example.com", ""} {
		record, err := licensing.EncodeLicense(&license.License{Customer: license.Customer{Email: email}})
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ToLower(email); record.Index.CustomerEmail != want {
			t.Errorf("%s is indexed as %s", email, record.Index.CustomerEmail)
		}
		if got := must(licensing.DecodeLicense(&storage.Stored{Record: record}))(t).Customer.Email; got != email {
			t.Errorf("%s is shown as %s", email, got)
		}
	}
}

func TestWhatIsStoredAndNotReadableIsAnError(t *testing.T) {
	for _, body := range []string{"", "{", `[]`, `{"createdBy":1}`, `{"grace":"1 day"}`} {
		r := &storage.Stored{Record: storage.Record{ID: "x", Body: []byte(body)}}
		if got, err := licensing.DecodeLicense(r); err == nil {
			t.Errorf("%s is read as %+v", body, got)
		}
	}
	r := &storage.Stored{Record: storage.Record{ID: "x", Body: []byte("{}")}, Seats: []storage.Seat{{ID: "act_0", Body: []byte("[")}}}
	if got, err := licensing.DecodeLicense(r); err == nil {
		t.Errorf("a broken seat is read as %+v", got.Seats)
	}
}

func anyText(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringN(1, 20, -1)).Draw(t, label)
}

func anyTime(t *rapid.T, label string) time.Time {
	ms := rapid.Int64Range(0, 7_000_000_000_000).Draw(t, label)
	if ms%5 == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func maybe[T any](t *rapid.T, label string, draw func(*rapid.T, string) T) *T {
	if !rapid.Bool().Draw(t, label+" is there") {
		return nil
	}
	v := draw(t, label)
	return &v
}

func anyNumber(t *rapid.T, label string) int { return rapid.IntRange(0, 10_000).Draw(t, label) }

func anyFlag(t *rapid.T, label string) bool { return rapid.Bool().Draw(t, label) }

func anyDuration(t *rapid.T, label string) license.Duration {
	return *lasting("P" + strconv.Itoa(anyNumber(t, label)%40) + "Y" + strconv.Itoa(anyNumber(t, label)) + "D")
}

func anyLimit(t *rapid.T, label string) license.Limit {
	return license.Limit{Max: maybe(t, label, anyNumber)}
}

// anyJSON draws an object in the form in which encoding/json writes it.
func anyJSON(t *rapid.T, label string) json.RawMessage {
	if !rapid.Bool().Draw(t, label+" is there") {
		return nil
	}
	text, err := json.Marshal(rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, label))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func anyEntitlements(t *rapid.T) []license.Entitlement {
	return sliceOrNil(t, "entitlements", func(t *rapid.T, label string) license.Entitlement {
		return license.Entitlement{Code: anyText(t, label), Value: anyJSON(t, label), ExpiresAt: anyTime(t, label)}
	})
}

func sliceOrNil[T any](t *rapid.T, label string, draw func(*rapid.T, string) T) []T {
	var all []T
	for range rapid.IntRange(0, 3).Draw(t, label) {
		all = append(all, draw(t, label))
	}
	return all
}

func anyActor(t *rapid.T) actor.Actor {
	kind := rapid.SampledFrom([]actor.Kind{actor.User, actor.Token, actor.System, actor.LicenseHolder}).Draw(t, "kind")
	return actor.Actor{Kind: kind, ID: anyText(t, "actor")}
}

func anyBytes(t *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, label)
}

func anyProduct(t *rapid.T) *license.Product {
	return &license.Product{
		ID: anyText(t, "id"), Code: anyText(t, "code"), Name: anyText(t, "name"), KeyPrefix: anyText(t, "prefix"),
		Metadata: anyJSON(t, "metadata"), Archived: anyFlag(t, "archived"), InputDigest: anyText(t, "digest"),
		Version: int64(anyNumber(t, "version")), Revision: anyNumber(t, "revision"),
		CreatedBy: anyActor(t), CreatedAt: anyTime(t, "created"), UpdatedAt: anyTime(t, "updated"),
	}
}

func anyPlan(t *rapid.T) *license.Plan {
	return &license.Plan{
		ID: anyText(t, "id"), ProductID: anyText(t, "product"), Code: anyText(t, "code"), Name: anyText(t, "name"),
		Duration: maybe(t, "duration", anyDuration), ExpiryBasis: license.FromFirstActivation, RenewalBasis: license.FromExpiry,
		Grace: maybe(t, "grace", anyDuration), MaxMachines: maybe(t, "machines", anyNumber), MaxDomains: maybe(t, "domains", anyNumber),
		OveragePercent: anyNumber(t, "overage"), LeaseDuration: maybe(t, "lease", anyDuration),
		RequireFingerprint: maybe(t, "fingerprint", anyFlag), RequireDomain: maybe(t, "domain", anyFlag),
		RequireProduct: anyFlag(t, "product"), CheckInInterval: maybe(t, "check-in", anyDuration),
		MaxOfflineDuration: maybe(t, "offline", anyDuration), Entitlements: anyEntitlements(t),
		Metadata: anyJSON(t, "metadata"), Archived: anyFlag(t, "archived"), InputDigest: anyText(t, "digest"),
		Due:     anyTime(t, "due"),
		Version: int64(anyNumber(t, "version")), Revision: anyNumber(t, "revision"),
		CreatedBy: anyActor(t), CreatedAt: anyTime(t, "created"), UpdatedAt: anyTime(t, "updated"),
	}
}

func anyLicense(t *rapid.T) *license.License {
	l := &license.License{
		ID: anyText(t, "id"), ProductID: anyText(t, "product"), PlanID: anyText(t, "plan"),
		State:  rapid.SampledFrom([]license.State{license.Issued, license.Suspended, license.Revoked}).Draw(t, "state"),
		Reason: anyText(t, "reason"), ExternalID: anyText(t, "external"),
		Customer: license.Customer{Email: anyText(t, "email"), Name: anyText(t, "name"), ExternalID: anyText(t, "customer")},
		StartsAt: anyTime(t, "starts"), ExpiresAt: anyTime(t, "expires"), ActivatedAt: anyTime(t, "activated"),
		AwaitsActivation: anyFlag(t, "awaits"),
		Overrides: license.Overrides{
			MaxMachines: maybe(t, "machines", anyLimit), MaxDomains: maybe(t, "domains", anyLimit),
			Grace: maybe(t, "grace", anyDuration), Entitlements: anyEntitlements(t),
		},
		AllowedDomains: sliceOrNil(t, "allowed", anyText), Metadata: anyJSON(t, "metadata"),
		Keys: sliceOrNil(t, "keys", func(t *rapid.T, label string) license.Key {
			k := license.Key{Lookup: anyBytes(t, label), Hint: anyText(t, label), Imported: anyFlag(t, label), EndsAt: anyTime(t, label)}
			if anyFlag(t, label) {
				k.Sealed = anyBytes(t, label)
			}
			return k
		}),
		SecretID: anyText(t, "secret"), InputDigest: anyText(t, "digest"), RevealReason: anyText(t, "reveal"),
		Announced: license.Announced{
			End: anyTime(t, "announced end"), Days: anyNumber(t, "days") % 90, Expired: anyFlag(t, "expired"), Lapsed: anyFlag(t, "lapsed"),
			Silent: anyTime(t, "silent"),
		},
		Due:     anyTime(t, "due"),
		Version: int64(anyNumber(t, "version")), Revision: anyNumber(t, "revision"),
		CreatedBy: anyActor(t), CreatedAt: anyTime(t, "created"), UpdatedAt: anyTime(t, "updated"),
	}
	if l.AllowedDomains == nil && anyFlag(t, "no domain at all") {
		l.AllowedDomains = []string{} // none, where nil is any
	}
	return l
}
