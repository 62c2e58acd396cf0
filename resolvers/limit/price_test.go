package limit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers/limit"
)

func TestAnObjectCountsAsOftenAsTheListsAboveItAreLong(t *testing.T) {
	for document, want := range map[string]int{
		`{ __typename }`:             0,
		`{ node { id tags } }`:       1,
		`{ nodes { id } }`:           50,
		`{ nodes(first: 7) { id } }`: 7,
		`{ page(first: 7) { nodes { id } pageInfo { hasNextPage } } }`:                                            1 + 7 + 1,
		`{ page { nodes { id } } }`:                                                                               51,
		`{ page(first: 7) { nodes { id node { id } list { id } } } }`:                                             1 + 7 + 7 + 70,
		`{ page(first: 2) { nodes { page(first: 3) { nodes { id } } } } }`:                                        1 + 2 + 2 + 6,
		`{ nodes(first: 2) { list { list { id } } } }`:                                                            2 + 20 + 200,
		`{ a: node { id } b: node { id } node { id } node { id } }`:                                               4,
		`{ ...f ...f } fragment f on Query { node { id } }`:                                                       2,
		`{ page(first: 3) { ...p } } fragment p on Page { nodes { ...n } } fragment n on Node { id node { id } }`: 1 + 3 + 3,
		`{ ... { nodes(first: 3) { ... on Node { id } } } }`:                                                      3,
		`{ nodes(first: 3) @skip(if: true) { id @include(if: false) } }`:                                          3,
		`{ nodes(first: 201) { id } }`:                                                                            200,
		`{ nodes(first: 0) { id } }`:                                                                              1,
		`{ nodes(first: -5) { id } }`:                                                                             1,
		`{ nodes(first: 2147483647) { id } }`:                                                                     200,
		`{ __schema { types { name } } }`:                                                                         150,
		`{ a: __type(name: "Node") { fields { name } } __type(name: "Page") { name } }`:                           100,
		`mutation { checkOut { list { list { id } } } }`:                                                          50,
	} {
		if got := price(t, batchSchema, document, nil).Objects; got != want {
			t.Errorf("%s: %d objects, want %d", document, got, want)
		}
	}
}

