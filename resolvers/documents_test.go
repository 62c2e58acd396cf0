package resolvers_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/resolvers"
)

// parsed gives what a handler makes of a document, whose operation is main
// unless it is the only one: the same again where it remembers it.
func parsed(t *testing.T, a *api, document string, variables map[string]any) *ast.QueryDocument {
	t.Helper()
	operation := ""
	if strings.Contains(document, "query main") {
		operation = "main"
	}
	doc, errs := resolvers.Open(a.handler, authz.DevAdmin, document, operation, variables)
	if len(errs) > 0 {
		t.Fatalf("%s: %v", document, errs)
	}
	return doc
}

func TestAGoodDocumentIsParsedOnce(t *testing.T) {
	a := newAPI(t)
	for _, document := range []string{
		`{ __typename }`,
		`{ product(id: "acme") { code } }`,
		`query($i: ValidateInput!) { validate(input: $i) { code } }`,
		`query($k: String!, $p: String) { validate(input: {key: $k, product: $p}) { code } }`,
		`query($k: String!) { license(key: $k) { id } }`,
		`mutation($p: ID!) { issueLicense(input: {plan: $p, neverExpires: true}) { key } }`,
		`query($k: String!) { ...f } fragment f on Query { ... { validate(input: {key: $k}) { code } } }`,
		`{ __typename }` + strings.Repeat(" ", 16<<10-len(`{ __typename }`)),
	} {
		variables := map[string]any{"k": "x", "p": "x", "i": map[string]any{"key": "x"}}
		if first := parsed(t, a, document, variables); parsed(t, a, document, variables) != first {
			t.Errorf("%.100s is parsed twice", document)
		}
	}
}

func TestADocumentThatMayHoldAKeyIsForgotten(t *testing.T) {
	a := newAPI(t)
	for _, document := range []string{
		`{ validate(input: {key: "x"}) { code } }`,
		`{ validate(input: {key: """x"""}) { code } }`,
		`query($k: String!) { validate(input: {key: $k, product: "acme"}) { code } }`,
		`query($k: String!) { validate(input: {key: $k, entitlements: ["x"]}) { code } }`,
		`query($k: String! = "x") { validate(input: {key: $k}) { code } }`,
		`{ a: validate(input: {key: "x"}) { code } }`,
		`{ ... on Query { validate(input: {key: "x"}) { code } } }`,
		`{ ...f } fragment f on Query { ... { validate(input: {key: "x"}) { code } } }`,
		`query main { __typename } query b { validate(input: {key: "x"}) { code } }`,
		`{ license(key: "x") { id } }`,
		`mutation { issueLicense(input: {plan: "acme/pro", key: "0123456789abcdef"}) { key } }`,
		`{ __typename } #` + strings.Repeat(" ", 16<<10),
	} {
		variables := map[string]any{"k": "x"}
		if first := parsed(t, a, document, variables); parsed(t, a, document, variables) == first {
			t.Errorf("%.100s is remembered", document)
		}
	}
}

func TestWhatIsRefusedDoesNotPushGoodDocumentsOut(t *testing.T) {
	a := newAPI(t)
	const good = `{ __typename }`
	before := parsed(t, a, good, nil)
	for i := range 2_000 {
		for _, document := range []string{`{ nope%d }`, `{ x%d`, `{ product(id: true) { x%d: id } }`, `{ x%d: validate(input: {key: "x"}) { code } }`} {
			_, _ = resolvers.Open(a.handler, authz.DevAdmin, fmt.Sprintf(document, i), "", nil)
		}
	}
	if parsed(t, a, good, nil) != before {
		t.Error("a good document is parsed anew")
	}
}

func TestADocumentIsSharedByManyCallers(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, key := a.issue(t)
	const document = `query($id: ID!, $k: String!, $more: Boolean!) {
		license(id: $id) { id ...more @include(if: $more) } validate(input: {key: $k}) { valid license { id } }
	} fragment more on License { plan { code } product { plans { nodes { code } } } }`
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for range 10 {
				got := a.ask(t, admin, document, "id", id, "k", key, "more", caller%2 == 0)
				license := got.Data["license"].(map[string]any)
				if _, more := license["plan"]; license["id"] != id || more != (caller%2 == 0) || len(got.Errors) > 0 {
					t.Errorf("caller %d: %s", caller, got.body)
				}
			}
		})
	}
	callers.Wait()
}
