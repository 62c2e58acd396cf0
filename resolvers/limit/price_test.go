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
	for document, want := range map[string][2]int{ // objects, values
		`{ __typename }`:             {0, 1},
		`{ node { id tags } }`:       {1, 2},
		`{ nodes { id } }`:           {50, 50},
		`{ nodes(first: 7) { id } }`: {7, 7},
		`{ page(first: 7) { nodes { id } pageInfo { hasNextPage } } }`:                                            {1 + 7 + 1, 8},
		`{ page { nodes { id } } }`:                                                                               {51, 50},
		`{ page(first: 7) { nodes { id node { id } list { id } } } }`:                                             {1 + 7 + 7 + 70, 7 + 7 + 70},
		`{ page(first: 2) { nodes { page(first: 3) { nodes { id } } } } }`:                                        {1 + 2 + 2 + 6, 6},
		`{ nodes(first: 2) { list { list { id } } } }`:                                                            {2 + 20 + 200, 200},
		`{ a: node { id } b: node { id } node { id } node { id } }`:                                               {4, 4},
		`{ ...f ...f } fragment f on Query { node { id } }`:                                                       {2, 2},
		`{ page(first: 3) { ...p } } fragment p on Page { nodes { ...n } } fragment n on Node { id node { id } }`: {1 + 3 + 3, 6},
		`{ ... { nodes(first: 3) { ... on Node { id } } } }`:                                                      {3, 3},
		`{ nodes(first: 3) @skip(if: true) { id @include(if: false) } }`:                                          {3, 3},
		`{ nodes(first: 201) { id } }`:                                                                            {200, 200},
		`{ nodes(first: 0) { id } }`:                                                                              {1, 1},
		`{ nodes(first: -5) { id } }`:                                                                             {1, 1},
		`{ nodes(first: 2147483647) { id } }`:                                                                     {200, 200},
		`{ __schema { types { name } } }`:                                                                         {150, 0},
		`{ a: __type(name: "Node") { fields { name } } __type(name: "Page") { name } }`:                           {100, 0},
		`mutation { checkOut { list { list { id } } } }`:                                                          {50, 100},
	} {
		if objects, values := price(t, batchSchema, document, nil); [2]int{objects, values} != want {
			t.Errorf("%s: %d objects and %d values, want %v", document, objects, values, want)
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
		if objects, _ := p.With(map[string]any{"n": c.n, "m": c.m}); objects != c.want {
			t.Errorf("%v, %v: %d objects, want %d", c.n, c.m, objects, c.want)
		}
	}
}

func TestPricesSaturate(t *testing.T) {
	document := "{ " + strings.Repeat("nodes(first: 200) { ", 40) + "id" + strings.Repeat(" }", 40) + " }"
	if objects, values := price(t, batchSchema, document, nil); objects != 1_000_000_000 || values != 1_000_000_000 {
		t.Errorf("%d objects, %d values", objects, values)
	}
	document = "query($n: Int!) " + strings.ReplaceAll(document, "200", "$n")
	if objects, _ := price(t, batchSchema, document, map[string]any{"n": int64(200)}); objects != 1_000_000_000 {
		t.Errorf("with variables: %d objects", objects)
	}
}

// 1,000 licenses at once, with the usual selections, are what the limit of
// objects was made for.
func TestAWholeBatchOfLicensesMayBeIssued(t *testing.T) {
	const usual = `results { key license { id node { id list { id tags } } list { id } } } issued first { id }`
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
			if objects, _ := p.With(variables(n)); objects != want {
				t.Errorf("%s: %d licenses are %d objects, want %d", document, n, objects, want)
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
	if objects, _ := price(t, batchSchema, literal, nil); objects != 60 {
		t.Errorf("12 licenses in the document are %d objects", objects)
	}
	one := `mutation { issueLicenses(input: {licenses: {plan: "x"}}) { issued } }`
	if objects, _ := price(t, batchSchema, one, nil); objects != 5 {
		t.Errorf("one license that is no list is %d objects", objects)
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
		if objects, _ := four.With(nil); objects != 200 || anyone.CheckPrice(four, nil) != nil {
			t.Errorf("4 times %s: %d objects, %v", call, objects, anyone.CheckPrice(four, nil))
		}
		five := limit.PriceOf(valid(t, schema, times(5)).Operations[0])
		err := anyone.CheckPrice(five, nil)
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "250 are asked for, at most 200 are allowed") {
			t.Errorf("5 times %s: %v", call, err)
		}
	}
}
