package resolvers

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// checkRepeats refuses root fields of one name in the answer that have
// different arguments (GraphQL, section 5.3.2). gqlparser's own rule takes any
// two objects for equal, and then the first field alone is executed: a
// mutation would vanish without an error.
func checkRepeats(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(w *core.Walker, o *ast.OperationDefinition) {
		r := repeats{doc: w.Document, addError: addError, asked: map[string]string{}, seen: map[string]bool{}}
		r.walk(o.SelectionSet)
	})
}

type repeats struct {
	doc      *ast.QueryDocument
	addError core.AddErrFunc
	asked    map[string]string // name in the answer to what is asked
	seen     map[string]bool   // fragments
}

func (r repeats) walk(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			r.field(s)
		case *ast.InlineFragment:
			r.walk(s.SelectionSet)
		case *ast.FragmentSpread:
			if fragment := r.doc.Fragments.ForName(s.Name); fragment != nil && !r.seen[s.Name] {
				r.seen[s.Name] = true
				r.walk(fragment.SelectionSet)
			}
		}
	}
}

func (r repeats) field(f *ast.Field) {
	if f.Definition == nil {
		return // an unknown field is another rule's to name
	}
	asked := f.Name
	for _, a := range f.Definition.Arguments {
		if given := f.Arguments.ForName(a.Name); given != nil {
			asked += "," + a.Name + ":" + given.Value.String()
		}
	}
	if before, repeated := r.asked[f.Alias]; repeated && before != asked {
		r.addError(core.Message("%s is asked for twice with different arguments: give each an alias of its own", f.Alias), core.At(f.Position))
		return
	}
	r.asked[f.Alias] = asked
}
