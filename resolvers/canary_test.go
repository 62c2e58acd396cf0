package resolvers_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
)

// canary is a text that is sent and must not turn up elsewhere. It may be an
// imported key, a fingerprint or a name.
const canary = "ACME-CANARY-4711-0815"

var definitions = regexp.MustCompile(`^(query|mutation)\([^)]*\)`)

// No key, token, fingerprint or name that a client sends is in a log or in an
// error, whatever the operation and however it ends.
func TestLogsAndErrorsHoldNothingThatAClientSent(t *testing.T) {
	for name, fail := range map[string]func() error{
		"working":     func() error { return nil },
		"unavailable": func() error { return fault.Errorf(fault.Unavailable, "storage is unavailable") },
		"broken":      func() error { return errors.New("unexpected end of JSON input") },
		"panicking":   func() error { panic("index out of range") },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.catalog(t)
			id, key := a.issue(t)
			for _, action := range []authz.Action{authz.ProductRead, authz.LicenseIssue} {
				a.policy[action] = authz.AllProducts()
			}
			a.store.failing(fail)
			run := flock{api: a, id: id, key: key}
			for field := range rootFields() {
				run.over(t, call(t, field).full)
			}
			logged := a.logs.String()
			run.wantAbsent(t, "the log", logged)
			if logged == "" && name != "working" {
				t.Error("nothing was logged")
			}
		})
	}
}

// flock sends canaries.
type flock struct {
	*api
	id, key string
}

