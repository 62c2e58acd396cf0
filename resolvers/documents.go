package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
)

// The bounds of what is remembered of documents: together 16 MiB of text.
const (
	maxDocuments = 1_000
	maxDocument  = 16 << 10
)

// documents remembers documents that were parsed and found good. One with a
// value written into a field that is @public, or under the name key, is not
// remembered: the value is a key as a rule, and the document not asked again.
type documents struct {
	graphql.Cache[*ast.QueryDocument]
	public map[string]bool // the root fields
}

func newDocuments(public map[string]bool) documents {
	return documents{Cache: lru.New[*ast.QueryDocument](maxDocuments), public: public}
}

// Add implements graphql.Cache.
func (d documents) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	if len(text) > maxDocument || d.holdsKey(doc) {
		return
	}
	d.Cache.Add(ctx, text, doc)
}

// holdsKey reports whether a key may be written into the document.
func (d documents) holdsKey(doc *ast.QueryDocument) bool {
	for _, o := range doc.Operations {
		for _, v := range o.VariableDefinitions {
			if v.DefaultValue != nil {
				return true
			}
		}
		if d.writtenInto(o.SelectionSet) {
			return true
		}
	}
	for _, f := range doc.Fragments {
		if d.writtenInto(f.SelectionSet) {
			return true
		}
	}
	return false
}

// writtenInto reports whether a text is written into a public field among the
// selections, or under the name key into any.
func (d documents) writtenInto(selections ast.SelectionSet) bool {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			for _, argument := range s.Arguments {
				if isWritten(argument.Value, d.public[s.Name] || argument.Name == "key") {
					return true
				}
			}
		case *ast.InlineFragment:
			if d.writtenInto(s.SelectionSet) {
				return true
			}
		}
	}
	return false
}

// isWritten reports whether a text stands in the value, at all if it is
// secret and else under the name key.
func isWritten(v *ast.Value, secret bool) bool {
	if v.Kind == ast.StringValue || v.Kind == ast.BlockValue {
		return secret
	}
	for _, child := range v.Children {
		if isWritten(child.Value, secret || child.Name == "key") {
			return true
		}
	}
	return false
}
