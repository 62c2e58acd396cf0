package main

import (
	"fmt"
	"strconv"
	"strings"
)

// sizes are how large a request of some caller may be.
type sizes struct{ tokens, bytes, text, values int }

// many joins what is made of 0 to n-1.
func many(n int, one func(i int) string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(one(i))
	}
	return all.String()
}

func numbered(n int, format string) string {
	return many(n, func(i int) string { return fmt.Sprintf(format, i) })
}

// longName ends in a number, so that names differ in their last bytes alone.
func longName(i int) string { return strings.Repeat("v", 90) + fmt.Sprintf("%06d", i) }

// documents spend a caller's tokens in each way that we could think of.
func (s sizes) documents() []bad {
	t := s.tokens - 20
	const (
		spreads = 48
		texts   = `"x" `
	)
	validate := func(entitlements string) string {
		return `query q` + "\x00" + ` { validate(input: {key: "x", entitlements: ` + entitlements + `}) { code } }`
	}
	chain := func(n int, each, last string) string {
		return `query q` + "\x00" + ` { ...f0 } ` + many(n, func(i int) string {
			return fmt.Sprintf("fragment f%d on Query { %s ...f%d } ", i, each, i+1)
		}) + fmt.Sprintf("fragment f%d on Query { %s } ", n, last)
	}
	two := func(fields int) string {
		plan := `plan(id: "x") {` + numbered(min(95, fields), " a%d: id") + `}`
		return "a: " + plan + " b: " + plan
	}
	uses := t/3 - 30
	return []bad{
		{name: "one field again and again", document: `query q` + "\x00" + ` {` + strings.Repeat(" __typename", t) + `}`},
		{name: "as many fields as a selection may have", document: `query q` + "\x00" + ` { p: plan(id: "x/y") {` + numbered(min(99, t/3), " a%d: id") + `} }`},
		{name: "20 objects of 80 fields", document: `query q` + "\x00" + ` {` + many(min(20, t/250), func(i int) string {
			return fmt.Sprintf(` p%d: plan(id: "x/y") {`, i) + numbered(80, " a%d: id") + `}`
		}) + `}`},
		{name: "fields merged over and over", document: `query q` + "\x00" + ` {` + strings.Repeat(` plan(id: "x") { product { plans { nodes { id } } } }`, min(t/20, 20)) + `}`},
		{name: "objects within objects", document: `query q` + "\x00" + ` {` + many(min(t/50, 20), func(i int) string {
			return fmt.Sprintf(` a%d: product(id: "x") { plans { nodes { product { plans { nodes { product { code } } } } } } }`, i)
		}) + `}`},
		{name: "fragments, each spread twice", document: `query q` + "\x00" + ` { ...f0 } ` + many(22, func(i int) string {
			return fmt.Sprintf("fragment f%d on Query { ...f%d ...f%[2]d } ", i, i+1)
		}) + `fragment f22 on Query { __typename }`},
		{name: "a chain of fragments, the last one large", document: chain(min(spreads-4, t/60), "", two(t/8))},
		{name: "fragments spread in many operations", document: many(min(spreads-4, t/80), func(i int) string {
			return fmt.Sprintf("query q%d%s { ...f } ", i, "\x00")
		}) + `fragment f on Query { ` + two(t/8) + ` }`},
		{name: "operations", document: numbered(t/5, "query q"+"\x00"+"x%d { __typename } ")},
		{name: "fragments that are not used", document: `query q` + "\x00" + ` { __typename } ` + numbered(t/7, "fragment f%d on Query { __typename } ")},
		{name: "inline fragments within each other", document: `query q` + "\x00" + ` {` + strings.Repeat(" ... {", t/4) + numbered(t/12, " a%d: __typename") + strings.Repeat("}", t/4+1)},
		{name: "unknown fields", document: `query q` + "\x00" + ` {` + numbered(t, " a%d") + `}`},
		{name: "unknown arguments", document: `query q` + "\x00" + ` { validate(` + numbered(t/3-3, " a%d: 1") + `) { code } }`},
		{name: "unknown directives", document: `query q` + "\x00" + ` { __typename` + numbered(50, " @a%d") + `}`},
		{name: "directives beyond the limit", document: `query q` + "\x00" + ` { __typename` + numbered(t/2, " @a%d") + `}`},
		{name: "variables with long names", document: `query q` + "\x00" + `(` + many(t/3/6, func(i int) string { return "$" + longName(i) + ": String! " }) + `) { validate(input: {key: "x", entitlements: [` +
			many(uses, func(i int) string { return "$" + longName(i%(t/3/6)) + " " }) + `]}) { code } }`, variables: "{}"},
		{name: "unknown variables", document: validate(`[` + numbered(t/2-12, "$a%d ") + `]`)},
		{name: "lists within lists", document: validate(strings.Repeat("[", t/2-8) + strings.Repeat("]", t/2-8))},
		{name: "objects within objects in a value", document: validate(strings.Repeat("{a: ", t/4-8) + "1" + strings.Repeat("}", t/4-8))},
		{name: "a long list of texts", document: validate("[" + strings.Repeat(texts, t-15) + "]")},
		{name: "a long list of wrong values", document: validate("[" + strings.Repeat("1 ", t-15) + "]")},
		{name: "an object of many unknown fields", document: validate("{" + numbered(t/3-10, "a%d: 1 ") + "}")},
		{name: "an object with one field many times", document: validate("{" + strings.Repeat("a: 1 ", t/3-10) + "}")},
		{name: "types within types", document: `query q` + "\x00" + `($a: ` + strings.Repeat("[", t/2-10) + "ID" + strings.Repeat("]", t/2-10) + `) { product(id: $a) { id } }`},
		{name: "comments", document: `query q` + "\x00" + ` { __typename }` + strings.Repeat("#\n", t)},
		{name: "tokens beyond the limit", document: `query q` + "\x00" + ` {` + strings.Repeat(" a", s.bytes/2-50) + `}`},
		{name: "the whole schema", document: fmt.Sprintf(schemaQuery, "\x00")},
		{name: "the schema's fields' types' fields", document: `query q` + "\x00" + ` { __schema { types { name kind description fields { name description type { name kind description fields { name description isDeprecated type { name ofType { name } } args { name } } enumValues { name description } inputFields { name } } args { name description type { name fields { name } } } } } } }`},
		{name: "the schema under many names", document: `query q` + "\x00" + ` { __schema { types { fields {` + numbered(min(99, t/4), " a%d: name") + `} } } }`},
		{name: "as many types as may be asked for", document: `query q` + "\x00" + ` {` + many(min(20, s.tokens/150), func(i int) string {
			return fmt.Sprintf(` t%d: __type(name: "License") { fields { name description type { name fields { name description args { name } type { name kind } } } args { name } } }`, i)
		}) + `}`},
		{name: "all that validate answers, 4 times", document: `query q` + "\x00" + ` {` + many(4, func(i int) string {
			return fmt.Sprintf(` v%d: validate(input: {key: "BENCH-%d"}) { valid code reasons { code message blocking subject limit actual until } license { id productCode planCode startsAt expiresAt graceUntil entitlements { code value expiresAt } machineCount maxMachines domainCount maxDomains } activation { id kind name } at asOf stale refreshAt goodUntil }`, i, i)
		}) + `}`},
	}
}

