package resolvers

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"github.com/keywright/keywright/resolvers/limit"
)

// checkMerging refuses two different fields of one name in the answer (GraphQL,
// section 5.3.2). gqlparser's own rule compares each field with each, and takes
// any two objects for equal: then the first field alone would be executed, and
// a mutation vanish without an error. This one compares each field with the
// first of its name. That is enough where no type is an interface or a union,
// since fields that meet are then of one type.
func checkMerging(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(w *core.Walker, o *ast.OperationDefinition) {
		m := merging{doc: w.Document, addError: addError}
		m.check([]ast.SelectionSet{o.SelectionSet})
	})
}

type merging struct {
	doc      *ast.QueryDocument
	addError core.AddErrFunc
}

// same are the fields of one name in the answer.
type same struct {
	first  *ast.Field
	within []ast.SelectionSet
}

// check judges selections whose fields end up in one object. It sees a field
// no more often than it would stand in the document without fragments.
func (m merging) check(sets []ast.SelectionSet) {
	found := fields{doc: m.doc, spread: map[string]bool{}}
	for _, set := range sets {
		found.collect(set)
	}
	if len(found.all) > limit.MaxFields {
		m.addError(core.Message("a selection has %d fields, of which at most %d are allowed", len(found.all), limit.MaxFields), core.At(found.all[0].Position))
		return
	}
	byName := map[string]*same{}
	var inOrder []*same
	for _, f := range found.all {
		before := byName[f.Alias]
		if before == nil {
			before = &same{first: f}
			byName[f.Alias] = before
			inOrder = append(inOrder, before)
		} else if difference := differ(before.first, f); difference != "" {
			m.addError(core.Message("%s is asked for twice with different %s: give each an alias of its own", f.Alias, difference), core.At(f.Position))
		}
		before.within = append(before.within, f.SelectionSet)
	}
	m.checkIntrospection(inOrder)
	for _, one := range inOrder {
		m.check(one.within)
	}
}

// checkIntrospection refuses a field of the schema's own types under a second
// name: what is asked of each of many types must not be multiplied.
func (m merging) checkIntrospection(all []*same) {
	seen := map[string]bool{}
	for _, one := range all {
		parent := one.first.ObjectDefinition
		if parent == nil || !strings.HasPrefix(parent.Name, "__") {
			return
		}
		if seen[one.first.Name] {
			m.addError(core.Message("%s is asked for under a second name, which introspection does not allow", one.first.Name), core.At(one.first.Position))
			return
		}
		seen[one.first.Name] = true
	}
}

// fields are those of some selections, and of the fragments in them.
type fields struct {
	doc    *ast.QueryDocument
	spread map[string]bool
	all    []*ast.Field
}

func (f *fields) collect(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			f.all = append(f.all, s)
		case *ast.InlineFragment:
			f.collect(s.SelectionSet)
		case *ast.FragmentSpread:
			if definition := f.doc.Fragments.ForName(s.Name); definition != nil && !f.spread[s.Name] {
				f.spread[s.Name] = true
				f.collect(definition.SelectionSet)
			}
		}
	}
}

// differ says in what two fields differ, and nothing where they do not, or
// where another rule has it that they are wrong.
func differ(a, b *ast.Field) string {
	switch {
	case a.Definition == nil || b.Definition == nil:
		return ""
	case a.Name != b.Name:
		return "fields"
	}
	for _, argument := range a.Definition.Arguments {
		given, also := a.Arguments.ForName(argument.Name), b.Arguments.ForName(argument.Name)
		if (given == nil) != (also == nil) || given != nil && !sameValue(given.Value, also.Value) {
			return "arguments"
		}
	}
	return ""
}

func sameValue(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	for i, child := range a.Children {
		if child.Name != b.Children[i].Name || !sameValue(child.Value, b.Children[i].Value) {
			return false
		}
	}
	return true
}
