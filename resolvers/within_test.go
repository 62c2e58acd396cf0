package resolvers_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
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
	a.within(t, 300*time.Millisecond)
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

// within gives operations so long.
func (a *api) within(t *testing.T, limit time.Duration) {
	t.Helper()
	a.config.Within = limit
	var err error
	a.handler, err = resolvers.New(a.config)
	ok(t, err)
}

// An operation that is refused for its time shows that a subscription which was
// under way before has had more than that.
func TestASubscriptionOutlivesTheTimeThatAnOperationHas(t *testing.T) {
	a := newAPI(t)
	a.running(t)
	a.catalog(t)
	a.within(t, 500*time.Millisecond)
	document := a.newLicensesSince(t)
	s := a.socket(t, admin)
	s.subscribe("1", asked(t, document))
	r := a.request(t, admin, asked(t, document))
	r.Header.Set("Accept", asksEvents)
	response, err := http.DefaultClient.Do(r)
	ok(t, err)
	t.Cleanup(func() { response.Body.Close() })
	events := bufio.NewReader(response.Body)
	given := func() {
		t.Helper()
		id, _ := a.issue(t)
		event := fmt.Sprintf(`{"data":{"events":{"type":"license.created","licenseId":%q}}}`, id)
		s.want(`{"id":"1","type":"next","payload":` + event + `}`)
		want := "event: next\ndata: " + event + "\n\n"
		got := make([]byte, len(want))
		if _, err := io.ReadFull(events, got); err != nil || string(got) != want {
			t.Fatalf("got %q %v, want %q", got, err, want)
		}
	}
	given()
	a.store.stuck.Store(true)
	if got := a.ask(t, admin, `{ license(id: "lic_00000000000000000000000000") { id } }`); len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "UNAVAILABLE" {
		t.Fatalf("got %s", got.body)
	}
	a.store.stuck.Store(false)
	given()
}