// bodies spend a caller's bytes, and the values that they may hold.
func (s sizes) bodies() []bad {
	text, bytes, values := s.text-1_000, s.bytes-2_000, s.values-20
	const plain = `query q` + "\x00" + `($input: ValidateInput!) { validate(input: $input) { code } }`
	withInput := func(name, input string) bad {
		return bad{name: name, document: plain, variables: `{"input":` + input + `}`, data: true}
	}
	withKey := func(name, value string) bad {
		return bad{name: name, document: `query q` + "\x00" + ` { validate(input: {key: ` + value + `}) { code } }`}
	}
	wide := strings.Repeat("x", (bytes-4*values)/values)
	return []bad{
		withKey("a long text", `"`+strings.Repeat("x", text)+`"`),
		withKey("a text of escapes", `"`+strings.Repeat(`\n`, text/4)+`"`),
		withKey("a block of lines", `"""`+strings.Repeat("\n x", text/4)+`"""`),
		{name: "white space", document: `query q` + "\x00" + ` { __typename }` + strings.Repeat(" ", text)},
		{name: "lines", document: `query q` + "\x00" + ` { __typename }` + strings.Repeat("\n", text/2)},
		{name: "a long comment", document: `query q` + "\x00" + ` { __typename } #` + strings.Repeat("x", text)},
		{name: "a long name", document: `query q` + "\x00" + ` { ` + strings.Repeat("x", text) + ` }`},
		{name: "more text than is allowed", document: `query q` + "\x00" + ` { __typename }` + strings.Repeat(" ", bytes)},
		withInput("as many texts as may be sent", `{"key":"x","entitlements":[`+strings.Repeat(`"`+wide+`",`, values)+`""]}`),
		withInput("as many numbers", `{"key":"x","entitlements":[`+strings.Repeat(`1,`, values)+`1]}`),
		withInput("as many names", `{`+many(values/2, func(i int) string { return strconv.Quote(strconv.Itoa(i)) + ":1," })+`"x":1}`),
		withInput("as many objects", `{"key":"x","entitlements":[`+strings.Repeat(`{"a":1},`, values/4)+`1]}`),
		withInput("more values than are allowed", `{"key":"x","entitlements":[`+strings.Repeat(`"",`, bytes/3)+`""]}`),
		withInput("levels beyond the limit", strings.Repeat("[", bytes/2)+strings.Repeat("]", bytes/2)),
		withInput("one name again and again", `{`+strings.Repeat(`"a":1,`, bytes/6)+`"b":1}`),
	}
}

