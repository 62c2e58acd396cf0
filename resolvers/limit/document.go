package limit

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/fault"
)

// CheckDocument fails with InvalidInput if a document, of which nothing is
// known but that it parses, asks for more than the limits or spreads a
// fragment into itself. Else it gives the number of parts.
func (l Limits) CheckDocument(doc *ast.QueryDocument) (parts int, err error) {
	c := counting{definitions: map[string]*ast.FragmentDefinition{}, done: map[string]*size{}}
	for _, f := range doc.Fragments {
		if c.definitions[f.Name] == nil {
			c.definitions[f.Name] = f
		}
	}
	var all size
	for _, o := range doc.Operations {
		own := c.selections(o.SelectionSet)
		c.variables(o, &own)
		all = size{parts: plus(all.parts, own.parts), depth: max(all.depth, own.depth), width: max(all.width, own.width)}
	}
	for _, f := range doc.Fragments { // each is checked by itself too
		own := c.fragment(f.Name)
		if c.definitions[f.Name] != f {
			own = c.selections(f.SelectionSet)
		}
		own.parts = plus(own.parts, c.directivesOf(f.Directives))
		c.name(f.Name)
		all.parts = plus(all.parts, own.parts)
	}
	switch {
	case c.longest > maxName:
		return 0, check("bytes of a name in the document", c.longest, maxName)
	case c.cycle != "":
		return 0, fault.Errorf(fault.InvalidInput, "the fragment %s is spread within itself", c.cycle)
	}
	return all.parts, first(
		check("directives of the document", c.directives, l.Directives),
		check("fragment spreads of the document", c.spreads, l.Spreads),
		check("fields of an operation", all.width, l.RootFields),
		check("levels of fields in the document", all.depth, l.Depth),
		check("parts of the document, its fragments written out", all.parts, l.Parts),
	)
}

// size is that of some selections, with fragments written out.
type size struct{ parts, depth, width int }

// counting goes through each operation and each fragment once.
type counting struct {
	definitions map[string]*ast.FragmentDefinition
	done        map[string]*size // nil while a fragment is counted
	cycle       string           // a fragment that is spread within itself

	directives, spreads, longest int // as they are written
}

func (c *counting) name(text string) { c.longest = max(c.longest, len(text)) }

func (c *counting) selections(set ast.SelectionSet) (all size) {
	for _, selection := range set {
		var one size
		switch s := selection.(type) {
		case *ast.Field:
			one = c.field(s)
		case *ast.InlineFragment:
			c.name(s.TypeCondition)
			one = c.selections(s.SelectionSet)
			one.parts = plus(one.parts, 1+c.directivesOf(s.Directives))
		case *ast.FragmentSpread:
			c.name(s.Name)
			c.spreads++
			one = c.fragment(s.Name)
			one.parts = plus(one.parts, 1+c.directivesOf(s.Directives))
		}
		all = size{parts: plus(all.parts, one.parts), depth: max(all.depth, one.depth), width: plus(all.width, one.width)}
	}
	return all
}

func (c *counting) field(f *ast.Field) size {
	c.name(f.Name)
	c.name(f.Alias)
	inner := c.selections(f.SelectionSet)
	if isIntrospection(f) {
		inner.depth = 0
	}
	own := 1 + c.argumentsOf(f.Arguments) + c.directivesOf(f.Directives)
	return size{parts: plus(inner.parts, own), depth: inner.depth + 1, width: 1}
}

func (c *counting) fragment(name string) size {
	known, begun := c.done[name]
	switch definition := c.definitions[name]; {
	case known != nil:
		return *known
	case begun:
		c.cycle = name
		return size{}
	case definition == nil:
		return size{} // an unknown fragment is a rule's to name
	default:
		c.done[name] = nil
		counted := c.selections(definition.SelectionSet)
		c.done[name] = &counted
		return counted
	}
}

func (c *counting) variables(o *ast.OperationDefinition, own *size) {
	c.name(o.Name)
	parts := c.directivesOf(o.Directives)
	for _, v := range o.VariableDefinitions {
		c.name(v.Variable)
		c.name(v.Type.Name())
		parts += 1 + c.valueOf(v.DefaultValue) + c.directivesOf(v.Directives)
	}
	own.parts = plus(own.parts, parts)
}

func (c *counting) directivesOf(list ast.DirectiveList) int {
	parts := 0
	for _, d := range list {
		c.name(d.Name)
		c.directives++
		parts += 1 + c.argumentsOf(d.Arguments)
	}
	return parts
}

func (c *counting) argumentsOf(list ast.ArgumentList) int {
	parts := 0
	for _, a := range list {
		c.name(a.Name)
		parts += c.valueOf(a.Value)
	}
	return parts
}

func (c *counting) valueOf(v *ast.Value) int {
	if v == nil {
		return 0
	}
	if v.Kind == ast.Variable || v.Kind == ast.EnumValue {
		c.name(v.Raw)
	}
	parts := 1
	for _, child := range v.Children {
		c.name(child.Name)
		parts += c.valueOf(child.Value)
	}
	return parts
}

// isIntrospection reports whether a field asks for the schema. The rules of
// GraphQL bound how lists in it are nested; __typename is a scalar.
func isIntrospection(f *ast.Field) bool { return strings.HasPrefix(f.Name, "__") }
