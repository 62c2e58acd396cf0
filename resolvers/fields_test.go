package resolvers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// badFields lists the fields that an answer's errors name.
func badFields(t *testing.T, name string, got *answer) []string {
	t.Helper()
	var fields []string
	for _, e := range got.Errors {
		if e.Extensions["code"] != "INVALID_INPUT" || e.Message == "" || len(e.Locations) == 0 && !strings.Contains(e.Message, "$") {
			t.Errorf("%s: %s", name, got.body)
		}
		fields = append(fields, ofText(e.Extensions["field"]))
	}
	return fields
}

func TestEveryBadFieldHasAnErrorOfItsOwn(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, _ := a.issue(t)
	for _, c := range []struct {
		name, document string
		want           []string
	}{
		{"a plan", `mutation { createPlan(input: {product: "acme", code: "x", name: "", duration: "P0D", grace: "PT0S", maxMachines: -3, overagePercent: -1,
			leaseDuration: "PT9S", checkInInterval: "PT59S", entitlements: [{code: ""}, {code: "a"}, {code: "a"}]}) { plan { id } } }`,
			[]string{"code", "name", "duration", "leaseDuration", "checkInInterval", "maxMachines", "overagePercent", "entitlements.0.code", "entitlements.2.code"}},
		{"a product", `mutation { createProduct(input: {code: "A", name: " ", keyPrefix: "acme"}) { product { id } } }`,
			[]string{"code", "name", "keyPrefix"}},
		{"a license", `mutation { issueLicense(input: {plan: "acme/pro", customer: {email: "nobody", name: "a\u0000b"}, startsAt: "2027-01-01T00:00:00Z",
			expiresAt: "2026-12-01T00:00:00Z", maxMachines: {max: -1}, allowedDomains: ["a.example", "-/-"]}) { key } }`,
			[]string{"customer.name", "customer.email", "expiresAt", "maxMachines", "allowedDomains.1"}},
		{"a limit of neither", `mutation { issueLicense(input: {plan: "acme/pro", maxMachines: {}}) { key } }`, []string{"maxMachines"}},
		{"a limit of both", `mutation { issueLicense(input: {plan: "acme/pro", maxDomains: {max: 1, unlimited: true}}) { key } }`, []string{"maxDomains"}},
		{"no license", `mutation { issueLicenses(input: {licenses: []}) { issued } }`, []string{"licenses"}},
		{"a renewal that would repeat itself", `mutation { renewLicense(input: {license: "` + id + `"}) { license { id } } }`, []string{"until"}},
		{"a field both set and cleared", `mutation { updateLicense(input: {license: "` + id + `", grace: "P1D", clear: [GRACE]}) { license { id } } }`, []string{"clear"}},
		{"an update", `mutation { updateLicense(input: {license: "` + id + `", customer: {email: "nobody"}, startsAt: "2999-01-01T00:00:00Z",
			maxMachines: {}, entitlements: [{code: ""}]}) { license { id } } }`,
			[]string{"maxMachines", "customer.email", "startsAt", "entitlements.0.code"}},
		{"a validation", `{ validate(input: {key: "x", fingerprint: "", domain: "a b", maxStaleness: "PT0S"}) { code } }`,
			[]string{"fingerprint", "domain", "maxStaleness"}},
		{"a filter", `{ licenses(filter: {status: ACTIVE}) { nodes { id } } }`, []string{"filter.status"}},
		{"a cursor", `{ licenses(after: "canary") { nodes { id } } }`, []string{"after"}},
		{"metadata", `mutation { createProduct(input: {code: "xx", name: "X", keyPrefix: "XX", metadata: {a: {b: {c: {d: {e: 1}}}}}}) { product { id } } }`,
			[]string{"metadata"}},
	} {
		got := a.ask(t, admin, c.document)
		if diff := cmp.Diff(c.want, badFields(t, c.name, got)); diff != "" {
			t.Errorf("%s: %s %s", c.name, diff, got.body)
		}
		for _, e := range got.Errors {
			if len(e.Path) != 1 || len(e.Locations) != 1 {
				t.Errorf("%s: path %v, locations %v of %v", c.name, e.Path, e.Locations, e.Extensions["field"])
			}
		}
	}
}

