package resolvers

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// checkSubscriptions holds a subscription to one field that is there whatever
// its variables say. gqlparser's own rule takes two of one field under two
// names for one, and lets the only one be skipped.
func checkSubscriptions(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(_ *core.Walker, o *ast.OperationDefinition) {
		if o.Operation != ast.Subscription {
			return
		}
		root := rootOf{addError: addError, done: map[*ast.FragmentDefinition]bool{}}
		root.walk(o.SelectionSet)
	})
}

type rootOf struct {
	addError core.AddErrFunc
	field    *ast.Field // the first
	done     map[*ast.FragmentDefinition]bool
}

func (r *rootOf) walk(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			r.optional(s.Directives)
			r.check(s)
		case *ast.InlineFragment:
			r.optional(s.Directives)
			r.walk(s.SelectionSet)
		case *ast.FragmentSpread:
			r.optional(s.Directives)
			if s.Definition != nil && !r.done[s.Definition] {
				r.done[s.Definition] = true
				r.walk(s.Definition.SelectionSet)
			}
		}
	}
}

func (r *rootOf) check(f *ast.Field) {
	if r.field == nil {
		r.field = f
	}
	switch {
	case strings.HasPrefix(f.Name, "__"):
		r.addError(core.Message("a subscription has no %s", f.Name), core.At(f.Position))
	case f.Alias != r.field.Alias:
		r.addError(core.Message("a subscription has one field: start another for %s", f.Alias), core.At(f.Position))
	}
}

func (r *rootOf) optional(directives ast.DirectiveList) {
	for _, d := range directives {
		if d.Name == "skip" || d.Name == "include" {
			r.addError(core.Message("@%s does not stand at the field of a subscription", d.Name), core.At(d.Position))
		}
	}
}
