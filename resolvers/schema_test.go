package resolvers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/resolvers"
)

const directives = `
	directive @hasPermission(action: String!) on FIELD_DEFINITION
	directive @public(reason: String!) on FIELD_DEFINITION
`

func TestEveryRootFieldIsGuardedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		blames string // empty: good
	}{
		"guarded":       {`type Query { a: Int @hasPermission(action: "product:read") b: Int @public(reason: "x") }`, ""},
		"inner fields":  {`type Query { a: T @public(reason: "x") } type T { b: Int }`, ""},
		"unguarded":     {`type Query { a: Int @public(reason: "x") b: Int }`, "Query.b"},
		"guarded twice": {`type Query { a: Int @public(reason: "x") @hasPermission(action: "product:read") }`, "Query.a"},
		"no action":     {`type Query { a: Int @hasPermission(action: "product:reed") }`, `Query.a needs "product:reed"`},
		"an empty one":  {`type Query { a: Int @hasPermission(action: "") }`, "Query.a"},
		"a mutation":    {`type Query { a: Int @public(reason: "x") } type Mutation { b: Int }`, "Mutation.b"},
		"subscription":  {`type Query { a: Int @public(reason: "x") } type Subscription { c: Int }`, "Subscription.c"},
		"another name":  {`schema { query: Root } type Root { a: Int }`, "Root.a"},
		"an extension":  {`type Query { a: Int @public(reason: "x") } extend type Query { b: Int }`, "Query.b"},
	} {
		schema, err := gqlparser.LoadSchema(&ast.Source{Input: directives + c.schema})
		if err != nil {
			t.Fatal(err)
		}
		err = resolvers.CheckRootFields(schema)
		if (err == nil) != (c.blames == "") || err != nil && !strings.Contains(err.Error(), c.blames) {
			t.Errorf("%s: %v, want %q", name, err, c.blames)
		}
	}
}

func TestEveryRootFieldAsksForItsPermission(t *testing.T) {
	a := newAPI(t)
	for field, action := range rootFields() {
		document := call(t, field).plain
		if action == "" {
			for _, as := range []string{nobody, limited} {
				if got := a.ask(t, as, document); len(got.Errors) > 0 {
					t.Errorf("%s is refused: %s", field, got.body)
				}
			}
			continue
		}
		wantExtensions(t, field, a.ask(t, limited, document), map[string]any{"code": "DENIED", "action": action})
		wantExtensions(t, field, a.ask(t, nobody, document), map[string]any{"code": "UNAUTHENTICATED"})
		a.policy[authz.Action(action)] = authz.AllProducts()
		for _, e := range a.ask(t, limited, document).Errors {
			if code := e.Extensions["code"]; code != "NOT_FOUND" && code != "CONFLICT" {
				t.Errorf("%s, with its permission: %v", field, e)
			}
		}
		delete(a.policy, authz.Action(action))
	}
}

func TestIntrospectionIsOpen(t *testing.T) {
	a := newAPI(t)
	got := a.ask(t, nobody, `{ __schema { queryType { name } mutationType { name } subscriptionType { name } directives { name } }
		__type(name: "License") { kind description fields { name description type { kind name ofType { name } } } } }`)
	if got.status != http.StatusOK || len(got.Errors) > 0 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, want := range []string{`"queryType":{"name":"Query"}`, `"mutationType":{"name":"Mutation"}`, `"subscriptionType":{"name":"Subscription"}`, `"hasPermission"`, `"description":"The last five characters of the key."`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%s is not in %s", want, got.body)
		}
	}
}

// The rule on fields of one name (checkMerging) holds only so.
func TestNoTypeIsAnInterfaceOrAUnion(t *testing.T) {
	for name, definition := range graph.NewExecutableSchema(graph.Config{}).Schema().Types {
		if definition.IsAbstractType() {
			t.Errorf("%s is one", name)
		}
	}
}
