package limit

import (
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/page"
)

const (
	elements   = 10 // of a list whose size is not asked for
	batch      = 5  // objects that one license of issueLicenses weighs, with all beneath
	batchField = "issueLicenses"
	maxBatch   = 1_000 // more are refused by issueLicenses itself
)

// What a root field weighs in objects, with all beneath.
var weights = map[string]int{
	"validate": 50, "activate": 50, "deactivate": 50, "heartbeat": 50, "checkOut": 50,
	"__schema": 150, "__type": 50,
}

// Amount is what an answer takes: its objects, and the work of making it.
type Amount struct{ Objects, Work int }

// What the parts of an answer weigh in work: about a microsecond each. A list
// that has a first is a question to storage. What is told of a license that is
// issued in a batch is little beside issuing it, and counts half. Before events
// are listed the log is read to its end; each is decoded, and its data are
// made anew, since they are shown as the record is now.
const (
	workOfValue  = 1
	workOfObject = 2
	workOfList   = 60
	workOfEvents = 150
	workOfEvent  = 25
	workOfData   = 40
)

func workOf(f *ast.Field) int {
	switch {
	case f.Definition.Type.Name() == "Event":
		return workOfEvent
	case len(f.SelectionSet) > 0:
		return workOfObject
	case f.ObjectDefinition.Name == "Event" && f.Name == "data":
		return workOfData
	}
	return workOfValue
}

func (a Amount) plus(b Amount) Amount {
	return Amount{plus(a.Objects, b.Objects), plus(a.Work, b.Work)}
}

func (a Amount) times(n int) Amount { return Amount{times(a.Objects, n), times(a.Work, n)} }

// lengths are those of lists without a first that may be longer than most.
var lengths = map[string]int{"searchLicenses": 50}

// Price is what an operation costs: all that is in its answer, where a list
// counts as many as its first asks for, or that of the connection it stands
// in, or else 10. @skip and @include take nothing off. The zero Price is
// nothing. It is reckoned once for a document; what the variables of a request
// say comes on top.
type Price struct {
	fixed Amount
	lists []priced
}

// priced is a list whose size a variable gives.
type priced struct {
	size func(variables map[string]any) int
	each Price
}

// PriceOf gives the price of an operation of a document that is valid.
func PriceOf(o *ast.OperationDefinition) Price {
	p := pricing{done: map[*ast.FragmentDefinition]selected{}}
	return p.selections(o.SelectionSet).times(literal(elements))
}

// CheckPrice fails with InvalidInput if an operation costs more than the
// limits, with these variables, which are of their types.
func (l Limits) CheckPrice(p Price, variables map[string]any) error {
	asked := p.With(variables)
	return first(
		check("objects of the answer, by the sizes of its lists", asked.Objects, l.Objects),
		check("work of the answer, which is 1 for a value, 2 for an object, 25 for an event, 40 for its data, 60 for a page and 150 for one of events, by the sizes of lists", asked.Work, l.Work),
	)
}

// With gives what a price comes to.
func (p Price) With(variables map[string]any) Amount {
	all := p.fixed
	for _, one := range p.lists {
		all = all.plus(one.each.With(variables).times(one.size(variables)))
	}
	return all
}

// add adds q to p, whose lists are nobody else's.
func (p *Price) add(q Price) {
	p.fixed = p.fixed.plus(q.fixed)
	p.lists = append(p.lists, q.lists...)
}

func sum(prices ...Price) (all Price) {
	for _, p := range prices {
		all.add(p)
	}
	return all
}

// weighing gives p with so many objects, whatever is in it.
func (p Price) weighing(objects int) Price {
	q := Price{fixed: Amount{objects, p.fixed.Work}}
	for _, one := range p.lists {
		q.lists = append(q.lists, priced{one.size, one.each.weighing(0)})
	}
	return q
}

// halved gives p with half its work.
func (p Price) halved() Price {
	q := Price{fixed: Amount{p.fixed.Objects, (p.fixed.Work + 1) / 2}}
	for _, one := range p.lists {
		q.lists = append(q.lists, priced{one.size, one.each.halved()})
	}
	return q
}

// multiplier is a list's size: a number, or what a variable says.
type multiplier struct {
	number   int
	variable func(variables map[string]any) int
}

func literal(n int) multiplier { return multiplier{number: n} }

func (p Price) times(m multiplier) Price {
	if p.fixed == (Amount{}) && len(p.lists) == 0 {
		return p
	}
	if m.variable != nil {
		return Price{lists: []priced{{m.variable, p}}}
	}
	q := Price{fixed: p.fixed.times(m.number)}
	for _, one := range p.lists {
		q.lists = append(q.lists, priced{one.size, one.each.times(m)})
	}
	return q
}

