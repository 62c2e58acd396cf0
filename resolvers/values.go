package resolvers

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// inputPath is where a value stands in a field's input, as use-cases name it:
// customer.email. The argument's own name counts unless it is input.
type inputPath string

func argumentPath(name string) inputPath {
	if name == "input" {
		return ""
	}
	return inputPath(name)
}

func (p inputPath) join(name string) inputPath {
	if p == "" || name == "" {
		return p + inputPath(name)
	}
	return p + "." + inputPath(name)
}

// documentRules are those of GraphQL, without suggestions of what may have
// been meant, and with our own on values, on fields of one name and on
// subscriptions.
func documentRules() []core.Rule {
	return []core.Rule{
		rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.FragmentsOnCompositeTypesRule,
		rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownDirectivesRule,
		rules.KnownFragmentNamesRule,
		rules.KnownRootTypeRule,
		rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.LoneAnonymousOperationRule,
		rules.MaxIntrospectionDepth,
		rules.NoUndefinedVariablesRule,
		rules.NoUnusedFragmentsRule,
		rules.NoUnusedVariablesRule,
		{Name: "Merging", RuleFunc: checkMerging},
		rules.PossibleFragmentSpreadsRule,
		rules.ProvidedRequiredArgumentsRule,
		rules.ScalarLeafsRuleWithoutSuggestions,
		{Name: "Subscriptions", RuleFunc: checkSubscriptions},
		rules.UniqueArgumentNamesRule,
		rules.UniqueDirectivesPerLocationRule,
		rules.UniqueFragmentNamesRule,
		rules.UniqueInputFieldNamesRule,
		rules.UniqueOperationNamesRule,
		rules.UniqueVariableNamesRule,
		{Name: "Values", RuleFunc: checkValues},
		rules.VariablesAreInputTypesRule,
		rules.VariablesInAllowedPositionRule,
	}
}

// checkValues holds the values that are written into a document to their
// types. gqlparser's own rule quotes them, and they may be keys; it does not
// say in which field they stand; and it lets numbers pass that do not decode.
func checkValues(observers *core.Events, addError core.AddErrFunc) {
	c := valueCheck{addError: addError, done: map[*ast.Value]bool{}}
	observers.OnField(func(_ *core.Walker, f *ast.Field) {
		for _, a := range f.Arguments {
			c.argument(a)
		}
	})
	observers.OnDirective(func(_ *core.Walker, d *ast.Directive) {
		for _, a := range d.Arguments {
			c.argument(a)
		}
	})
	observers.OnOperation(func(_ *core.Walker, o *ast.OperationDefinition) {
		for _, v := range o.VariableDefinitions {
			if v.DefaultValue != nil {
				c.value(v.DefaultValue, inputPath(v.Variable))
			}
		}
	})
}

type valueCheck struct {
	addError core.AddErrFunc
	done     map[*ast.Value]bool // a fragment is walked wherever it is spread
}

func (c valueCheck) refuse(at *ast.Position, field inputPath, message string) {
	c.addError(core.Message("%s", message), core.At(at), func(err *gqlerror.Error) {
		err.Extensions = map[string]any{"field": string(field)}
	})
}

func (c valueCheck) argument(a *ast.Argument) {
	if !c.done[a.Value] {
		c.done[a.Value] = true
		c.value(a.Value, argumentPath(a.Name))
	}
}

// value checks a value and what it holds. Variables, and what has a name that
// is not known, are other rules' to judge.
func (c valueCheck) value(v *ast.Value, at inputPath) {
	switch {
	case v.ExpectedType == nil || v.Definition == nil || v.Kind == ast.Variable:
	case v.Kind == ast.NullValue:
		if v.ExpectedType.NonNull {
			c.refuse(v.Position, at, "a value of type "+v.ExpectedType.String()+" is wanted, not null")
		}
	case v.Kind == ast.ListValue && v.ExpectedType.Elem != nil:
		for i, child := range v.Children {
			c.value(child.Value, at.join(strconv.Itoa(i)))
		}
	case v.Definition.Kind == ast.InputObject && v.Kind == ast.ObjectValue:
		c.object(v, at)
	case !decodes(v):
		c.refuse(v.Position, at, "a value of type "+v.ExpectedType.String()+" is wanted")
	}
}

func (c valueCheck) object(v *ast.Value, at inputPath) {
	for _, f := range v.Definition.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && v.Children.ForName(f.Name) == nil {
			c.refuse(v.Position, at.join(f.Name), "the field "+f.Name+" of type "+f.Type.String()+" is wanted")
		}
	}
	for _, child := range v.Children {
		if v.Definition.Fields.ForName(child.Name) == nil {
			c.refuse(child.Position, at.join(child.Name), v.Definition.Name+" has no field "+child.Name)
			continue
		}
		c.value(child.Value, at.join(child.Name))
	}
}

// decodes reports whether a single value is of its scalar or enum. What else
// our own scalars ask for, they see to themselves.
func decodes(v *ast.Value) bool {
	text := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	switch v.Definition.Name {
	case "String":
		return text
	case "ID":
		return text || v.Kind == ast.IntValue && isWhole(v.Raw, 64)
	case "Int":
		return v.Kind == ast.IntValue && isWhole(v.Raw, 32)
	case "Boolean":
		return v.Kind == ast.BooleanValue
	}
	if v.Definition.Kind == ast.Enum {
		return v.Kind == ast.EnumValue && v.Definition.EnumValues.ForName(v.Raw) != nil
	}
	_, err := v.Value(nil)
	return v.Definition.Kind == ast.Scalar && err == nil
}

func isWhole(text string, bits int) bool {
	_, err := strconv.ParseInt(text, 10, bits)
	return err == nil
}

// variablePath says where an operation uses a variable first.
func variablePath(doc *ast.QueryDocument, o *ast.OperationDefinition, variable string) inputPath {
	found, ok := findVariable(o.SelectionSet, variable)
	for _, f := range doc.Fragments {
		if !ok {
			found, ok = findVariable(f.SelectionSet, variable)
		}
	}
	return found
}

func findVariable(selections ast.SelectionSet, variable string) (inputPath, bool) {
	for _, selection := range selections {
		var inner ast.SelectionSet
		switch s := selection.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				if at, ok := findIn(a.Value, argumentPath(a.Name), variable); ok {
					return at, true
				}
			}
			inner = s.SelectionSet
		case *ast.InlineFragment:
			inner = s.SelectionSet
		}
		if at, ok := findVariable(inner, variable); ok {
			return at, true
		}
	}
	return "", false
}

func findIn(v *ast.Value, at inputPath, variable string) (inputPath, bool) {
	if v.Kind == ast.Variable {
		return at, v.Raw == variable
	}
	for i, child := range v.Children {
		name := child.Name
		if v.Kind == ast.ListValue {
			name = strconv.Itoa(i)
		}
		if found, ok := findIn(child.Value, at.join(name), variable); ok {
			return found, true
		}
	}
	return "", false
}

// joinPath adds what stands in a path behind a place. A name that is none in
// GraphQL is a client's own text, and left out.
func (p inputPath) joinPath(rest ast.Path) inputPath {
	for _, element := range rest {
		switch e := element.(type) {
		case ast.PathName:
			if !isName(string(e)) {
				return p
			}
			p = p.join(string(e))
		case ast.PathIndex:
			p = p.join(strconv.Itoa(int(e)))
		}
	}
	return p
}

func isName(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
