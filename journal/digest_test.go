package journal_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

func TestADigestIsChangedByEachFieldOfTheRecordsOwn(t *testing.T) {
	later := noon.Add(time.Millisecond)
	seen := map[string]string{string(digest(t, record())): "nothing"}
	for name, change := range map[string]func(*storage.Record){
		"kind":                    func(r *storage.Record) { r.Kind = storage.Plan },
		"id":                      func(r *storage.Record) { r.ID = "lic_1" },
		"revision":                func(r *storage.Record) { r.Revision++ },
		"body":                    func(r *storage.Record) { r.Body = []byte(`{"a":1,"b":{"c":[2,1],"d":"x"}}`) },
		"index.product":           func(r *storage.Record) { r.Index.Product = "prod_1" },
		"index.plan":              func(r *storage.Record) { r.Index.Plan = "plan_1" },
		"index.state":             func(r *storage.Record) { r.Index.State = "revoked" },
		"index.externalId":        func(r *storage.Record) { r.Index.ExternalID = "order 8" },
		"index.customerEmail":     func(r *storage.Record) { r.Index.CustomerEmail = "eve@example.com" },
		"index.customerExternal":  func(r *storage.Record) { r.Index.CustomerExternalID = "order 7" },
		"index.created":           func(r *storage.Record) { r.Index.Created = later },
		"index.starts":            func(r *storage.Record) { r.Index.Starts = later },
		"index.ends":              func(r *storage.Record) { r.Index.Ends = later },
		"index.words":             func(r *storage.Record) { r.Index.Words = []string{"ada@example.com"} },
		"index.ends, none":        func(r *storage.Record) { r.Index.Ends = time.Time{} },
		"done, none":              func(r *storage.Record) { r.Done = nil },
		"done, one more":          func(r *storage.Record) { r.Done = append(slices.Clone(r.Done), r.Done...) },
		"done.name":               func(r *storage.Record) { r.Done[0].Name = "revokeLicense" },
		"done.key":                func(r *storage.Record) { r.Done[0].Key = "l" },
		"done.actor":              func(r *storage.Record) { r.Done[0].Actor = "USER b" },
		"done.digest":             func(r *storage.Record) { r.Done[0].Digest = "e" },
		"done.at":                 func(r *storage.Record) { r.Done[0].At = later },
		"plan and product in one": func(r *storage.Record) { r.Index.Product, r.Index.Plan = "prod_0plan_0", "" },
	} {
		r := record()
		change(&r)
		sum := string(digest(t, r))
		if other, taken := seen[sum]; taken {
			t.Errorf("a change of %s has the digest of a change of %s", name, other)
		}
		seen[sum] = name
	}
}

func TestADigestIsNotChangedByWhatIsNotTheRecordsOwn(t *testing.T) {
	for name, change := range map[string]func(*storage.Record){
		"version":           func(r *storage.Record) { r.Version++ },
		"attempt":           func(r *storage.Record) { r.Attempt = "b" },
		"index.due":         func(r *storage.Record) { r.Index.Due = noon.Add(time.Minute) },
		"index.due, none":   func(r *storage.Record) { r.Index.Due = time.Time{} },
		"order in the body": func(r *storage.Record) { r.Body = []byte(` {"b": {"d":"x", "c":[1, 2]}, "a":1.0}`) },
		"escapes in it":     func(r *storage.Record) { r.Body = []byte(`{"a":1,"b":{"c":[1,2],"\u0064":"\u0078"}}`) },
		"done, empty": func(r *storage.Record) {
			if len(r.Done) == 0 {
				r.Done = []storage.Operation{}
			}
		},
	} {
		for _, r := range []storage.Record{record(), {Kind: storage.Product, ID: "prod_0", Body: record().Body}} {
			want := digest(t, r)
			change(&r)
			if !bytes.Equal(digest(t, r), want) {
				t.Errorf("%s changes the digest of a %s", name, r.Kind)
			}
		}
	}
}

func TestADigestIsKeyed(t *testing.T) {
	other, err := journal.Digest(secretOf(t, "02"), record())
	if err != nil {
		t.Fatal(err)
	}
	if sum := digest(t, record()); bytes.Equal(sum, other) || len(sum) != 16 {
		t.Errorf("%x under one secret, %x under another", sum, other)
	}
}

func TestARecordThatIsNoJSONHasNoDigest(t *testing.T) {
	for _, body := range []string{"", "{", `{"a":1,"a":2}`, "{} {}"} {
		r := record()
		r.Body = []byte(body)
		if sum, err := journal.Digest(secretOf(t, "01"), r); err == nil {
			t.Errorf("%q has the digest %x", body, sum)
		}
	}
}