// selected is the price of some selections: of what is there once, and of one
// element of the lists that have no size of their own.
type selected struct{ once, each Price }

func (s *selected) add(t selected) {
	s.once.add(t.once)
	s.each.add(t.each)
}

func (s selected) times(m multiplier) Price { return sum(s.once, s.each.times(m)) }

// pricing reckons each fragment once.
type pricing struct {
	done map[*ast.FragmentDefinition]selected
}

func (p pricing) selections(set ast.SelectionSet) (all selected) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			all.add(p.field(s))
		case *ast.InlineFragment:
			all.add(p.selections(s.SelectionSet))
		case *ast.FragmentSpread:
			known, ok := p.done[s.Definition]
			if !ok {
				known = p.selections(s.Definition.SelectionSet)
				p.done[s.Definition] = known
			}
			all.add(known)
		}
	}
	return all
}

func (p pricing) field(f *ast.Field) selected {
	if len(f.SelectionSet) == 0 {
		return selected{once: Price{fixed: Amount{Work: workOf(f)}}}
	}
	if isIntrospection(f) {
		return selected{once: Price{fixed: Amount{Objects: weights[f.Name]}}}
	}
	inner := p.selections(f.SelectionSet)
	if f.Name == batchField {
		return selected{once: sum(inner.once.weighing(0), inner.each.halved().weighing(batch).times(batchOf(f)))}
	}
	size, sized := sizeOf(f)
	one, asked := Price{fixed: Amount{1, workOf(f)}}, Price{}
	if sized {
		asked.fixed.Work = workOfList
		if f.Definition.Type.Name() == "EventConnection" {
			asked.fixed.Work = workOfEvents
		}
	}
	switch isList := f.Definition.Type.Elem != nil; {
	case isList && sized:
		return selected{once: sum(asked, sum(one, inner.times(literal(elements))).times(size))}
	case isList:
		return selected{each: sum(one, inner.times(literal(elements)))}
	}
	whole := sum(one, asked, inner.times(size))
	if weight, ok := weights[f.Name]; ok {
		whole = whole.weighing(weight)
	}
	return selected{once: whole}
}

// sizeOf gives the size of a field's list, and whether the field says it.
func sizeOf(f *ast.Field) (multiplier, bool) {
	argument := f.Definition.Arguments.ForName("first")
	if length, ok := lengths[f.Name]; ok {
		return literal(length), true
	}
	if argument == nil {
		return literal(elements), false
	}
	standard := sizeIn(argument.DefaultValue, nil, elements)
	given := f.Arguments.ForName("first")
	switch {
	case given == nil:
		return literal(standard), true
	case given.Value.Kind == ast.Variable:
		return multiplier{variable: func(variables map[string]any) int { return sizeIn(given.Value, variables, standard) }}, true
	}
	return literal(sizeIn(given.Value, nil, standard)), true
}

// sizeIn reads a first. One that is out of bounds is refused when the list is
// made.
func sizeIn(v *ast.Value, variables map[string]any, standard int) int {
	if v == nil {
		return standard
	}
	n := int64(page.MaxFirst)
	switch v.Kind {
	case ast.IntValue:
		if read, err := strconv.ParseInt(v.Raw, 10, 64); err == nil {
			n = read
		}
	case ast.Variable:
		switch given := variables[v.Raw].(type) {
		case nil:
			n = int64(standard)
		case int64:
			n = given
		case int:
			n = int64(given)
		case json.Number:
			if read, err := given.Int64(); err == nil {
				n = read
			}
		}
	}
	return int(max(1, min(n, page.MaxFirst)))
}

// batchOf gives how many licenses an issueLicenses makes.
func batchOf(f *ast.Field) multiplier {
	input := f.Arguments.ForName("input")
	if input == nil {
		return literal(maxBatch)
	}
	return multiplier{variable: func(variables map[string]any) int {
		return max(1, min(licensesIn(input.Value, variables), maxBatch))
	}}
}

func licensesIn(input *ast.Value, variables map[string]any) int {
	if input.Kind == ast.Variable {
		members, _ := variables[input.Raw].(map[string]any)
		return count(members["licenses"])
	}
	licenses := input.Children.ForName("licenses")
	switch {
	case licenses == nil:
		return 0
	case licenses.Kind == ast.Variable:
		return count(variables[licenses.Raw])
	}
	return len(licenses.Children)
}

// count gives the length of a list; one value stands for a list of it.
func count(list any) int {
	if many, ok := list.([]any); ok {
		return len(many)
	}
	return 1
}
