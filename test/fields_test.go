package test_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/graph"
)

// arguments are those with which a root field succeeds, as JSON. Each $NAME
// stands for something that the server made or was told.
var arguments = map[string]string{
	"product":          `{"id": "acme"}`,
	"products":         `{}`,
	"plan":             `{"id": "acme/floating"}`,
	"license":          `{"key": "$KEY"}`,
	"licenses":         `{"filter": {"customerEmail": "$EMAIL"}}`,
	"validate":         `{"input": {"key": "$KEY", "product": "acme", "fingerprint": "$MACHINE"}}`,
	"explain":          `{"license": "$LICENSE", "input": {"product": "acme", "fingerprint": "$MACHINE"}}`,
	"activate":         `{"input": {"key": "$KEY", "product": "acme", "fingerprint": "$MACHINE", "name": "$NEW"}}`,
	"deactivate":       `{"input": {"key": "$KEY", "product": "acme", "fingerprint": "$MACHINE"}}`,
	"heartbeat":        `{"input": {"key": "$KEY", "product": "acme", "fingerprint": "$MACHINE"}}`,
	"createProduct":    `{"input": {"code": "$NEW", "name": "New", "keyPrefix": "NEW"}}`,
	"updateProduct":    `{"input": {"product": "acme", "metadata": {"a": "$NEW"}}}`,
	"createPlan":       `{"input": {"product": "acme", "code": "$NEW", "name": "New"}}`,
	"updatePlan":       `{"input": {"plan": "acme/professional", "name": "$NEW"}}`,
	"issueLicense":     `{"input": {"plan": "acme/floating", "allowedDomains": ["example.com"], "domains": ["example.com"], "externalId": "$NEW"}}`,
	"issueLicenses":    `{"input": {"licenses": [{"plan": "acme/floating", "domains": ["example.com"], "externalId": "$NEW"}, {"plan": "acme/floating", "customer": {"email": "$EMAIL"}}], "idempotencyKey": "$NEW"}}`,
	"updateLicense":    `{"input": {"license": "$LICENSE", "plan": "acme/floating", "customer": {"email": "$EMAIL"}, "metadata": {"a": "$NEW"}, "clear": ["EXTERNAL_ID"]}}`,
	"renewLicense":     `{"input": {"license": "$LICENSE", "idempotencyKey": "$NEW"}}`,
	"rotateLicenseKey": `{"input": {"license": "$LICENSE", "overlap": "P1D", "idempotencyKey": "$NEW"}}`,
	"suspendLicense":   `{"input": {"license": "$LICENSE", "reason": "$NEW"}}`,
	"reinstateLicense": `{"input": {"license": "$SUSPENDED"}}`,
	"revokeLicense":    `{"input": {"license": "$LICENSE", "reason": "$NEW"}}`,
	"revealLicenseKey": `{"input": {"license": "$LICENSE", "reason": "$NEW"}}`,
	"removeActivation": `{"input": {"license": "$LICENSE", "activation": "$SEAT"}}`,
	"searchLicenses":   `{"text": "$EMAIL", "product": "acme"}`,
	"eraseCustomer":    `{"input": {"license": "$LICENSE"}}`,
	"events":           `{"filter": {"types": ["license.*"], "product": "acme", "license": "$LICENSE", "subject": "$LICENSE", "actor": "dev|admin"}, "order": "OLDEST_FIRST", "first": 5}`,
	"journal":          `{}`,
}

// A rootField is a field of Query or Mutation.
type rootField struct {
	*ast.FieldDefinition
	kind   string // of its operation
	schema *ast.Schema
}