// over sends a document as everybody, with its texts in variables, as
// literals, and where they do not belong.
func (f flock) over(t *testing.T, document string) {
	t.Helper()
	literal := definitions.ReplaceAllString(document, "$1")
	for name, text := range map[string]string{"$key": f.key, "$id": f.id, "$canary": canary} {
		literal = strings.ReplaceAll(literal, name, fmt.Sprintf("%q", text))
	}
	var bodies []string
	for _, key := range []string{f.key, canary, f.key[:len(f.key)-1] + "?"} {
		bodies = append(bodies, asked(t, document, "key", key, "id", f.id, "canary", canary))
	}
	bodies = append(bodies,
		asked(t, document, "key", []string{f.key}, "id", map[string]any{canary: canary}, "canary", map[string]string{"x": canary}),
		asked(t, literal),
		asked(t, strings.ReplaceAll(literal, "(", "((")),
		asked(t, strings.ReplaceAll(literal, ": \"", ": [\"")),
		asked(t, literal)+canary,
		canary+asked(t, literal))
	for _, as := range []string{nobody, limited, admin} {
		for _, body := range bodies {
			got := do(t, f.request(t, as, body))
			f.wantAbsent(t, "an error", string(got.members["errors"]))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.validation.Run(ctx) // which flushes
}

// wantAbsent fails if text holds a canary or the key, in any spelling.
func (f flock) wantAbsent(t *testing.T, where, text string) {
	t.Helper()
	bare := func(text string) string { return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(text)) }
	for _, sent := range []string{canary, "canary-token", f.key, strings.TrimPrefix(f.key, "ACME-")} {
		if strings.Contains(bare(text), bare(sent)) {
			t.Errorf("%s holds %s: %s", where, sent, text)
		}
	}
}

func TestARefusalTellsNoValueOfItsRequest(t *testing.T) {
	a := newAPI(t)
	const text = `\"` + canary + `\"`
	for _, body := range []string{
		canary,
		`{"query":"` + canary,
		`{"query":"` + canary + `"}`,
		`{"query":"{ __typename }","operationName":"` + canary + `"}`,
		`{"query":"{ __typename }","variables":"` + canary + `"}`,
		`{"query":"{ __typename }","` + canary + `":1} ` + canary,
		`{"query":"{ __typename ` + text + ` }"}`,
		`{"query":"` + text + `"}`,
		`{"query":"{ product(id: ` + text + `"}`,
		`{"query":"{ product(id ` + text + `) { id } }"}`,
		`{"query":"{ product(id: ` + text + ` ` + text + `) { id } }"}`,
		`{"query":"{ product(` + text + `) { id } }"}`,
		`{"query":"{ product(id: \"\\u00zz` + canary + `\") { id } }"}`,
		`{"query":"{ product(id: \"\\x` + canary + `\") { id } }"}`,
		`{"query":"{ product(id: \"` + canary + `) { id } }"}`,
		`{"query":"{ product(id: '` + canary + `') { id } }"}`,
		`{"query":"{ product(id: \"\"\"` + canary + `) { id } }"}`,
		`{"query":"{ product(id: ` + canary + `) { id } }"}`,
		`{"query":"{ product(code: ` + text + `) { id } }"}`,
		`{"query":"{ product(id: [` + text + `]) { id } }"}`,
		`{"query":"{ product(id: {x: ` + text + `}) { id } }"}`,
		`{"query":"{ products(first: ` + text + `) { nodes { id } } }"}`,
		`{"query":"{ licenses(orderBy: ` + text + `) { nodes { id } } }"}`,
		`{"query":"{ licenses(filter: ` + text + `) { nodes { id } } }"}`,
		`{"query":"{ validate(input: ` + text + `) { code } }"}`,
		`{"query":"{ validate(input: [{key: ` + text + `}]) { code } }"}`,
		`{"query":"{ validate(input: {key: {a: ` + text + `}}) { code } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `, maxStaleness: ` + text + `}) { code } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `}) }"}`,
		`{"query":"{ validate(input: {key: ` + text + `}) { code nope } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `, key: ` + text + `}) { code } }"}`,
		`{"query":"{ product(id: ` + text + `) { id } product(id: \"x\") { id } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `}) @skip(if: ` + text + `) { code } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `}) @nope(if: ` + text + `) { code } }"}`,
		`{"query":"query($k: String! = ` + text + `) { product(id: $k, x: $k) { id } }"}`,
		`{"query":"query($k: Int = ` + text + `) { products(first: $k) { nodes { id } } }"}`,
		`{"query":"query($k: [Int] = [` + text + `]) { __typename }"}`,
		`{"query":"query($o: LicenseOrder!) { licenses(orderBy: $o) { nodes { id } } }","variables":{"o":"` + canary + `"}}`,
		`{"query":"query($o: LicenseOrder!) { licenses(orderBy: $o) { nodes { id } } }","variables":{"o":"` + canary + ` is not a valid x"}}`,
		`{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":{"` + canary + `":1}}}`,
		`{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":"` + canary + `"}}`,
		`{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":{"key":"x","maxStaleness":"` + canary + `"}}}`,
		`{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":{"key":"x","fingerprint":"` + canary + `\u0000","domain":"` + canary + `/"}}}`,
	} {
		got := do(t, a.request(t, admin, body))
		if len(got.Errors) == 0 && !strings.Contains(body, `} `+canary) {
			t.Errorf("%s is not refused: %s", body, got.body)
		}
		if strings.Contains(got.body, "CANARY-") {
			t.Errorf("%s: %s", body, got.body)
		}
	}
}

// Whatever the document, the answer is JSON, and a refusal tells no value.
func FuzzDocument(f *testing.F) {
	for field := range rootFields() {
		f.Add(`{ ` + field + ` }`)
	}
	for _, seed := range []string{
		`{ __typename }`, `query($k: String = "ACME-CANARY-1") { validate(input: {key: $k}) { code } }`,
		`{ validate(input: {key: "ACME-CANARY-1", maxStaleness: 1e9}) { ...f } } fragment f on Validation { code }`,
		`{ validate(input: {key: "ACME-CANARY-1`, `{ product(id: "\u00zzACME-CANARY-1") }`, `{ products(first: """ACME-CANARY-1""") }`,
		`mutation { createProduct(input: {code: ACME-CANARY-1, metadata: {a: [1, {b: 1e999}]}}) { product { id } } }`, `{ ...f } fragment f on Query { ...f }`,
	} {
		f.Add(seed)
	}
	a := newAPI(f)
	f.Fuzz(func(t *testing.T, document string) {
		got := do(t, a.request(t, nobody, asked(t, document)))
		if got.members["data"] == nil && strings.Contains(got.body, "ACME-CANARY") {
			t.Errorf("%q: %s", document, got.body)
		}
	})
}