func TestLiteralsOfAnotherTypeNameTheirFields(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		document string
		want     []string
	}{
		{`{ product(id: 3.5) { id } }`, []string{"id"}},
		{`{ product(id: true) { id } }`, []string{"id"}},
		{`{ product(id: null) { id } }`, []string{"id"}},
		{`{ product(id: 99999999999999999999) { id } }`, []string{"id"}},
		{`{ products(first: "3") { nodes { id } } }`, []string{"first"}},
		{`{ products(first: 3.0) { nodes { id } } }`, []string{"first"}},
		{`{ products(first: 1e3) { nodes { id } } }`, []string{"first"}},
		{`{ products(first: 2147483648) { nodes { id } } }`, []string{"first"}},
		{`{ products(archived: "true", first: null) { nodes { id } } }`, []string{"archived", "first"}},
		{`{ licenses(orderBy: created_newest) { nodes { id } } }`, []string{"orderBy"}},
		{`{ licenses(orderBy: "CREATED_NEWEST") { nodes { id } } }`, []string{"orderBy"}},
		{`{ licenses(filter: [{product: "x"}]) { nodes { id } } }`, []string{"filter"}},
		{`{ licenses(filter: {product: {}, expires: 1}) { nodes { id } } }`, []string{"filter.product", "filter.expires"}},
		{`{ licenses(filter: {createdAfter: "yesterday"}) { nodes { id } } }`, []string{"filter.createdAfter"}},
		{`{ licenses(filter: {createdAfter: 99999999999999999999}) { nodes { id } } }`, []string{"filter.createdAfter"}},
		{`{ validate(input: "canary") { code } }`, []string{""}},
		{`{ validate(input: {key: 3}) { code } }`, []string{"key"}},
		{`{ validate(input: {key: canary}) { code } }`, []string{"key"}},
		{`{ validate(input: {key: {canary: "x"}, product: 1, entitlements: ["a", 2, null]}) { code } }`, []string{"key", "product", "entitlements.1", "entitlements.2"}},
		{`{ validate(input: {product: "acme"}) { code } }`, []string{"key"}},
		{`{ validate(input: {key: "x", maxStaleness: "often"}) { code } }`, []string{"maxStaleness"}},
		{`{ validate(input: {key: "x", maxStaleness: 99999999999999999999}) { code } }`, []string{"maxStaleness"}},
		{`mutation { issueLicense(input: {plan: "x", customer: {email: 1}, entitlements: [{value: 1}, {code: 2}]}) { key } }`,
			[]string{"customer.email", "entitlements.0.code", "entitlements.1.code"}},
		{`mutation { updatePlan(input: {plan: "x", clear: [GRACE, grace]}) { plan { id } } }`, []string{"clear.1"}},
		{`mutation { createProduct(input: {code: "a", name: "a", keyPrefix: "AA", metadata: {n: 1e999}}) { product { id } } }`, []string{"metadata"}},
		{`mutation { createProduct(input: {code: "a", name: "a", keyPrefix: "AA", metadata: [1]}) { product { id } } }`, []string{"metadata"}},
		{`query($n: Int = "x") { products(first: $n) { nodes { id } } }`, []string{"n"}},
		{`{ ...f ...f } fragment f on Query { product(id: true) { id } }`, []string{"id"}},
		{`{ __typename @skip(if: "true") }`, []string{"if"}},
	} {
		got := a.ask(t, admin, c.document)
		if diff := cmp.Diff(c.want, badFields(t, c.document, got)); diff != "" {
			t.Errorf("%s: %s %s", c.document, diff, got.body)
		}
	}
}

func TestLiteralsOfTheRightTypePass(t *testing.T) {
	a := newAPI(t)
	for _, document := range []string{
		`{ product(id: 3) { id } }`,
		`{ products(first: 3, after: null, archived: false) { nodes { id } } }`,
		`{ licenses(orderBy: EXPIRES_SOONEST, filter: {product: null}) { nodes { id } } }`,
		`{ validate(input: {key: """block""", entitlements: "alone", product: null}) { code } }`,
		`mutation { updatePlan(input: {plan: "x", clear: GRACE}) { plan { id } } }`,
		`query($n: Int! = 3) { products(first: $n) { nodes { id } } }`,
		`query($d: Boolean!) { licenses @skip(if: $d) { nodes { id } } }`,
	} {
		got := a.ask(t, admin, document, "d", true)
		for _, e := range got.Errors {
			if e.Extensions["code"] != "NOT_FOUND" {
				t.Errorf("%s: %s", document, got.body)
			}
		}
	}
}

