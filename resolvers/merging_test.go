package resolvers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each pair asks for two things under one name in the answer.
func TestNoFieldVanishesBehindAnotherOfItsName(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	const (
		one   = `createProduct(input: {code: "one", name: "One", keyPrefix: "ONE"}) { product { id } }`
		other = `createProduct(input: {code: "other", name: "Other", keyPrefix: "OTHER"}) { product { id } }`
	)
	for name, document := range map[string]string{
		"side by side":       "mutation { " + one + other + " }",
		"in fragments":       "mutation { ...a ...b } fragment a on Mutation { " + one + " } fragment b on Mutation { ... { " + other + " } }",
		"of a variable":      `mutation($in: CreateProductInput!) { createProduct(input: $in) { product { id } } ` + other + " }",
		"of another filter":  `{ licenses(filter: {product: "acme"}) { nodes { id } } licenses(filter: {externalId: "x"}) { nodes { id } } }`,
		"of another field":   `{ x: product(id: "acme") { name } x: plan(id: "acme/pro") { name } }`,
		"of another default": `{ licenses { nodes { id } } licenses(filter: {product: "acme"}) { nodes { id } } }`,
	} {
		got := a.ask(t, admin, document, "in", map[string]any{"code": "third", "name": "Third", "keyPrefix": "THIRD"})
		if got.status != 400 || len(got.Errors) == 0 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	products := a.must(t, "{ products { nodes { code } } }")["products"].(map[string]any)["nodes"]
	if d := cmp.Diff([]any{map[string]any{"code": "acme"}}, products); d != "" {
		t.Errorf("products: %s", d)
	}
}

func TestOneFieldMayBeNamedTwice(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	got := a.must(t, `{ product(id: "acme") { code } ...more } fragment more on Query { product(id: "acme") { name } }`)
	if d := cmp.Diff(map[string]any{"product": map[string]any{"code": "acme", "name": "Acme"}}, got); d != "" {
		t.Error(d)
	}
	if got := a.ask(t, admin, `{ one: nope(a: 1) one: nope(a: 2) }`); !strings.Contains(got.body, "Cannot query field") {
		t.Error(got.body)
	}
}
