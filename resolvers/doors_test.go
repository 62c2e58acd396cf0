package resolvers_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/resolvers"
)

func numbered(n int, format string) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, format, i)
	}
	return all.String()
}

// bomb is fragments that each spread the next one twice.
func bomb(fragments int, on, last string) string {
	all := ""
	for i := range fragments {
		all += fmt.Sprintf("fragment f%d on %s { ...f%d ...f%[3]d } ", i, on, i+1)
	}
	return all + fmt.Sprintf("fragment f%d on %s { %s }", fragments, on, last)
}

// Each is a way in which GraphQL servers are worn out. It is refused before it
// costs anything: before storage is asked, and in fewer allocations than the
// tokens that a caller may send.
func TestWornWaysInAreClosed(t *testing.T) {
	a := newAPI(t)
	a.store.failing(func() error { t.Error("storage was asked"); return nil })
	for name, c := range map[string]struct {
		document string
		says     string
	}{
		"400 aliases":                     {"{" + numbered(400, ` a%d: validate(input: {key: "x"}) { code }`) + "}", "tokens of the document"},
		"five of them":                    {"{" + numbered(5, ` a%d: validate(input: {key: "x"}) { code }`) + "}", "objects of the answer, by the sizes of its lists: 250 are asked for, at most 200 are allowed"},
		"five, by a fragment":             {"{ ...f ...f } fragment f on Query {" + numbered(5, ` a%d: validate(input: {key: "x"}) { code }`) + "}", "objects of the answer"},
		"five that are skipped":           {"{" + numbered(5, ` a%d: validate(input: {key: "x"}) @skip(if: true) { code }`) + "}", "objects of the answer"},
		"five seats taken":                {"mutation {" + numbered(5, ` a%d: activate(input: {key: "x", fingerprint: "m"}) { created }`) + "}", "objects of the answer"},
		"21 fields":                       {"{" + numbered(21, " a%d: __typename") + "}", "fields of an operation: 21 are asked for, at most 20 are allowed"},
		"a fragment bomb":                 {"{ ...f0 } " + bomb(22, "Query", "__typename"), "fields of an operation: 4194304"},
		"a bomb within a field":           {`{ product(id: "x") { ...f0 } } ` + bomb(22, "Product", "code"), "parts of the document"},
		"a bomb of introspection":         {"{ __schema { ...f0 } } " + bomb(22, "__Schema", "description"), "parts of the document"},
		"one field 500 times":             {"{ " + strings.Repeat(" __typename", 500) + "}", "fields of an operation"},
		"one field 500 times in another":  {`{ product(id: "x") {` + strings.Repeat(" code", 500) + "} }", "a selection has 500 fields, of which at most 100 are allowed"},
		"the same in two":                 {`{ product(id: "x") {` + strings.Repeat(" code", 60) + `} product(id: "x") {` + strings.Repeat(" code", 60) + "} }", "a selection has 120 fields"},
		"50 nested fragments":             {"{ ...f0 } " + numbered(50, "fragment f%d on Query { a { ...f0 } } "), "is spread within itself"},
		"14 levels by fragments":          {`{ product(id: "x") { ...f0 } } fragment f0 on Product { plans { nodes { product { ...f1 } } } } fragment f1 on Product { plans { nodes { product { ...f2 } } } } fragment f2 on Product { plans { nodes { product { ...f3 } } } } fragment f3 on Product { plans { nodes { product { code } } } }`, "levels of fields in the document: 14 are asked for, at most 12 are allowed"},
		"200 directives":                  {"{ __typename" + numbered(200, " @a%d") + "}", "directives of the document: 200 are asked for, at most 50 are allowed"},
		"introspection within itself":     {"{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", "Maximum introspection depth exceeded"},
		"introspection under two names":   {"{ __schema { types { a: name b: name } } }", "under a second name"},
		"introspection by fragments":      {"{ __schema { types { a: name ...f } } } fragment f on __Type { b: name }", "under a second name"},
		"introspection twice":             {"{ a: __schema { description } b: __schema { description } }", "objects of the answer"},
		"deferring":                       {`{ product(id: "x") { ... @defer { code } } }`, "Unknown directive \"@defer\"."},
		"a number for a text":             {`{ validate(input: {key: 3}) { code } }`, "a value of type String! is wanted"},
		"a number for a text, long":       {`{ validate(input: {key: "x", product: 3}) { code } }`, "a value of type String is wanted"},
		"pages of pages":                  {`{ products(first: 200) { nodes { plans(first: 200) { nodes { product { code } } } } } }`, "objects of the answer, by the sizes of its lists: 80401 are asked for"},
		"a thousand values of each of 10": {`{ plan(id: "x") { entitlements {` + numbered(95, " a%d: code") + "} product { plans(first: 200) { nodes { " + numbered(60, " b%d: code") + " } } } } }", "objects of the answer"},
	} {
		got := a.ask(t, nobody, c.document)
		wantRefusal(t, name, got, http.StatusBadRequest)
		if len(got.Errors) > 0 && !strings.Contains(got.Errors[0].Message, c.says) {
			t.Errorf("%s: %s, want %q", name, got.Errors[0].Message, c.says)
		}
		if len(got.body) > 3_000 || len(got.Errors) > 10 {
			t.Errorf("%s: %d errors in %d bytes", name, len(got.Errors), len(got.body))
		}
		spent := testing.AllocsPerRun(2, func() {
			_, _ = resolvers.Open(a.handler, actor.Actor{}, c.document, "", nil)
		})
		if spent > 10*600 {
			t.Errorf("%s: %v allocations", name, spent)
		}
	}
}