func TestVariablesOfAnotherTypeNameTheirFields(t *testing.T) {
	a := newAPI(t)
	type object = map[string]any
	const (
		validate = `query($in: ValidateInput!) { validate(input: $in) { code } }`
		issue    = `mutation($in: IssueLicenseInput!) { issueLicense(input: $in) { key } }`
		first    = `query($n: Int!) { products(first: $n) { nodes { id } } }`
	)
	for _, c := range []struct {
		document string
		name     string
		value    any
		want     string
	}{
		{validate, "in", nil, ""},
		{validate, "in", "canary", ""},
		{validate, "in", object{}, "key"},
		{validate, "in", object{"key": 3}, "key"},
		{validate, "in", object{"key": nil}, "key"},
		{validate, "in", object{"key": []any{"x"}}, "key"},
		{validate, "in", object{"key": "x", "product": true}, "product"},
		{validate, "in", object{"key": "x", "fingerprnt": "canary"}, "fingerprnt"},
		{validate, "in", object{"key": "x", "ACME-CANARY": 1}, ""},
		{validate, "in", object{"key": "x", "entitlements": []any{"a", 2}}, "entitlements.1"},
		{validate, "in", object{"key": "x", "maxStaleness": 5}, "maxStaleness"},
		{validate, "in", object{"key": "x", "maxStaleness": "P1.5D"}, "maxStaleness"},
		{issue, "in", object{"plan": "x", "customer": object{"email": 1}}, "customer.email"},
		{issue, "in", object{"plan": "x", "customer": "canary"}, "customer"},
		{issue, "in", object{"plan": "x", "entitlements": []any{object{}}}, "entitlements.0.code"},
		{issue, "in", object{"plan": "x", "entitlements": []any{object{"code": "a", "expiresAt": "2026-11-21"}}}, "entitlements.0.expiresAt"},
		{issue, "in", object{"plan": "x", "metadata": "{}"}, "metadata"},
		{issue, "in", object{"plan": "x", "neverExpires": "true"}, "neverExpires"},
		{issue, "in", object{"plan": "x", "maxMachines": object{"max": 1.5}}, "maxMachines.max"},
		{issue, "in", object{"plan": 1.5}, "plan"},
		{first, "n", "3", "first"},
		{first, "n", 3.5, "first"},
		{first, "n", 1 << 40, "first"},
		{first, "n", nil, "first"},
		{`query($id: ID!) { product(id: $id) { id } }`, "id", true, "id"},
		{`query($o: LicenseOrder!) { licenses(orderBy: $o) { nodes { id } } }`, "o", "canary", "orderBy"},
		{`query($o: LicenseOrder!) { licenses(orderBy: $o) { nodes { id } } }`, "o", "created_newest", "orderBy"},
		{`query($s: LicenseStatus) { licenses(filter: {status: $s}) { nodes { id } } }`, "s", "GOOD", "filter.status"},
		{`query($c: CustomerInput) { ...f } fragment f on Query { __typename } `, "c", 1, ""},
		{`mutation($c: CustomerInput) { ... on Mutation { issueLicense(input: {plan: "x", customer: $c}) { key } } }`, "c", object{"email": 1}, "customer.email"},
		{`query($a: Boolean!) { ...f } fragment f on Query { products { nodes { plans(archived: $a) { nodes { id } } } } }`, "a", "true", "archived"},
		{`mutation($e: EntitlementInput!) { issueLicense(input: {plan: "x", entitlements: [{code: "a"}, $e]}) { key } }`, "e", object{"code": 1}, "entitlements.1.code"},
	} {
		got := a.ask(t, admin, c.document, c.name, c.value)
		fields := badFields(t, c.document, got)
		if len(fields) != 1 || fields[0] != c.want {
			t.Errorf("%s with %v: %q, want %q; %s", c.document, c.value, fields, c.want, got.body)
		}
		if strings.Contains(strings.ToLower(got.body), "canary") {
			t.Errorf("%s with %v: %s", c.document, c.value, got.body)
		}
	}
}