func TestAHiddenValueDiffersByAllThatItStandsFor(t *testing.T) {
	const value = `"ada@example.com"`
	s, other := secretOf(t, "01"), secretOf(t, "02")
	same := hide(t, s, "lic_0", "customer.email", value)
	if again := hide(t, s, "lic_0", "customer.email", value); again != same {
		t.Errorf("one value is hidden as %s and as %s", same, again)
	}
	seen := map[string]bool{same: true}
	for _, h := range []struct {
		secret               *secret.Secret
		record, field, value string
	}{
		{s, "lic_1", "customer.email", value},
		{s, "lic_0", "customer.name", value},
		{s, "lic_0", "customer.email", `"eve@example.com"`},
		{s, "lic_0", "customer.email", `""`},
		{s, "lic_0c", "ustomer.email", value},
		{other, "lic_0", "customer.email", value},
	} {
		seen[hide(t, h.secret, h.record, h.field, h.value)] = true
	}
	if len(seen) != 7 {
		t.Errorf("7 different things are hidden as %d", len(seen))
	}
}

func TestAHiddenValueShowsNothing(t *testing.T) {
	for _, value := range []string{`""`, `"a"`, `"ada@example.com"`, "{}", `"` + strings.Repeat("x", 4000) + `"`} {
		hidden := hide(t, secretOf(t, "01"), "lic_0", "customer.email", value)
		var members map[string][]byte
		if err := json.Unmarshal([]byte(hidden), &members); err != nil {
			t.Fatal(err)
		}
		if len(members) != 1 || len(members["hmac"]) != 12 {
			t.Errorf("a value of %d bytes is hidden as %s", len(value), hidden)
		}
	}
}

func TestAHiddenValueIsTheSameInAnyFormOfItsJSON(t *testing.T) {
	s := secretOf(t, "01")
	if a, b := hide(t, s, "lic_0", "metadata", `{"a":1.0,"b":"é"}`), hide(t, s, "lic_0", "metadata", `{ "b": "\u00e9", "a": 1 }`); a != b {
		t.Errorf("one value in two forms is hidden as %s and as %s", a, b)
	}
	if hidden, err := journal.Hidden(s, "lic_0", "metadata", json.RawMessage("{")); err == nil {
		t.Errorf("what is no JSON is hidden as %s", hidden)
	}
}

func TestAHiddenValueIsConfirmedByItselfAlone(t *testing.T) {
	list, err := secret.Parse([]byte(strings.Repeat("01", secret.Size) + "\n" + strings.Repeat("02", secret.Size)))
	if err != nil {
		t.Fatal(err)
	}
	const value = `{"a":1,"b":"x"}`
	for _, under := range list.All() {
		hidden := json.RawMessage(hide(t, under, "lic_0", "metadata", value))
		if !journal.IsHidden(hidden) {
			t.Errorf("%s is no hidden value", hidden)
		}
		for _, tt := range []struct {
			record, field, value string
			want                 bool
		}{
			{"lic_0", "metadata", value, true},
			{"lic_0", "metadata", `{"b": "x", "a": 1.0}`, true},
			{"lic_1", "metadata", value, false},
			{"lic_0", "externalId", value, false},
			{"lic_0", "metadata", `{"a":1,"b":"y"}`, false},
			{"lic_0", "metadata", `null`, false},
		} {
			got, err := journal.Confirms(list, hidden, tt.record, tt.field, json.RawMessage(tt.value))
			if err != nil || got != tt.want {
				t.Errorf("%s of %s as %s under %s: %t, %v", tt.field, tt.record, tt.value, under, got, err)
			}
		}
	}
	unknown := json.RawMessage(hide(t, secretOf(t, "03"), "lic_0", "metadata", value))
	if got, err := journal.Confirms(list, unknown, "lic_0", "metadata", json.RawMessage(value)); err != nil || got {
		t.Errorf("a value under a secret that is not in the list: %t, %v", got, err)
	}
	if got, err := journal.Confirms(list, unknown, "lic_0", "metadata", json.RawMessage("{")); err == nil {
		t.Errorf("what is no JSON: %t", got)
	}
	for _, plain := range []string{"", `"hmac"`, `{}`, `{"to":{"hmac":"AAEC"}}`, `1`} {
		if journal.IsHidden(json.RawMessage(plain)) {
			t.Errorf("%s is a hidden value", plain)
		}
	}
}

func hide(t *testing.T, s *secret.Secret, record, field, value string) string {
	t.Helper()
	hidden, err := journal.Hidden(s, record, field, json.RawMessage(value))
	if err != nil {
		t.Fatal(err)
	}
	return string(hidden)
}