// rootFields lists all, and fails for those that nobody says how to call.
func rootFields(t *testing.T) []rootField {
	t.Helper()
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	var all []rootField
	for kind, root := range map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation} {
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			if arguments[field.Name] == "" {
				t.Errorf("nothing here calls %s: say how", field.Name)
			}
			all = append(all, rootField{field, kind, schema})
		}
	}
	slices.SortFunc(all, func(a, b rootField) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (f rootField) public() bool { return f.Directives.ForName("public") != nil }

// arguments gives those with which it succeeds.
func (f rootField) arguments(values map[string]string) (map[string]any, error) {
	text := arguments[f.Name]
	for name, value := range values {
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	var all map[string]any
	return all, json.Unmarshal([]byte(text), &all)
}

// withVariables gives the document that takes all arguments in variables.
func (f rootField) withVariables() string {
	var variables, given []string
	for _, a := range f.Arguments {
		variable := "$" + a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			variable += " = " + a.DefaultValue.String()
		}
		variables = append(variables, variable)
		given = append(given, a.Name+": $"+a.Name)
	}
	return fmt.Sprintf("%s%s { %s%s %s }", f.kind, inBrackets(variables), f.Name, inBrackets(given), f.selection(f.Type, f.deep()))
}

// withLiterals gives the document with the arguments written into it.
func (f rootField) withLiterals(arguments map[string]any) string {
	var given []string
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		given = append(given, name+": "+f.literal(arguments[name], f.FieldDefinition.Arguments.ForName(name).Type))
	}
	return fmt.Sprintf("%s { %s%s %s }", f.kind, f.Name, inBrackets(given), f.selection(f.Type, f.deep()))
}

// inBrackets gives a list of arguments, nothing where there are none.
func inBrackets(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// deep is how deep an answer is asked for: the elements of a list as deep as
// those of a page, since there are as many.
func (f rootField) deep() int {
	if f.Type.Elem != nil {
		return 3
	}
	return 4
}

// selection asks for all scalars of a type, and of those that are so deep in it.
func (f rootField) selection(of *ast.Type, deep int) string {
	definition := f.schema.Types[of.Name()]
	if definition.Kind == ast.Scalar || definition.Kind == ast.Enum {
		return ""
	}
	names := []string{"__typename"}
	for _, field := range definition.Fields {
		inner := f.schema.Types[field.Type.Name()]
		if leaf := inner.Kind == ast.Scalar || inner.Kind == ast.Enum; leaf || deep > 1 && !strings.HasSuffix(inner.Name, "Connection") || deep == 4 {
			names = append(names, strings.TrimSpace(field.Name+" "+f.selection(field.Type, deep-1)))
		}
	}
	return "{ " + strings.Join(names, " ") + " }"
}

// leaves gives the place of each scalar and enum of the arguments.
func (f rootField) leaves() [][]string {
	var all [][]string
	for _, a := range f.Arguments {
		all = append(all, f.leavesOf(a.Type, []string{a.Name})...)
	}
	return all
}

// item is the step to the first element of a list.
const item = "0"

func (f rootField) leavesOf(of *ast.Type, at []string) [][]string {
	if of.Elem != nil {
		return f.leavesOf(of.Elem, append(slices.Clone(at), item))
	}
	definition := f.schema.Types[of.Name()]
	if definition.Kind != ast.InputObject {
		return [][]string{at}
	}
	var all [][]string
	for _, field := range definition.Fields {
		all = append(all, f.leavesOf(field.Type, append(slices.Clone(at), field.Name))...)
	}
	return all
}

// replaced gives a value with another one at a place in it; what leads there
// is made.
func replaced(value any, at []string, with any) any {
	switch {
	case len(at) == 0:
		return with
	case at[0] == item:
		list, _ := value.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		return append([]any{replaced(list[0], at[1:], with)}, list[1:]...)
	}
	object, _ := value.(map[string]any)
	changed := map[string]any{}
	maps.Copy(changed, object)
	changed[at[0]] = replaced(changed[at[0]], at[1:], with)
	return changed
}

// literal writes a value as GraphQL does: enums bare, if they are known.
func (f rootField) literal(value any, of *ast.Type) string {
	var definition *ast.Definition
	if of != nil {
		definition = f.schema.Types[of.Name()]
	}
	switch v := value.(type) {
	case []any:
		var parts []string
		for _, one := range v {
			inner := of
			if of != nil && of.Elem != nil {
				inner = of.Elem
			}
			parts = append(parts, f.literal(one, inner))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			var inner *ast.Type
			if definition != nil && definition.Fields.ForName(name) != nil {
				inner = definition.Fields.ForName(name).Type
			}
			parts = append(parts, name+": "+f.literal(v[name], inner))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case string:
		if definition != nil && definition.EnumValues.ForName(v) != nil {
			return v
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
