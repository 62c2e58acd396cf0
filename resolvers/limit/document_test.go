package limit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers/limit"
)

func nested(n int) string { return strings.Repeat("{ a ", n) + strings.Repeat("}", n) }

func numbered(n int, format string) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, format, i)
	}
	return all.String()
}

// doubling is fragments that spread the next one twice each.
func doubling(n int) string {
	all := "{ x { ...f0 } } "
	for i := range n {
		all += fmt.Sprintf("fragment f%d on T { x { ...f%d ...f%[2]d } } ", i, i+1)
	}
	return all + fmt.Sprintf("fragment f%d on T { a } ", n)
}

func TestADocumentMayReachEachLimitAndNoMore(t *testing.T) {
	name := strings.Repeat("n", 100)
	for what, c := range map[string]struct {
		good, bad string
		says      string
	}{
		"depth":             {nested(12), nested(13), "levels of fields in the document: 13 are asked for, at most 12 are allowed"},
		"depth by fragment": {"{ a { ...f } } fragment f on T " + nested(11), "{ a { ...f } } fragment f on T " + nested(12), "levels of fields in the document: 13"},
		"inline fragments": {"{ a " + strings.Repeat("{ ... ", 20) + nested(11) + strings.Repeat("}", 20) + "}",
			"{ a " + strings.Repeat("{ ... ", 20) + nested(12) + strings.Repeat("}", 20) + "}", "levels of fields in the document: 13"},
		"introspection": {"{ __schema " + nested(40) + "}", "{ a { __schema " + nested(40) + "} " + "b " + nested(13) + "}", "levels of fields in the document: 14"},
		"root fields":   {"{" + numbered(20, " a%d") + "}", "{" + numbered(21, " a%d") + "}", "fields of an operation: 21 are asked for, at most 20"},
		"root fields in fragments": {"{ ...f ... {" + numbered(10, " a%d") + "} } fragment f on T {" + numbered(10, " b%d") + "}",
			"{ ...f ...f x } fragment f on T {" + numbered(10, " b%d") + "}", "fields of an operation: 21"},
		"of any operation":   {"query a { a } query b {" + numbered(20, " a%d") + "}", "query a { a } query b {" + numbered(21, " a%d") + "}", "fields of an operation: 21"},
		"directives":         {"{ a " + strings.Repeat("@x ", 50) + "}", "{ a " + strings.Repeat("@x ", 51) + "}", "directives of the document: 51 are asked for, at most 50"},
		"of everything":      {"query($v: T @x) @x { a @x ... @x { a } ...f @x } fragment f on T @x { a }", "query($v: T" + strings.Repeat(" @x", 50) + ") { a @x }", "directives of the document: 51"},
		"spreads":            {"{ a {" + strings.Repeat(" ...f", 50) + "} } fragment f on T { a }", "{ a {" + strings.Repeat(" ...f", 51) + "} } fragment f on T { a }", "fragment spreads of the document: 51 are asked for, at most 50"},
		"unknown fragments":  {"{ ...f }", "{" + strings.Repeat(" ...f", 51) + "}", "fragment spreads of the document: 51"},
		"names":              {"{ " + name + " }", "{ " + name + "n }", "bytes of a name in the document: 101 are asked for, at most 100"},
		"names of all kinds": {"{ a }", "query($" + name + "n: T) { a }", "bytes of a name in the document: 101"},
		"a circle":           {"{ ...f } fragment f on T { a }", "{ ...f } fragment f on T { a { ...g } } fragment g on T { ...f }", "is spread within itself"},
		"a fragment bomb":    {doubling(3), doubling(22), "levels of fields in the document: 24"},
		"the parts": {"{ a { ...f ...f } } fragment f on T { b(c: [" + strings.Repeat("1 ", 3000) + "]) }",
			"{ a { ...f ...f ...f } } fragment f on T { b(c: [" + strings.Repeat("1 ", 3000) + "]) }",
			"parts of the document, its fragments written out: 12012 are asked for, at most 10000"},
	} {
		if _, err := staff.CheckDocument(parse(t, c.good)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		_, err := staff.CheckDocument(parse(t, c.bad))
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", what, err, c.says)
		}
	}
}

func TestCountingSaturates(t *testing.T) {
	wide := "{ a { ...f0 } } "
	for i := range 400 {
		wide += fmt.Sprintf("fragment f%d on T { ...f%d ...f%[2]d } ", i, i+1)
	}
	generous := limit.Limits{Spreads: 1_000, Depth: 1_000, RootFields: 20, Parts: 5_000}
	_, err := generous.CheckDocument(parse(t, wide+"fragment f400 on T { a }"))
	if err == nil || !strings.Contains(err.Error(), "more than 999999999 are asked for, at most 5000 are allowed") {
		t.Error(err)
	}
}

func TestAnonymousCallersMayAskForLess(t *testing.T) {
	if anyone.Tokens != 600 || staff.Tokens != 5_000 || anyone.Objects != 200 || staff.Objects != 5_000 {
		t.Errorf("%+v and %+v", anyone, staff)
	}
	doc := parse(t, "{ a(b: ["+strings.Repeat("1 ", 1300)+"]) }")
	if _, err := staff.CheckDocument(doc); err != nil {
		t.Error(err)
	}
	if _, err := anyone.CheckDocument(doc); err == nil {
		t.Error("a document of 1,302 parts is let through")
	}
}

// The work of counting does not double with each fragment.
func TestCountingIsLinear(t *testing.T) {
	steps := func(n int) float64 {
		doc := parse(t, doubling(n))
		return testing.AllocsPerRun(10, func() { _, _ = staff.CheckDocument(doc) })
	}
	if few, many := steps(10), steps(100); many > 12*few {
		t.Errorf("%v allocations for 10 fragments, %v for 100", few, many)
	}
}