func TestTenThousandAliasesAreRefusedByTheirLength(t *testing.T) {
	a := newAPI(t)
	a.store.failing(func() error { t.Error("storage was asked"); return nil })
	document := "{" + numbered(10_000, ` a%d: validate(input: {key: "x"}) { code }`) + "}"
	wantRefusal(t, "nobody", a.ask(t, nobody, document), http.StatusRequestEntityTooLarge)
	got := a.ask(t, admin, document)
	wantRefusal(t, "admin", got, http.StatusBadRequest)
	if !strings.Contains(got.body, "bytes of the document: 438892 are asked for, at most 262144 are allowed") {
		t.Error(got.body)
	}
	got = a.ask(t, admin, "{"+numbered(1_000, ` a%d: validate(input: {key: "x"}) { code }`)+"}")
	wantRefusal(t, "1,000 aliases", got, http.StatusBadRequest)
	if !strings.Contains(got.body, "tokens of the document: more than 5000 are asked for") {
		t.Error(got.body)
	}
}

// What is judged by its variables is judged for each request.
func TestVariablesAreCountedForEachRequest(t *testing.T) {
	a := newAPI(t)
	const document = `query($n: Int!) { products(first: $n) { nodes { plans(first: $n) { nodes { code } } } } }`
	for range 2 {
		if got := a.ask(t, admin, document, "n", 20); got.status != http.StatusOK {
			t.Errorf("20: %s", got.body)
		}
		got := a.ask(t, admin, document, "n", 100)
		wantRefusal(t, "100", got, http.StatusBadRequest)
		if !strings.Contains(got.body, "objects of the answer, by the sizes of its lists: 10201 are asked for, at most 5000 are allowed") {
			t.Error(got.body)
		}
	}
}

func TestFieldsOfOneNameAreComparedWithTheFirstAlone(t *testing.T) {
	a := newAPI(t)
	spent := func(fields int) float64 {
		n := 0
		return testing.AllocsPerRun(5, func() {
			n++
			document := fmt.Sprintf(`query q%d { plan(id: "x") {`, n) + strings.Repeat(" product { code }", fields) + "} }"
			if _, errs := resolvers.Open(a.handler, authz.DevAdmin, document, "", nil); len(errs) > 0 {
				t.Fatal(errs)
			}
		})
	}
	if few, many := spent(9), spent(90); many > 12*few {
		t.Errorf("%v allocations for 9 fields, %v for 90", few, many)
	}
}

func TestNothingIsSuggested(t *testing.T) {
	a := newAPI(t)
	for _, document := range []string{
		`{ produc(id: "x") { id } }`,
		`{ product(idd: "x") { id } }`,
		`{ product(id: "x") { cod } }`,
		`{ product }`,
		`{ __typename { a } }`,
		`{ licenses(orderBy: CREATED_NEWES) { nodes { id } } }`,
		`{ licenses(orderBy: "CREATED_NEWEST") { nodes { id } } }`,
		`{ licenses(filter: {produc: "x"}) { nodes { id } } }`,
		`{ validate(input: {keyy: "x"}) { code } }`,
		`{ __typename @skipp(if: true) }`,
		`{ __typename @skip(iff: true) }`,
		`{ ...f } fragment f on Quer { __typename }`,
		`{ ... on Quer { __typename } }`,
		`{ ...g } fragment f on Query { __typename }`,
		`query($a: Strin) { product(id: $a) { id } }`,
		`query($aa: ID!) { product(id: $a) { id } }`,
		`query($o: LicenseOrder!) { licenses(orderBy: $o) { nodes { id } } }`,
		`query($i: ValidateInput!) { validate(input: $i) { code } }`,
	} {
		got := a.ask(t, nobody, document, "o", "CREATED_NEWES", "i", map[string]any{"keyy": "x"})
		if text := strings.ToLower(got.body); len(got.Errors) == 0 || strings.Contains(text, "did you mean") || strings.Contains(text, "perhaps") {
			t.Errorf("%s: %s", document, got.body)
		}
	}
}

