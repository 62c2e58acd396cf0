package resolvers_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const typename = `{"query":"{ __typename }"}`

// wantRefusal fails unless the request was refused, without data.
func wantRefusal(t *testing.T, name string, got *answer, status int) {
	t.Helper()
	if got.status != status || len(got.Errors) == 0 || got.members["data"] != nil {
		t.Errorf("%s: %d %s; want %d, and no data", name, got.status, got.body, status)
	}
	for _, e := range got.Errors {
		if e.Message == "" || e.Extensions["code"] != "INVALID_INPUT" || e.Path != nil {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

func TestQueriesAreAnswered(t *testing.T) {
	a := newAPI(t)
	got := do(t, a.request(t, nobody, typename))
	if got.status != http.StatusOK || got.body != `{"data":{"__typename":"Query"}}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	for header, want := range map[string]string{
		"Content-Type": asksGraphQL + "; charset=utf-8", "Content-Length": fmt.Sprint(len(got.body)), "Cache-Control": "no-store",
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: %s, want %s", header, got.header.Get(header), want)
		}
	}
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	a := newAPI(t)
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "QUERY"} {
		r := a.request(t, nobody, typename)
		r.Method = method
		got := do(t, r)
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: %d, Allow %q", method, got.status, got.header.Get("Allow"))
		}
	}
}

func TestTheAnswerIsOfATypeThatIsAccepted(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		accept []string
		want   string // empty: not acceptable
	}{
		{nil, asksJSON},
		{[]string{asksJSON}, asksJSON},
		{[]string{asksGraphQL}, asksGraphQL},
		{[]string{"*/*"}, asksJSON},
		{[]string{"application/*"}, asksJSON},
		{[]string{"APPLICATION/JSON"}, asksJSON},
		{[]string{asksGraphQL + ", " + asksJSON}, asksGraphQL},
		{[]string{asksGraphQL + ", */*"}, asksGraphQL},
		{[]string{asksGraphQL + ";q=0.5, " + asksJSON}, asksJSON},
		{[]string{asksGraphQL + ";q=0.9, " + asksJSON + ";q=0.8"}, asksGraphQL},
		{[]string{asksJSON + ";q=0.1", asksGraphQL + ";q=0.2"}, asksGraphQL},
		{[]string{"*/*;q=0.9, " + asksGraphQL + ";q=0.8"}, asksJSON},
		{[]string{asksJSON + ";q=0, */*"}, asksGraphQL},
		{[]string{asksJSON + "; charset=UTF-8"}, asksJSON},
		{[]string{"text/html, " + asksJSON + ";q=0.1"}, asksJSON},
		{[]string{asksGraphQL + ", " + asksJSON + ", text/event-stream"}, asksGraphQL},
		{[]string{"text/event-stream, */*;q=0"}, asksEvents},
		{[]string{"text/event-stream;q=0, " + asksJSON}, asksJSON},
		{[]string{"text/event-stream;q=0"}, ""},
		{[]string{"text/*"}, ""},
		{[]string{asksJSON + "; charset=iso-8859-1"}, ""},
		{[]string{asksJSON + ";q=0"}, ""},
		{[]string{asksJSON + ";q=NaN"}, ""},
		{[]string{asksJSON + ";q=7"}, ""},
		{[]string{asksJSON + ";q=often"}, ""},
		{[]string{"text/html"}, ""},
		{[]string{";;;"}, ""},
	} {
		r := a.request(t, nobody, typename)
		r.Header.Del("Accept")
		for _, one := range c.accept {
			r.Header.Add("Accept", one)
		}
		if c.want == asksEvents {
			if got := doEvents(t, r); got.status != http.StatusOK || got.body != "event: next\ndata: {\"data\":{\"__typename\":\"Query\"}}\n\nevent: complete\ndata:\n\n" {
				t.Errorf("%q: %d %s", c.accept, got.status, got.body)
			}
			continue
		}
		got := do(t, r)
		if c.want == "" {
			wantRefusal(t, fmt.Sprint(c.accept), got, http.StatusNotAcceptable)
			continue
		}
		if kind := got.header.Get("Content-Type"); got.status != http.StatusOK || kind != c.want+"; charset=utf-8" {
			t.Errorf("%q: %d %s, want %s", c.accept, got.status, kind, c.want)
		}
	}
}

func TestTheBodyIsJSONInUTF8(t *testing.T) {
	a := newAPI(t)
	for kind, want := range map[string]int{
		"application/json":                     http.StatusOK,
		"application/json; charset=utf-8":      http.StatusOK,
		`Application/JSON;charset="UTF-8"`:     http.StatusOK,
		"":                                     http.StatusUnsupportedMediaType,
		"text/plain":                           http.StatusUnsupportedMediaType,
		"application/json; charset=iso-8859-1": http.StatusUnsupportedMediaType,
		"application/json; charset=utf-16":     http.StatusUnsupportedMediaType,
		"application/graphql":                  http.StatusUnsupportedMediaType,
		"application/x-www-form-urlencoded":    http.StatusUnsupportedMediaType,
		"multipart/form-data; boundary=canary": http.StatusUnsupportedMediaType,
		"application/json; charset":            http.StatusUnsupportedMediaType,
	} {
		r := a.request(t, nobody, typename)
		r.Header.Set("Content-Type", kind)
		if got := do(t, r); got.status != want {
			t.Errorf("%q: %d, want %d", kind, got.status, want)
		} else if want != http.StatusOK {
			wantRefusal(t, kind, got, want)
		}
	}
}

func TestABodyThatIsNoRequestIsRefused(t *testing.T) {
	a := newAPI(t)
	for name, body := range map[string]string{
		"nothing":                 ``,
		"no JSON":                 `canary`,
		"half an object":          `{"query":"{ __typename }"`,
		"a list":                  `[{"query":"{ __typename }"}]`,
		"null":                    `null`,
		"text":                    `"{ __typename }"`,
		"no query":                `{}`,
		"an empty query":          `{"query":""}`,
		"query null":              `{"query":null}`,
		"query a number":          `{"query":1}`,
		"query an object":         `{"query":{}}`,
		"operationName a number":  `{"query":"{ __typename }","operationName":1}`,
		"variables a list":        `{"query":"{ __typename }","variables":[]}`,
		"variables text":          `{"query":"{ __typename }","variables":"{}"}`,
		"variables a number":      `{"query":"{ __typename }","variables":7}`,
		"extensions text":         `{"query":"{ __typename }","extensions":"x"}`,
		"an object after it":      typename + typename,
		"a brace after it":        typename + `}`,
		"a bracket after it":      typename + `]`,
		"text after it":           typename + ` canary`,
		"NUL after it":            typename + "\x00",
		"a name twice":            `{"query":"{ __typename }","query":"{ x }"}`,
		"another name twice":      `{"query":"{ __typename }","id":1,"id":1}`,
		"a name twice, escaped":   `{"query":"{ __typename }","q\u0075ery":"{ x }"}`,
		"twice in variables":      `{"query":"{ __typename }","variables":{"a":{"b":1,"b":1}}}`,
		"twice in a list":         `{"query":"{ __typename }","variables":{"a":[{},{"b":1 , "b" : 1}]}}`,
		"twice in extensions":     `{"query":"{ __typename }","extensions":{"a":1,"a":1}}`,
		"33 levels":               `{"query":"{ __typename }","variables":{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}`,
		"too many values":         `{"query":"{ __typename }","variables":{"a":[` + strings.Repeat("1,", 2000) + `1]}}`,
		"no UTF-8":                "{\"query\":\"{ __typename } # \xff\"}",
		"a byte order mark first": "\ufeff" + typename,
	} {
		for _, media := range []string{asksJSON, asksGraphQL} {
			r := a.request(t, nobody, body)
			r.Header.Set("Accept", media)
			wantRefusal(t, name, do(t, r), http.StatusBadRequest)
		}
	}
	for name, body := range map[string]string{
		"white space around it": "\n " + typename + "\r\n\t",
		"nulls":                 `{"query":"{ __typename }","operationName":null,"variables":null,"extensions":null}`,
		"other members":         `{"query":"{ __typename }","id":"x","Query":"{"}`,
		"a name in two objects": `{"query":"{ __typename }","variables":{"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":1}]}}`,
		"32 levels":             `{"query":"{ __typename }","variables":{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}}`,
		"brackets in texts":     `{"query":"{ __typename }","variables":{"a":"` + strings.Repeat(`[{,\"`, 3000) + `"}}`,
	} {
		if got := do(t, a.request(t, nobody, body)); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestARequestThatIsNotExecutedHasTheStatusOfItsMediaType(t *testing.T) {
	a := newAPI(t)
	for name, body := range map[string]string{
		"a document that does not parse":    `{"query":"{"}`,
		"a document without operation":      `{"query":"fragment f on Query { __typename }"}`,
		"a document that is white space":    `{"query":" "}`,
		"a field that there is not":         `{"query":"{ nope }"}`,
		"a value of another type":           `{"query":"{ products(first: true) { nodes { id } } }"}`,
		"a variable of another type":        `{"query":"query($n: Int!) { products(first: $n) { nodes { id } } }","variables":{"n":true}}`,
		"a variable that is missing":        `{"query":"query($n: Int!) { products(first: $n) { nodes { id } } }"}`,
		"an operation that there is not":    `{"query":"query a { __typename }","operationName":"b"}`,
		"an operation that is not selected": `{"query":"query a { __typename } query b { __typename }"}`,
		"too many tokens":                   `{"query":"{` + strings.Repeat(" __typename", 5001) + `}"}`,
	} {
		for media, status := range map[string]int{asksJSON: http.StatusOK, asksGraphQL: http.StatusBadRequest} {
			r := a.request(t, admin, body)
			r.Header.Set("Accept", media)
			wantRefusal(t, name, do(t, r), status)
		}
	}
}

func TestTheNamedOperationIsExecuted(t *testing.T) {
	a := newAPI(t)
	got := do(t, a.request(t, nobody, `{"query":"query a { x: __typename } query b { y: __typename }","operationName":"b"}`))
	if got.body != `{"data":{"y":"Query"}}` {
		t.Error(got.body)
	}
}

func TestABodyIsBounded(t *testing.T) {
	a := newAPI(t)
	padded := func(bytes int) string { return typename + strings.Repeat(" ", bytes-len(typename)) }
	for _, c := range []struct {
		as    string
		bytes int
		want  int
	}{
		{nobody, 64 << 10, http.StatusOK},
		{nobody, 64<<10 + 1, http.StatusRequestEntityTooLarge},
		{admin, 1 << 20, http.StatusOK},
		{admin, 1<<20 + 1, http.StatusRequestEntityTooLarge},
	} {
		got := do(t, a.request(t, c.as, padded(c.bytes)))
		if got.status != c.want {
			t.Errorf("%q, %d bytes: %d, want %d", c.as, c.bytes, got.status, c.want)
		} else if c.want != http.StatusOK {
			wantRefusal(t, c.as, got, c.want)
		}
	}
}

// endless is a body that says nothing of its length. It counts what is read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat(canary, len(p)/len(canary)+1))
	e.read += n
	return n, nil
}

func TestALargeBodyIsNeitherReadNorEchoed(t *testing.T) {
	a := newAPI(t)
	for name, begin := range map[string]string{"no JSON": "", "a query": `{"query":"{ product(id: \"`} {
		for _, media := range []string{asksJSON, asksGraphQL} {
			body := &endless{}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", io.MultiReader(strings.NewReader(begin), body))
			r.Header.Set("Content-Type", asksJSON)
			r.Header.Set("Accept", media)
			out := httptest.NewRecorder()
			a.handler.ServeHTTP(out, r)
			if out.Code != http.StatusRequestEntityTooLarge || out.Body.Len() > 200 || strings.Contains(out.Body.String(), "CANARY") {
				t.Errorf("%s: %d %.300s", name, out.Code, out.Body)
			}
			if body.read > 256<<10 {
				t.Errorf("%s: %d bytes were read", name, body.read)
			}
		}
	}
}

// get sends a query in the address.
func (a *api) get(t *testing.T, as string, values ...string) *answer {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"?"+q.Encode(), http.NoBody)
	ok(t, err)
	r.Header.Set("Accept", asksGraphQL)
	if as != nobody {
		r.Header.Set("Authorization", as)
	}
	return do(t, r)
}

