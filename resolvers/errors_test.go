package resolvers_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// wantExtensions fails unless the answer has one error for each of these.
func wantExtensions(t *testing.T, name string, got *answer, want ...map[string]any) {
	t.Helper()
	if diff := cmp.Diff(want, got.extensions()); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	for _, e := range got.Errors {
		if e.Message == "" {
			t.Errorf("%s: an error without message: %s", name, got.body)
		}
	}
}

func invalid(field string) map[string]any {
	return map[string]any{"code": "INVALID_INPUT", "field": field}
}

func TestEachErrorHasWhatItsCodePromises(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	a.policy[authz.LicenseRead] = authz.AllProducts()
	a.policy[authz.LicenseIssue] = authz.Products("other")
	id, _ := a.issue(t)
	first := a.must(t, `mutation { issueLicense(input: {plan: "acme/pro", idempotencyKey: "o-1"}) { license { id } } }`)
	issued := first["issueLicense"].(map[string]any)["license"].(map[string]any)["id"]
	product := a.must(t, `{ product(id: "acme") { id } }`)["product"].(map[string]any)["id"]

	for _, c := range []struct {
		name, as, document string
		variables          []any
		want               map[string]any
	}{
		{"NOT_FOUND", admin, `{ product(id: "none") { id } }`, nil, map[string]any{"code": "NOT_FOUND"}},
		{"NOT_FOUND of another kind", admin, `query($id: ID!) { license(id: $id) { id } }`, []any{"id", product}, map[string]any{"code": "NOT_FOUND"}},
		{"another product's", limited, `mutation { issueLicense(input: {plan: "acme/pro"}) { key } }`, nil, map[string]any{"code": "NOT_FOUND"}},
		{"REVISION_STALE", admin, `mutation($id: ID!) { suspendLicense(input: {license: $id, revision: 7}) { license { id } } }`, []any{"id", id},
			map[string]any{"code": "CONFLICT", "reason": "REVISION_STALE", "id": id}},
		{"STATE", admin, `mutation($id: ID!) { reinstateLicense(input: {license: $id}) { license { id } } }`, []any{"id", id},
			map[string]any{"code": "CONFLICT", "reason": "STATE"}},
		{"TAKEN", admin, `mutation { createProduct(input: {code: "acme", name: "A", keyPrefix: "AC"}) { product { id } } }`, nil,
			map[string]any{"code": "CONFLICT", "reason": "TAKEN", "id": product}},
		{"IDEMPOTENCY_MISMATCH", admin, `mutation { issueLicense(input: {plan: "acme/pro", externalId: "x", idempotencyKey: "o-1"}) { key } }`, nil,
			map[string]any{"code": "CONFLICT", "reason": "IDEMPOTENCY_MISMATCH", "id": issued}},
		{"UNAUTHENTICATED", nobody, `{ product(id: "acme") { id } }`, nil, map[string]any{"code": "UNAUTHENTICATED"}},
		{"DENIED", limited, `{ product(id: "acme") { id } }`, nil, map[string]any{"code": "DENIED", "action": "product:read"}},
		{"INVALID_INPUT", admin, `{ products(first: 201) { nodes { id } } }`, nil, invalid("first")},
		{"neither of two", admin, `{ license { id } }`, nil, invalid("id")},
		{"both of two", admin, `query($id: ID!) { license(id: $id, key: "x") { id } }`, []any{"id", id}, invalid("id")},
	} {
		got := a.ask(t, c.as, c.document, c.variables...)
		if got.status != http.StatusOK || got.members["data"] == nil {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		wantExtensions(t, c.name, got, c.want)
		for _, e := range got.Errors {
			if len(e.Path) != 1 || len(e.Locations) != 1 {
				t.Errorf("%s: path %v, locations %v", c.name, e.Path, e.Locations)
			}
		}
	}
}

func TestStorageThatCannotBeAskedIsUnavailable(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	_, key := a.issue(t)
	down := fault.Wrap(fault.Unavailable, errors.New("dial tcp 10.0.0.7:5432: refused"), "storage is unavailable")
	down.RetryAfter = 1500 * time.Millisecond
	a.store.failing(func() error { return down })
	got := a.ask(t, admin, `query($k: String!) { product(id: "acme") { id } validate(input: {key: $k}) { code } }`, "k", key)
	slices.SortFunc(got.Errors, func(a, b problem) int { return strings.Compare(a.Path[0].(string), b.Path[0].(string)) })
	wantExtensions(t, "both", got,
		map[string]any{"code": "UNAVAILABLE", "retryAfterSeconds": 2.0},
		map[string]any{"code": "UNAVAILABLE", "retryAfterSeconds": 1.0})
	if strings.Contains(got.body, "10.0.0.7") || !strings.Contains(a.logs.String(), "10.0.0.7") {
		t.Errorf("the cause is not where it belongs: %s", got.body)
	}
}

func TestWhatWentWrongInsideStaysInside(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("SELECT body FROM secret_table") },
		"a panic":  func() error { panic("SELECT body FROM secret_table") },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.store.failing(fail)
			got := a.ask(t, admin, `{ product(id: "acme") { id } __typename }`)
			wantExtensions(t, name, got, map[string]any{"code": "INTERNAL"})
			if got.Errors[0].Message != "internal error" || got.Data["__typename"] != "Query" {
				t.Errorf("got %s", got.body)
			}
			for _, inner := range []string{"SELECT", "secret_table", "goroutine", ".go", "panic"} {
				if strings.Contains(got.body, inner) {
					t.Errorf("%s tells of %s", got.body, inner)
				}
			}
			if logged := a.logs.String(); !strings.Contains(logged, "secret_table") || !strings.Contains(logged, `"level":"ERROR"`) {
				t.Errorf("the log does not tell: %s", logged)
			}
		})
	}
}