func TestUniqueDocumentsTakeUpABoundedShare(t *testing.T) {
	a := newAPI(t)
	const good = `{ __typename }`
	before := parsed(t, a, good, nil)
	for i := range 4_000 {
		document := fmt.Sprintf("{ a%d: __typename", i) + numbered(19, " a%d: __typename") + "} #" + strings.Repeat("x", 2_000)
		if _, errs := resolvers.Open(a.handler, actor.Actor{}, document, "", nil); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	anyone, staff := resolvers.Remembered(a.handler)
	if anyone > 4<<20 || anyone < 1<<19 || staff > 1_000 {
		t.Errorf("%d bytes of documents without a credential, %d of others", anyone, staff)
	}
	if parsed(t, a, good, nil) != before {
		t.Error("a document of staff was pushed out")
	}
}

// Whatever document is sent, it is judged without a panic, and what is let
// through keeps the limits on its text.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{
		`{ __typename }`, `{ ...f } fragment f on Query { ...f }`, "{ ...f0 } " + bomb(22, "Query", "__typename"),
		`query($n: Int!) { products(first: $n) { nodes { plans(first: 3) { nodes { code } } } } }`,
		`mutation($i: ActivateInput!) { activate(input: $i) { created validation { ...v } } } fragment v on Validation { valid code }`,
		`{ validate(input: {key: """x""", entitlements: ["a"]}) @skip(if: false) { code reasons { code } } }`,
		`{ __schema { types { name fields { type { ofType { name } } } } } }`, `query a { a: __typename } query b { ... on Query { b: __typename } }`,
		`{ licenses(filter: {status: ACTIVE}, orderBy: CREATED_NEWEST, first: 200) { nodes { id activations { nodes { id } } } } }`,
		`query($a: [[ID!]!]! = [["x"]]) { product(id: $a) { id } }`, `subscription { a }`, `{ a { ... @include(if: $x) { b } } }`,
	} {
		f.Add(seed, int64(3))
	}
	a := newAPI(f)
	f.Fuzz(func(t *testing.T, document string, n int64) {
		for _, who := range []actor.Actor{{}, authz.DevAdmin} {
			doc, errs := resolvers.Open(a.handler, who, document, "", map[string]any{"n": n, "i": map[string]any{"key": "x"}})
			if len(errs) > 10 || (doc == nil) == (len(errs) == 0) {
				t.Fatalf("%q: %v", document, errs)
			}
			for _, err := range errs {
				if err.Message == "" || err.Extensions["code"] == nil {
					t.Fatalf("%q: %v", document, err)
				}
			}
			if doc != nil && len(doc.Operations[0].SelectionSet) > 20 {
				t.Fatalf("%q: %d fields", document, len(doc.Operations[0].SelectionSet))
			}
		}
	})
}

// What documents are said to take up is not less than what they do.
func TestTheTreesOfDocumentsAreCounted(t *testing.T) {
	a := newAPI(t)
	var before, after runtime.MemStats
	runtime.GC() // twice: what pools hold outlives one
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 300 {
		for _, document := range []string{
			fmt.Sprintf(`query q%d($k: String!, $p: String) { validate(input: {key: $k, product: $p, entitlements: []}) { valid code __typename } }`, i),
			fmt.Sprintf(`query q%d { product(id: "x") { `, i) + strings.Repeat("code __typename plans(first: 1) { nodes { id } } ", 20) + "} }",
			fmt.Sprintf(`query q%d { licenses(filter: {product: "a", status: ACTIVE}) { nodes { ...f } } } fragment f on License { id ... { keyHint } }`, i),
		} {
			if _, errs := resolvers.Open(a.handler, authz.DevAdmin, document, "", map[string]any{"k": "x"}); len(errs) > 0 {
				t.Fatal(errs)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	_, counted := resolvers.Remembered(a.handler)
	if used := int(after.HeapAlloc) - int(before.HeapAlloc); used > counted || counted > 3*used {
		t.Errorf("%d bytes are counted, %d used", counted, used)
	}
}

// The query of tools, with all that graphql-js may ask in it, has room.
func TestToolsMayAskForTheSchemaWithoutACredential(t *testing.T) {
	a := newAPI(t)
	const (
		ofType = "kind name"
		value  = "name description type { ...TypeRef } defaultValue isDeprecated deprecationReason"
	)
	got := a.ask(t, nobody, `query IntrospectionQuery {
		__schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind } types { ...FullType }
			directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } }
		}
		fragment FullType on __Type { kind name description specifiedByURL isOneOf
			fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
			inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
			enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
		fragment InputValue on __InputValue { `+value+` }
		fragment TypeRef on __Type { `+strings.Repeat(ofType+" ofType { ", 9)+ofType+strings.Repeat(" }", 9)+` }`)
	if got.status != http.StatusOK || len(got.Errors) > 0 {
		t.Errorf("%d %.500s", got.status, got.body)
	}
}
