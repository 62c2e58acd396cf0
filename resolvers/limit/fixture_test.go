package limit_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/resolvers/limit"
)

var (
	staff  = limit.Of(actor.Actor{Kind: actor.User, ID: "somebody"})
	anyone = limit.Of(actor.Actor{})
)

// batchSchema is what is priced and not, or not yet, in our own schema.
var batchSchema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { node: Node nodes(first: Int! = 50): [Node!] page(first: Int! = 50): Page }
	type Page { nodes: [Node!]! pageInfo: Info! }
	type Info { hasNextPage: Boolean! }
	type Node { id: ID! tags: [String!]! node: Node list: [Node!] nodes(first: Int! = 50): [Node!] page(first: Int! = 50): Page }
	type Mutation { issueLicenses(input: IssueLicensesInput!): IssueLicensesPayload checkOut: Node }
	input IssueLicensesInput { licenses: [IssueLicenseInput!]! }
	input IssueLicenseInput { plan: ID! }
	type IssueLicensesPayload { results: [IssueLicenseResult!]! issued: Int! first: Node }
	type IssueLicenseResult { license: Node key: String }
`})

func parse(t testing.TB, text string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

// valid parses a document and links it with a schema.
func valid(t testing.TB, schema *ast.Schema, text string) *ast.QueryDocument {
	t.Helper()
	doc := parse(t, text)
	if errs := validator.ValidateWithRules(schema, doc, nil); len(errs) > 0 {
		t.Fatalf("%s: %v", text, errs)
	}
	return doc
}

// price gives what the first operation of a document costs.
func price(t testing.TB, schema *ast.Schema, text string, variables map[string]any) limit.Amount {
	t.Helper()
	return limit.PriceOf(valid(t, schema, text).Operations[0]).With(variables)
}

func ours() *ast.Schema { return graph.NewExecutableSchema(graph.Config{}).Schema() }