// A record that is not as it must be is the server's fault, not the client's.
func TestARecordThatDoesNotFitTheSchemaIsAnInternalError(t *testing.T) {
	a := newAPI(t)
	ok(t, a.store.Commit(t.Context(), storage.Change{Attempt: "by hand", Record: storage.Record{
		Kind: storage.Product, ID: license.ProductID("odd"),
		Index: storage.Index{Product: license.ProductID("odd"), State: "current", Created: time.Now()},
		Body:  []byte(`{"code":"odd"}`), // without updatedAt
	}}))
	got := a.ask(t, admin, `{ product(id: "odd") { updatedAt } __typename }`)
	wantExtensions(t, "a null", got, map[string]any{"code": "INTERNAL"})
	if got.Errors[0].Message != "internal error" || !cmp.Equal(got.Errors[0].Path, []any{"product", "updatedAt"}) || !strings.Contains(a.logs.String(), "null") {
		t.Errorf("%s, and in the log %s", got.body, a.logs)
	}
}

func TestAPanicInAMutationAndInValidateIsCaught(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	_, key := a.issue(t)
	a.store.failing(func() error { panic("oops") })
	wantExtensions(t, "mutation", a.ask(t, admin, `mutation { issueLicense(input: {plan: "acme/pro"}) { key } }`), map[string]any{"code": "INTERNAL"})
	wantExtensions(t, "validate", a.ask(t, nobody, `query($k: String!) { validate(input: {key: $k}) { code } }`, "k", key), map[string]any{"code": "INTERNAL"})
}

func TestARefusalLeavesTheRestOfTheAnswer(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	a.policy[authz.ProductRead] = authz.Products("acme")
	got := a.ask(t, limited, `{ mine: product(id: "acme") { code plans { nodes { id } } } all: licenses { nodes { id } } none: product(id: "x") { id } }`)
	want := map[string]any{"mine": map[string]any{"code": "acme", "plans": nil}, "all": nil, "none": nil}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	paths := map[string][]any{}
	for _, e := range got.Errors {
		paths[e.Extensions["code"].(string)+" "+ofText(e.Extensions["action"])] = e.Path
	}
	if diff := cmp.Diff(map[string][]any{
		"DENIED plan:read": {"mine", "plans"}, "DENIED license:read": {"all"}, "NOT_FOUND ": {"none"},
	}, paths); diff != "" {
		t.Error(diff)
	}
}

func ofText(v any) string {
	text, _ := v.(string)
	return text
}

func TestAFailedMutationLeavesWhatWasCommitted(t *testing.T) {
	a := newAPI(t)
	got := a.ask(t, admin, `mutation {
		one: createProduct(input: {code: "acme", name: "Acme", keyPrefix: "ACME"}) { product { code } }
		two: createProduct(input: {code: "acme", name: "Acme", keyPrefix: "ACME"}) { product { code } }
	}`)
	want := map[string]any{"one": map[string]any{"product": map[string]any{"code": "acme"}}, "two": nil}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	if len(got.Errors) != 1 || !cmp.Equal(got.Errors[0].Path, []any{"two"}) {
		t.Errorf("errors: %s", got.body)
	}
}

func TestAnAnswerHasAtMostTenErrors(t *testing.T) {
	a := newAPI(t)
	var refused, unknown strings.Builder
	for i := range 15 {
		name := string(rune('a' + i))
		refused.WriteString(name + `: product(id: "none") { id } `)
		unknown.WriteString(name + ` `)
	}
	if got := a.ask(t, admin, "{ "+refused.String()+"}"); len(got.Errors) != 10 || len(got.Data) != 15 {
		t.Errorf("%d errors, %d fields", len(got.Errors), len(got.Data))
	}
	if got := a.ask(t, admin, "{ "+unknown.String()+"}"); len(got.Errors) != 10 {
		t.Errorf("%d errors of a document", len(got.Errors))
	}
}