func TestQueriesMayComeByGET(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, _ := a.issue(t)
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"query", `{ __typename }`}, `{"data":{"__typename":"Query"}}`},
		{[]string{"query", `{ product(id: "acme") { code } }`}, `{"data":{"product":{"code":"acme"}}}`},
		{[]string{"query", `query($c: ID!) { product(id: $c) { code } }`, "variables", `{"c":"acme"}`}, `{"data":{"product":{"code":"acme"}}}`},
		{[]string{"query", `query a { x: __typename } mutation b { __typename }`, "operationName", "a"}, `{"data":{"x":"Query"}}`},
		{[]string{"query", `{ license(id: "` + id + `") { keyHint: status } }`}, `{"data":{"license":{"keyHint":"ACTIVE"}}}`},
		{[]string{"query", `{ __typename }`, "variables", "", "extensions", "null"}, `{"data":{"__typename":"Query"}}`},
	} {
		got := a.get(t, admin, c.values...)
		if diff := cmp.Diff(c.want, got.body); diff != "" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %s", c.values, diff)
		}
	}
}

func TestWhatHoldsAKeyOrChangesIsNotTakenByGET(t *testing.T) {
	a := newAPI(t)
	const validate = `validate(input: {key: "canary"}) { code }`
	for name, document := range map[string]string{
		"a mutation":                    `mutation { createProduct(input: {code: "acme", name: "A", keyPrefix: "AC"}) { product { id } } }`,
		"a mutation of nothing":         `mutation { __typename }`,
		"a public field":                `{ ` + validate + ` }`,
		"one that takes a variable":     `query($i: ValidateInput! = {key: "x"}) { validate(input: $i) { code } }`,
		"one under an alias":            `{ product: ` + validate + ` }`,
		"one beside another":            `{ __typename ` + validate + ` }`,
		"one in an inline fragment":     `{ ... on Query { ` + validate + ` } }`,
		"one in a nested one":           `{ ... { ... on Query { ` + validate + ` } } }`,
		"one in a fragment":             `{ ...f } fragment f on Query { ` + validate + ` }`,
		"one in a fragment of another":  `{ ...g } fragment f on Query { ` + validate + ` } fragment g on Query { __typename ...f }`,
		"one that is skipped":           `{ ` + strings.Replace(validate, "{ code", "@skip(if: true) { code", 1) + ` }`,
		"a license by key":              `{ license(key: "canary") { id } }`,
		"a license by key, aliased":     `{ x: license(key: "canary") { id } }`,
		"a license by key in fragments": `{ ...f } fragment f on Query { ... on Query { license(key: "canary") { id } } }`,
		"a license by a variable":       `query($k: String) { license(key: $k) { id } }`,
	} {
		got := a.get(t, admin, "query", document)
		wantRefusal(t, name, got, http.StatusMethodNotAllowed)
		if got.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", name, got.header.Get("Allow"))
		}
	}
	if products := a.must(t, `{ products { nodes { id } } }`)["products"].(map[string]any)["nodes"].([]any); len(products) > 0 {
		t.Errorf("it was done: %v", products)
	}
	got := a.get(t, admin, "query", `query a { __typename } query b { `+validate+` }`, "operationName", "a")
	if got.status != http.StatusOK {
		t.Errorf("an operation beside it: %d %s", got.status, got.body)
	}
}

func TestAnAddressThatIsNoRequestIsRefused(t *testing.T) {
	a := newAPI(t)
	for name, values := range map[string][]string{
		"nothing":                    {},
		"an empty query":             {"query", ""},
		"variables no JSON":          {"query", "{ __typename }", "variables", "canary"},
		"variables a list":           {"query", "{ __typename }", "variables", "[]"},
		"a name twice in variables":  {"query", "{ __typename }", "variables", `{"a":1,"a":1}`},
		"something behind variables": {"query", "{ __typename }", "variables", "{}}"},
		"extensions text":            {"query", "{ __typename }", "extensions", `"x"`},
		"a document without end":     {"query", "{"},
	} {
		wantRefusal(t, name, a.get(t, admin, values...), http.StatusBadRequest)
	}
}

func TestAClientThatIsGoneIsNotAnswered(t *testing.T) {
	a := newAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(typename))
	r.Header.Set("Content-Type", asksJSON)
	out := httptest.NewRecorder()
	a.handler.ServeHTTP(out, r)
	if out.Body.Len() > 0 {
		t.Errorf("answered %s", out.Body)
	}
}
