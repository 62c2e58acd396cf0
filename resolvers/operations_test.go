package resolvers_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/graph"
)

// rootFields lists the fields of the schema, with the action that each needs:
// empty where anyone may call it.
func rootFields() map[string]string {
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	all := map[string]string{}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			all[f.Name] = ""
			if d := f.Directives.ForName("hasPermission"); d != nil {
				all[f.Name] = d.Arguments.ForName("action").Value.Raw
			}
		}
	}
	return all
}

// calls are requests to one root field.
type calls struct {
	plain string
	// full has a text wherever it may: $key is a license's key, $id its id, and
	// $canary any other.
	full string
}

// call gives the requests to a root field, which must be known here.
func call(t *testing.T, field string) calls {
	t.Helper()
	all := map[string]calls{
		"product":  {`{ product(id: "acme") { id } }`, `query($canary: ID!) { product(id: $canary) { id } }`},
		"products": {`{ products { nodes { id } } }`, `query($canary: String) { products(after: $canary) { nodes { id } } }`},
		"plan":     {`{ plan(id: "acme/pro") { id } }`, `query($canary: ID!) { plan(id: $canary) { id } }`},
		"license":  {`{ license(id: "x") { id } }`, `query($key: String!) { license(key: $key) { id plan { code } } }`},
		"licenses": {`{ licenses { nodes { id } } }`, `query($canary: String!) { licenses(filter: {customerEmail: $canary}) { nodes { id } } }`},
		"searchLicenses": {`{ searchLicenses(text: "ada") { id } }`,
			`query($canary: String!) { searchLicenses(text: $canary) { id customer { name } } }`},
		"events": {`{ events { nodes { id } } }`,
			`query($id: ID!, $canary: String!) { events(filter: {license: $id, actor: $canary, types: [$canary]}, after: $canary) { nodes { id data license { id } } } }`},
		"journal": {`{ journal { size rootHash checkpoint } }`, `query($canary: Boolean!) { journal @skip(if: $canary) { size } }`},
		"validate": {`{ validate(input: {key: "x"}) { code } }`,
			`query($key: String!, $canary: String!) { validate(input: {key: $key, fingerprint: $canary, product: $canary, entitlements: [$canary]}) { code license { id } } }`},
		"explain": {`{ explain(license: "x") { code } }`,
			`query($id: ID!, $canary: String!) { explain(license: $id, input: {fingerprint: $canary, product: $canary, entitlements: [$canary]}) { code } }`},
		"activate": {`mutation { activate(input: {key: "x", fingerprint: "m"}) { created } }`,
			`mutation($key: String!, $canary: String!) { activate(input: {key: $key, fingerprint: $canary, name: $canary, platform: $canary, entitlements: [$canary]}) { created validation { code } } }`},
		"deactivate": {`mutation { deactivate(input: {key: "x", fingerprint: "m"}) { removed } }`,
			`mutation($key: String!, $canary: ID!) { deactivate(input: {key: $key, activation: $canary}) { removed } }`},
		"heartbeat": {`mutation { heartbeat(input: {key: "x", fingerprint: "m"}) { leaseUntil } }`,
			`mutation($key: String!, $canary: String!) { heartbeat(input: {key: $key, domain: $canary}) { leaseUntil } }`},
		"createProduct": {`mutation { createProduct(input: {code: "acme", name: "A", keyPrefix: "AC"}) { product { id } } }`,
			`mutation($canary: String!) { createProduct(input: {code: "acme2", name: $canary, keyPrefix: "AC", idempotencyKey: $canary}) { product { id } } }`},
		"updateProduct": {`mutation { updateProduct(input: {product: "acme"}) { product { id } } }`,
			`mutation($canary: String!) { updateProduct(input: {product: "acme", name: $canary, idempotencyKey: $canary}) { product { id } } }`},
		"createPlan": {`mutation { createPlan(input: {product: "acme", code: "pro", name: "P"}) { plan { id } } }`,
			`mutation($canary: String!) { createPlan(input: {product: "acme", code: "pro2", name: $canary, entitlements: [{code: $canary}]}) { plan { id } } }`},
		"updatePlan": {`mutation { updatePlan(input: {plan: "acme/pro"}) { plan { id } } }`,
			`mutation($canary: String!) { updatePlan(input: {plan: "acme/pro", name: $canary}) { plan { id } } }`},
		"issueLicense": {`mutation { issueLicense(input: {plan: "acme/pro"}) { key } }`,
			`mutation($canary: String!) { issueLicense(input: {plan: "acme/pro", key: $canary, customer: {name: $canary}, externalId: $canary, idempotencyKey: $canary}) { key } }`},
		"issueLicenses": {`mutation { issueLicenses(input: {licenses: [{plan: "acme/pro"}]}) { issued } }`,
			`mutation($canary: String!) { issueLicenses(input: {licenses: [{plan: "acme/pro", externalId: $canary, idempotencyKey: $canary},
				{plan: "acme/pro", key: $canary, customer: {name: $canary}}], idempotencyKey: $canary}) { issued failed results { key error { code message field } } } }`},
		"updateLicense": {`mutation { updateLicense(input: {license: "x"}) { license { id } } }`,
			`mutation($id: ID!, $canary: String!) { updateLicense(input: {license: $id, externalId: $canary, customer: {name: $canary}, entitlements: [{code: $canary}], allowedDomains: [$canary], idempotencyKey: $canary}) { license { id } } }`},
		"renewLicense": {`mutation { renewLicense(input: {license: "x", revision: 1}) { license { id } } }`,
			`mutation($id: ID!, $canary: String!) { renewLicense(input: {license: $id, idempotencyKey: $canary}) { license { id } } }`},
		"suspendLicense": {`mutation { suspendLicense(input: {license: "x"}) { license { id } } }`,
			`mutation($id: ID!, $canary: String!) { suspendLicense(input: {license: $id, reason: $canary}) { license { id } } }`},
		"reinstateLicense": {`mutation { reinstateLicense(input: {license: "x"}) { license { id } } }`,
			`mutation($id: ID!, $canary: String!) { reinstateLicense(input: {license: $id, reason: $canary}) { license { id } } }`},
		"revokeLicense": {`mutation { revokeLicense(input: {license: "x"}) { license { id } } }`,
			`mutation($id: ID!, $canary: String!) { revokeLicense(input: {license: $id, reason: $canary}) { license { id } } }`},
		"rotateLicenseKey": {`mutation { rotateLicenseKey(input: {license: "x"}) { key } }`,
			`mutation($id: ID!, $canary: String!) { rotateLicenseKey(input: {license: $id, overlap: "P1D", idempotencyKey: $canary}) { key } }`},
		"revealLicenseKey": {`mutation { revealLicenseKey(input: {license: "x", reason: "r"}) { key } }`,
			`mutation($id: ID!, $canary: String!) { revealLicenseKey(input: {license: $id, reason: $canary}) { key } }`},
		"removeActivation": {`mutation { removeActivation(input: {license: "x", activation: "y"}) { removedActivationId } }`,
			`mutation($id: ID!, $canary: ID!) { removeActivation(input: {license: $id, activation: $canary}) { removedActivationId } }`},
		"eraseCustomer": {`mutation { eraseCustomer(input: {license: "x"}) { licenses } }`,
			`mutation($canary: String!) { eraseCustomer(input: {externalId: $canary}) { licenses } }`},
	}
	c, known := all[field]
	if !known {
		t.Fatalf("nothing here calls %s: say how", field)
	}
	return c
}