func TestASearchCountsAsFifty(t *testing.T) {
	got := price(t, ours(), `{ searchLicenses(text: "ada") { id plan { code } } }`, nil)
	if want := (limit.Amount{Objects: 100, Work: 60 + 50*(2+1+2+1)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Each of its answers costs as much.
func TestASubscriptionCostsWhatOneEventDoes(t *testing.T) {
	for document, want := range map[string]limit.Amount{
		`subscription { events { id data actor { id } } }`:                             {Objects: 2, Work: 25 + 1 + 40 + 2 + 1},
		`subscription { events { license { id events(first: 7) { nodes { id } } } } }`: {Objects: 1 + 1 + 1 + 7, Work: 25 + 2 + 1 + 150 + 2 + 7*(25+1)},
	} {
		if got := price(t, ours(), document, nil); got != want {
			t.Errorf("%s: %+v, want %+v", document, got, want)
		}
	}
}

func TestVariablesSayHowLongListsAre(t *testing.T) {
	const document = `query($n: Int!, $m: Int!) { nodes(first: $n) { id list { ...f } } ...g }
		fragment f on Node { nodes(first: $m) { id } } fragment g on Query { page(first: $m) { nodes { id } } }`
	p := limit.PriceOf(valid(t, batchSchema, document).Operations[0])
	for _, c := range []struct {
		n, m any
		want int
	}{
		{int64(2), int64(3), 2 + 20 + 60 + 1 + 3},
		{int64(0), int64(-1), 1 + 10 + 10 + 1 + 1},
		{int64(200), int64(200), 200 + 2_000 + 400_000 + 1 + 200},
		{int64(math.MaxInt64), int64(math.MinInt64), 200 + 2_000 + 2_000 + 1 + 1},
		{nil, "nonsense", 50 + 500 + 100_000 + 1 + 200},
	} {
		if got := p.With(map[string]any{"n": c.n, "m": c.m}).Objects; got != c.want {
			t.Errorf("%v, %v: %d objects, want %d", c.n, c.m, got, c.want)
		}
	}
}

// Objects do not count scalars, nor what a list within a list costs.
func TestTheWorkOfAnAnswerIsCounted(t *testing.T) {
	variables := map[string]any{"n": int64(200)}
	for document, want := range map[string]int{
		`{ __typename }`: 1,
		`query($n: Int!) { page(first: $n) { nodes { id tags list { id } } } }`:                                                    60 + 2 + 200*(2+1+1+10*(2+1)),
		`query($n: Int!) { page(first: $n) { nodes {` + numbered(80, " a%d: id") + `} } }`:                                         60 + 2 + 200*(2+80),
		`query($n: Int!) { page(first: $n) { nodes {` + numbered(99, " a%d: id") + `} } }`:                                         60 + 2 + 200*(2+99),
		`query($n: Int!) { page(first: $n) { nodes { page(first: 1) { nodes { id } } } } }`:                                        60 + 2 + 200*(2+60+2+2+1),
		`query($n: Int!) { nodes(first: $n) { ...f } } fragment f on Node { node { list { page { pageInfo { hasNextPage } } } } }`: 60 + 200*(2+2+10*(2+60+2+2+1)),
		`query($n: Int!) { nodes(first: $n) { nodes(first: 1) { id } page(first: 1) { __typename } } }`:                            60 + 200*(2+60+2+1+60+2+1),
	} {
		p := limit.PriceOf(valid(t, batchSchema, document).Operations[0])
		if got := p.With(variables).Work; got != want {
			t.Errorf("%s: %d, want %d", document, got, want)
		}
		if err := staff.CheckPrice(p, variables); (err != nil) != (want > 18_000) {
			t.Errorf("%s: %v", document, err)
		}
	}
	many := `mutation($l: [IssueLicenseInput!]!) { issueLicenses(input: {licenses: $l}) { results { key license { page(first: 1) { nodes { id } } } } } }`
	p := limit.PriceOf(valid(t, batchSchema, many).Operations[0])
	if got := p.With(map[string]any{"l": make([]any, 1_000)}); got != (limit.Amount{Objects: 5_000, Work: 1_000 * 35}) {
		t.Errorf("%+v", got)
	}
}

func TestPricesSaturate(t *testing.T) {
	document := "{ " + strings.Repeat("nodes(first: 200) { ", 40) + "id" + strings.Repeat(" }", 40) + " }"
	full := limit.Amount{Objects: 1_000_000_000, Work: 1_000_000_000}
	if got := price(t, batchSchema, document, nil); got != full {
		t.Errorf("%+v", got)
	}
	document = "query($n: Int!) " + strings.ReplaceAll(document, "200", "$n")
	if got := price(t, batchSchema, document, map[string]any{"n": int64(200)}); got != full {
		t.Errorf("with variables: %+v", got)
	}
}

// 1,000 licenses at once, with the usual selections, are what the limit of
// objects was made for.
func TestAWholeBatchOfLicensesMayBeIssued(t *testing.T) {
	const usual = `results { key license { id tags node { id tags node { id } } } } issued first { id }`
	licenses := func(n int) []any {
		all := make([]any, n)
		for i := range all {
			all[i] = map[string]any{"plan": "acme/pro"}
		}
		return all
	}
	for document, variables := range map[string]func(n int) map[string]any{
		`mutation($in: IssueLicensesInput!) { issueLicenses(input: $in) { ` + usual + ` } }`: func(n int) map[string]any {
			return map[string]any{"in": map[string]any{"licenses": licenses(n)}}
		},
		`mutation($l: [IssueLicenseInput!]!) { issueLicenses(input: {licenses: $l}) { ` + usual + ` } }`: func(n int) map[string]any {
			return map[string]any{"l": licenses(n)}
		},
		`mutation($l: [IssueLicenseInput!]!) { issueLicenses(input: {licenses: $l}) { issued } }`: func(n int) map[string]any {
			return map[string]any{"l": licenses(n)}
		},
	} {
		p := limit.PriceOf(valid(t, batchSchema, document).Operations[0])
		for n, want := range map[int]int{1: 5, 7: 35, 1_000: 5_000, 1_001: 5_000} {
			if got := p.With(variables(n)).Objects; got != want {
				t.Errorf("%s: %d licenses are %d objects, want %d", document, n, got, want)
			}
		}
		if err := staff.CheckPrice(p, variables(1_000)); err != nil {
			t.Error(err)
		}
		if err := anyone.CheckPrice(p, variables(41)); err == nil {
			t.Error("41 licenses are let through without a credential")
		}
	}
	literal := `mutation { issueLicenses(input: {licenses: [` + strings.Repeat(`{plan: "x"} `, 12) + `]}) { issued } }`
	if got := price(t, batchSchema, literal, nil).Objects; got != 60 {
		t.Errorf("12 licenses in the document are %d objects", got)
	}
	one := `mutation { issueLicenses(input: {licenses: {plan: "x"}}) { issued } }`
	if got := price(t, batchSchema, one, nil).Objects; got != 5 {
		t.Errorf("one license that is no list is %d objects", got)
	}
	twice := `mutation($l: [IssueLicenseInput!]!) { a: issueLicenses(input: {licenses: $l}) { issued } b: issueLicenses(input: {licenses: $l}) { issued } }`
	p := limit.PriceOf(valid(t, batchSchema, twice).Operations[0])
	if err := staff.CheckPrice(p, map[string]any{"l": licenses(501)}); err == nil {
		t.Error("1,002 licenses in two batches are let through")
	}
}

func TestWhatAnyoneMayCallWeighsFifty(t *testing.T) {
	schema := ours()
	for field, rest := range map[string]string{
		"query { %s: validate":      `(input: {key: "x"}) { code license { entitlements { code } } reasons { code } } `,
		"mutation { %s: activate":   `(input: {key: "x"}) { created validation { license { entitlements { code } } } } `,
		"mutation { %s: heartbeat":  `(input: {key: "x"}) { leaseUntil } `,
		"mutation { %s: deactivate": `(input: {key: "x"}) { removed } `,
	} {
		operation, call, _ := strings.Cut(field, " { ")
		times := func(n int) string {
			all := operation + " {"
			for i := range n {
				all += " " + fmt.Sprintf(call, fmt.Sprint("a", i)) + rest
			}
			return all + "}"
		}
		four := limit.PriceOf(valid(t, schema, times(4)).Operations[0])
		if objects := four.With(nil).Objects; objects != 200 || anyone.CheckPrice(four, nil) != nil {
			t.Errorf("4 times %s: %d objects, %v", call, objects, anyone.CheckPrice(four, nil))
		}
		five := limit.PriceOf(valid(t, schema, times(5)).Operations[0])
		err := anyone.CheckPrice(five, nil)
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "250 are asked for, at most 200 are allowed") {
			t.Errorf("5 times %s: %v", call, err)
		}
	}
}