// answers are documents that ask much of what there is.
func (s sizes) answers() []bad {
	const license = `id externalId keyHint status statusReason customer { email name externalId } startsAt expiresAt graceUntil maxMachines maxDomains
		entitlements { code value expiresAt } allowedDomains machineCount domainCount activatedAt lastValidatedAt validationCount metadata revision createdBy { kind id } createdAt updatedAt`
	page := func(name, fields string) bad {
		return bad{name: name, document: `query q` + "\x00" + ` { licenses(first: 200) { nodes { ` + fields + ` } } }`}
	}
	events := func(name, fields string) bad {
		return bad{name: name, document: `query q` + "\x00" + ` { e1: events(first: 200) { nodes { ` + fields + ` } } }`}
	}
	return []bad{
		page("a page of 200 ids", "id"),
		page("a page of 200 licenses", license),
		page("the same with plans and products", license+` plan { id code name duration maxMachines entitlements { code } metadata } product { id code name metadata }`),
		page("as many values as may be asked for", numbered(87, " a%d: id")),
		page("as many objects", numbered(23, " a%d: createdBy { id }")),
		page("as many lists as may be asked for", "product { plans(first: 1) { nodes { id } } }"),
		page("as much as may be asked for of all of these", "product { plans(first: 1) { nodes { id } } }"+numbered(5, " a%d: createdBy { id kind }")),
		events("a page of 200 events", "id index cursor type version at loggedAt subject revision actor { id kind }"),
		events("the same with data and licenses", "id type data license { id status customer { name } }"),
		events("as many events as may be asked for", "id } } e2: events(first: 200) { nodes { id } } e3: events(first: 200) { nodes { id"),
		{name: "as many lists of events", document: `query q` + "\x00" + ` { licenses(first: 95) { nodes { events(first: 1) { nodes { id } } } } }`},
		page("lists beyond the limit", "product {"+numbered(2, " a%d: plans(first: 1) { nodes { id } }")+"}"),
	}
}

// schemaQuery is what tools ask.
const schemaQuery = `query q%s { __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...FullType } directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }`
