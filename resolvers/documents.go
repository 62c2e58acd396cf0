package resolvers

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/limit"
)

// The bounds of what is remembered of documents, in bytes.
const (
	staffDocuments  = 12 << 20
	anyoneDocuments = 4 << 20
	maxDocument     = 16 << 10 // of text
	bytesOfPart     = 400      // of the tree: what a field, an argument or a variable takes, or less
)

// document is one that was parsed and found good.
type document struct {
	*ast.QueryDocument
	prices map[*ast.OperationDefinition]limit.Price
}

// documents parses documents, judges them, and remembers those that were found
// good: callers without a credential and those with one have each a share, by
// their limits. One with a value written into a field that is @public, or under
// the name key, is not remembered: the value is a key as a rule, and the
// document not asked again.
type documents struct {
	schema        *ast.Schema
	rules         []core.Rule
	public        map[string]bool // the root fields
	staff, anyone *limit.Cache[*document]
}

func newDocuments(schema *ast.Schema, public map[string]bool) documents {
	return documents{
		schema: schema, rules: documentRules(), public: public,
		staff: limit.NewCache[*document](staffDocuments), anyone: limit.NewCache[*document](anyoneDocuments),
	}
}

// open gives what is to be known of a document's text. The errors are for
// whoever sent it. What costs more than the document is long comes after the
// limits.
func (d documents) open(who actor.Actor, text string) (*document, gqlerror.List) {
	share := d.staff
	if who.Nobody() {
		share = d.anyone
	}
	if known, ok := share.Get(text); ok {
		return known, nil
	}
	limits := limit.Of(who)
	if err := limits.CheckText(text); err != nil {
		return nil, gqlerror.List{refused(err.Error(), "")}
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, limits.Tokens)
	if err != nil {
		return nil, gqlerror.List{unparsed(limits, err)}
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{refused("the document has no operation", "")}
	}
	parts, err := limits.CheckDocument(doc)
	if err != nil {
		return nil, gqlerror.List{refused(err.Error(), "")}
	}
	if errs := d.validate(doc); len(errs) > 0 {
		return nil, errs
	}
	opened := &document{QueryDocument: doc, prices: map[*ast.OperationDefinition]limit.Price{}}
	for _, o := range doc.Operations {
		opened.prices[o] = limit.PriceOf(o)
	}
	if len(text) <= maxDocument && !d.holdsKey(doc) {
		share.Add(text, opened, len(text)+parts*bytesOfPart)
	}
	return opened, nil
}

// validate holds a document to the rules. Errors beyond those that are told
// are not made.
func (d documents) validate(doc *ast.QueryDocument) (errs gqlerror.List) {
	events := &core.Events{}
	for _, rule := range d.rules {
		rule.RuleFunc(events, func(options ...core.ErrorOption) {
			if len(errs) == maxErrors {
				return
			}
			err := &gqlerror.Error{}
			for _, option := range options {
				option(err)
			}
			field, _ := err.Extensions["field"].(string)
			errs = append(errs, refused(err.Message, field, err.Locations...))
		})
	}
	core.Walk(d.schema, doc, events)
	return errs
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
