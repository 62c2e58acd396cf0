package limit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/resolvers/limit"
)

// writer draws documents over batchSchema: some fragments, each of which may
// spread those behind it.
type writer struct {
	*rapid.T
	fragments []string // their types
}

func (w writer) selections(on string, depth, from int) string {
	fields := map[string][]string{
		"Query": {"__typename", "node {Node}", "nodes {Node}", "nodes(first: #) {Node}", "page(first: #) {Page}", "page {Page}", "nodes(first: $n) {Node}", "page(first: $m) {Page}"},
		"Node":  {"id", "tags", "node {Node}", "list {Node}", "nodes(first: #) {Node}", "page(first: #) {Page}", "page(first: $m) {Page}"},
		"Page":  {"__typename", "nodes {Node}", "pageInfo {Info}"},
		"Info":  {"hasNextPage"},
	}[on]
	all := "{"
	for range rapid.IntRange(1, 3).Draw(w.T, "fields") {
		switch kind := rapid.IntRange(0, 9).Draw(w.T, "kind"); {
		case kind == 0 && depth > 0:
			all += " ... " + w.selections(on, depth-1, from)
			continue
		case kind <= 2:
			var fit []int
			for i := from; i < len(w.fragments); i++ {
				if w.fragments[i] == on {
					fit = append(fit, i)
				}
			}
			if len(fit) > 0 {
				all += fmt.Sprintf(" ...f%d", rapid.SampledFrom(fit).Draw(w.T, "fragment"))
				continue
			}
		}
		field := rapid.SampledFrom(fields).Draw(w.T, "field")
		if depth == 0 {
			field = fields[0]
		}
		field, inner, has := strings.Cut(field, " {")
		all += " " + strings.ReplaceAll(field, "#", fmt.Sprint(rapid.IntRange(-1, 300).Draw(w.T, "first")))
		if has {
			all += " " + w.selections(strings.TrimSuffix(inner, "}"), depth-1, from)
		}
	}
	return all + " }"
}

func (w writer) document() string {
	all := "query($n: Int!, $m: Int!) " + w.selections("Query", 4, 0)
	for i, on := range w.fragments {
		all += fmt.Sprintf(" fragment f%d on %s %s", i, on, w.selections(on, 3, i+1))
	}
	return all
}

const full = 1_000_000_000 // where counting ends

// naive counts as the limits are explained, fragment by fragment and list by
// list, again and again.
type naive struct {
	doc       *ast.QueryDocument
	variables map[string]any
}

func (n naive) objects(set ast.SelectionSet, lists, ofPage int) int {
	all := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			all += n.objects(s.SelectionSet, lists, ofPage)
		case *ast.FragmentSpread:
			all += n.objects(s.Definition.SelectionSet, lists, ofPage)
		case *ast.Field:
			if s.SelectionSet == nil {
				continue
			}
			size := 10
			if s.Definition.Arguments.ForName("first") != nil {
				args := s.ArgumentMap(n.variables)
				size = int(max(1, min(args["first"].(int64), 200)))
			} else if s.Definition.Type.Elem != nil {
				size = ofPage
			}
			if s.Definition.Type.Elem != nil {
				many := min(lists*size, full)
				all += many + n.objects(s.SelectionSet, many, 10)
			} else {
				all += lists + n.objects(s.SelectionSet, lists, size)
			}
		}
	}
	return min(all, full)
}

func (n naive) parts(set ast.SelectionSet) int {
	all := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			all += 1 + n.parts(s.SelectionSet)
		case *ast.FragmentSpread:
			all += 1 + n.parts(s.Definition.SelectionSet)
		case *ast.Field:
			all += 1 + len(s.Arguments) + n.parts(s.SelectionSet)
		}
	}
	return all
}

func TestPricesAndPartsAreWhatPlainCountingGives(t *testing.T) {
	generous := limit.Limits{Tokens: 1e9, Parts: 1e9, Depth: 1e9, RootFields: 1e9, Directives: 1e9, Spreads: 1e9}
	rapid.Check(t, func(rt *rapid.T) {
		w := writer{T: rt, fragments: rapid.SliceOfN(rapid.SampledFrom([]string{"Query", "Node", "Page"}), 0, 5).Draw(rt, "fragments")}
		text := w.document()
		doc := parse(t, text)
		core.Walk(batchSchema, doc, &core.Events{})
		variables := map[string]any{"n": rapid.Int64Range(-1, 300).Draw(rt, "n"), "m": rapid.Int64Range(-1, 300).Draw(rt, "m")}
		n := naive{doc, variables}
		want := n.objects(doc.Operations[0].SelectionSet, 1, 10)
		if got := limit.PriceOf(doc.Operations[0]).With(variables).Objects; got != want {
			rt.Errorf("%s, %v: %d objects, want %d", text, variables, got, want)
		}
		parts := 2 + n.parts(doc.Operations[0].SelectionSet)
		for _, f := range doc.Fragments {
			parts += n.parts(f.SelectionSet)
		}
		if got, err := generous.CheckDocument(doc); err != nil || got != parts {
			rt.Errorf("%d parts and %v, want %d", got, err, parts)
		}
	})
}
