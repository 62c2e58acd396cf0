package resolvers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// part gives what lies in an answer under names.
func part(t *testing.T, data any, names ...string) map[string]any {
	t.Helper()
	for _, name := range names {
		object, ok := data.(map[string]any)
		if !ok {
			t.Fatalf("there is no %s in %v", name, data)
		}
		data = object[name]
	}
	object, ok := data.(map[string]any)
	if !ok {
		t.Fatalf("%v is %v", names, data)
	}
	return object
}

func TestAnUpdateSetsAndClearsOverGraphQL(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, _ := a.issue(t)
	const fields = `{ license { externalId customer { email name } expiresAt maxMachines maxDomains allowedDomains metadata revision overrides { maxDomains { max } grace } } }`
	set := a.must(t, `mutation($id: ID!) { updateLicense(input: {license: $id, externalId: "order 7", customer: {email: "ada@example.com"}, expiresAt: "2099-01-01T00:00:00Z",
		maxMachines: {max: 3}, maxDomains: {unlimited: true}, grace: "P3D", allowedDomains: ["Example.com"], metadata: {a: 1}}) `+fields+` }`, "id", id)
	if diff := cmp.Diff(map[string]any{
		"externalId": "order 7", "customer": map[string]any{"email": "ada@example.com", "name": nil}, "expiresAt": "2099-01-01T00:00:00.000Z",
		"maxMachines": 3.0, "maxDomains": nil, "allowedDomains": []any{"example.com"}, "metadata": map[string]any{"a": 1.0}, "revision": 2.0,
		"overrides": map[string]any{"maxDomains": map[string]any{"max": nil}, "grace": "P3D"},
	}, part(t, set, "updateLicense", "license")); diff != "" {
		t.Error(diff)
	}
	cleared := a.must(t, `mutation($id: ID!, $clear: [LicenseField!]) { updateLicense(input: {license: $id, externalId: null, clear: $clear, revision: 2}) `+fields+` }`,
		"id", id, "clear", []string{"CUSTOMER", "EXPIRES_AT", "MAX_MACHINES", "MAX_DOMAINS", "GRACE", "ALLOWED_DOMAINS"})
	if diff := cmp.Diff(map[string]any{
		"externalId": "order 7", "customer": nil, "expiresAt": nil, "maxMachines": nil, "maxDomains": nil, "allowedDomains": nil,
		"metadata": map[string]any{"a": 1.0}, "revision": 3.0, "overrides": map[string]any{"maxDomains": nil, "grace": nil},
	}, part(t, cleared, "updateLicense", "license")); diff != "" {
		t.Error(diff)
	}
}

func TestAKeyIsRotatedOverGraphQL(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, first := a.issue(t)
	valid := func(key string) any {
		return part(t, a.must(t, `query($key: String!) { validate(input: {key: $key}) { code } }`, "key", key), "validate")["code"]
	}
	rotate := func(document string) string {
		return part(t, a.must(t, document, "id", id), "rotateLicenseKey")["key"].(string)
	}
	second := rotate(`mutation($id: ID!) { rotateLicenseKey(input: {license: $id, overlap: "P1D"}) { key } }`)
	if valid(first) != "VALID" || valid(second) != "VALID" {
		t.Errorf("within the overlap: %v and %v", valid(first), valid(second))
	}
	third := rotate(`mutation($id: ID!) { rotateLicenseKey(input: {license: $id}) { key } }`)
	if valid(first) != "NOT_FOUND" || valid(second) != "NOT_FOUND" || valid(third) != "VALID" {
		t.Errorf("without overlap: %v, %v and %v", valid(first), valid(second), valid(third))
	}
}

func TestABatchTellsOfEachLicenseOverGraphQL(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	got := part(t, a.must(t, `mutation { issueLicenses(input: {licenses: [{plan: "acme/pro", externalId: "0"}, {plan: "acme/pro", customer: {email: "nobody"}}, {plan: "acme/none"}]}) {
		issued failed results { license { externalId } error { code field } } } }`), "issueLicenses")
	bad := func(code string, field any) map[string]any {
		return map[string]any{"license": nil, "error": map[string]any{"code": code, "field": field}}
	}
	if diff := cmp.Diff(map[string]any{"issued": 1.0, "failed": 2.0, "results": []any{
		map[string]any{"license": map[string]any{"externalId": "0"}, "error": nil}, bad("INVALID_INPUT", "customer.email"), bad("NOT_FOUND", nil),
	}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestABatchOfMoreThanAThousandIsRefused(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	const document = `mutation($all: [IssueLicenseInput!]!) { issueLicenses(input: {licenses: $all}) { issued results { key license { id externalId keyHint } error { code message field } } } }`
	one := map[string]any{"plan": "acme/pro"}
	all := make([]any, 1001)
	for i := range all {
		all[i] = one
	}
	refused := a.ask(t, admin, document, "all", all)
	if got := badFields(t, "1,001 licenses", refused); fmt.Sprint(got) != "[licenses]" {
		t.Errorf("1,001 licenses: %v", got)
	}
	if got := part(t, a.must(t, document, "all", all[:1000]), "issueLicenses"); got["issued"] != 1000.0 {
		t.Errorf("1,000 licenses: %v", got)
	}
	all[3] = map[string]any{"plan": "acme/pro", "customer": map[string]any{"email": 1}}
	wrong := a.ask(t, admin, document, "all", all[:4])
	if len(wrong.Errors) != 1 || !strings.HasSuffix(ofText(wrong.Errors[0].Extensions["field"]), "licenses.3.customer.email") {
		t.Errorf("a value of another type: %s", wrong.body)
	}
}
