package resolvers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/resolvers"
)

// Whatever an operation waits for, it is answered.
func TestAnOperationIsRefusedThatTakesTooLong(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	id, key := a.issue(t)
	a.config.Within = 50 * time.Millisecond
	var err error
	a.handler, err = resolvers.New(a.config)
	ok(t, err)
	a.store.stuck.Store(true)
	for document, variables := range map[string][]any{
		"query($id: ID!) { license(id: $id) { status } }":                                                                   {"id", id},
		`query($key: String!) { validate(input: {key: $key, product: "acme"}) { valid } }`:                                  {"key", key},
		"mutation($id: ID!) { revokeLicense(input: {license: $id}) { license { status } } }":                                {"id", id},
		`mutation { issueLicense(input: {plan: "acme/pro"}) { key } }`:                                                      nil,
		`mutation($k: String!) { heartbeat(input: {key: $k, product: "acme", fingerprint: "m"}) { validation { valid } } }`: {"k", key},
	} {
		began := time.Now()
		got := a.ask(t, admin, document, variables...)
		if diff := cmp.Diff([]map[string]any{{"code": "UNAVAILABLE", "retryAfterSeconds": 1.0}}, got.extensions()); diff != "" {
			t.Errorf("%s: %s\n%s", document, got.body, diff)
		}
		if took := time.Since(began); took < a.config.Within || took > 5*time.Second {
			t.Errorf("%s: answered after %v", document, took)
		}
	}
	a.store.stuck.Store(false)
	a.must(t, "query($id: ID!) { license(id: $id) { status } }", "id", id)
}
