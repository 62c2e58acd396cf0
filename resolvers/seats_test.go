package resolvers_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A license of two floating machines and two domains goes through all that
// holders do; every field of what they and staff are shown answers.
func TestSeatsOverGraphQL(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	a.must(t, `mutation { createPlan(input: {product: "acme", code: "team", name: "Team", maxMachines: 2, maxDomains: 2, leaseDuration: "PT10M"}) { plan { id } } }`)
	made := a.must(t, `mutation { issueLicense(input: {plan: "acme/team", domains: ["Example.com"], allowedDomains: ["*.example.com", "example.com"]}) { key license { id domainCount } } }`)
	issued := made["issueLicense"].(map[string]any)
	id := issued["license"].(map[string]any)["id"].(string)
	run := &seatRun{api: a, id: id, key: issued["key"].(string)}

	run.wants(t, nobody, `mutation($key: String!) { activate(input: {key: $key, product: "acme", fingerprint: "m-1", name: "Laptop", platform: "linux"}) {
		created
		activation { id kind name platform createdAt lastSeenAt leaseUntil offlineUntil }
		validation { valid code reasons { code } activation { id } license { machineCount maxMachines domainCount maxDomains } at asOf stale refreshAt goodUntil } } }`,
		`{"activate": {
			"created": true,
			"activation": {"id": "act_1", "kind": "MACHINE", "name": "Laptop", "platform": "linux", "createdAt": "TIME", "lastSeenAt": "TIME", "leaseUntil": "TIME", "offlineUntil": null},
			"validation": {"valid": true, "code": "VALID", "reasons": [], "activation": {"id": "act_1"},
				"license": {"machineCount": 1, "maxMachines": 2, "domainCount": 1, "maxDomains": 2},
				"at": "TIME", "asOf": "TIME", "stale": false, "refreshAt": "TIME", "goodUntil": "TIME"}}}`)
	run.wants(t, nobody, `mutation($key: String!) {
		again: activate(input: {key: $key, product: "acme", fingerprint: "m-1"}) { created activation { id name } }
		second: activate(input: {key: $key, product: "acme", fingerprint: "m-2"}) { created }
		third: activate(input: {key: $key, product: "acme", fingerprint: "m-3"}) {
			created activation { id } validation { valid code goodUntil reasons { code blocking subject limit actual until } } } }`,
		`{"again": {"created": false, "activation": {"id": "act_1", "name": "Laptop"}}, "second": {"created": true},
			"third": {"created": false, "activation": null, "validation": {"valid": false, "code": "MACHINE_LIMIT_REACHED", "goodUntil": null,
				"reasons": [{"code": "MACHINE_LIMIT_REACHED", "blocking": true, "subject": "m-3", "limit": 2, "actual": 2, "until": "TIME"}]}}}`)
	run.wants(t, nobody, `mutation($key: String!) {
		beat: heartbeat(input: {key: $key, product: "acme", fingerprint: "m-1"}) { leaseUntil validation { code } }
		lost: heartbeat(input: {key: $key, product: "acme", fingerprint: "m-9"}) { leaseUntil validation { code } }
		foreign: activate(input: {key: $key, product: "acme", domain: "example.org"}) { created validation { code } } }`,
		`{"beat": {"leaseUntil": "TIME", "validation": {"code": "VALID"}},
			"lost": {"leaseUntil": null, "validation": {"code": "MACHINE_LIMIT_REACHED"}},
			"foreign": {"created": false, "validation": {"code": "DOMAIN_NOT_ALLOWED"}}}`)
	run.wants(t, admin, `query($id: ID!) { license(id: $id) {
		machineCount domainCount activatedAt allowedDomains
		activations { pageInfo { hasNextPage endCursor } nodes { id kind subject subjectHash name platform createdAt lastSeenAt leaseUntil offlineUntil license { id } } }
		machines: activations(kind: MACHINE, first: 1) { pageInfo { hasNextPage } nodes { kind } } } }`,
		`{"license": {"machineCount": 2, "domainCount": 1, "activatedAt": "TIME", "allowedDomains": ["*.example.com", "example.com"],
			"activations": {"pageInfo": {"hasNextPage": false, "endCursor": "CURSOR"}, "nodes": [
				{"id": "act_other", "kind": "DOMAIN", "subject": "Example.com", "subjectHash": "HASH", "name": null, "platform": null, "createdAt": "TIME", "lastSeenAt": "TIME", "leaseUntil": "TIME", "offlineUntil": null, "license": {"id": "lic_1"}},
				{"id": "act_1", "kind": "MACHINE", "subject": "m-1", "subjectHash": "HASH", "name": "Laptop", "platform": "linux", "createdAt": "TIME", "lastSeenAt": "TIME", "leaseUntil": "TIME", "offlineUntil": null, "license": {"id": "lic_1"}},
				{"id": "act_other", "kind": "MACHINE", "subject": "m-2", "subjectHash": "HASH", "name": null, "platform": null, "createdAt": "TIME", "lastSeenAt": "TIME", "leaseUntil": "TIME", "offlineUntil": null, "license": {"id": "lic_1"}}]},
			"machines": {"pageInfo": {"hasNextPage": true}, "nodes": [{"kind": "MACHINE"}]}}}`)
	run.wants(t, admin, `query($id: ID!) {
		now: explain(license: $id, input: {product: "acme", fingerprint: "m-1", domain: "www.example.com"}) { valid code activation { id } }
		then: explain(license: $id, input: {product: "acme", at: "2099-01-01T00:00:00Z", fingerprint: "m-1"}) { code at } }`,
		`{"now": {"valid": false, "code": "NOT_ACTIVATED", "activation": {"id": "act_1"}}, "then": {"code": "NOT_ACTIVATED", "at": "TIME"}}`)
	run.wants(t, nobody, `mutation($key: String!) {
		gone: deactivate(input: {key: $key, product: "acme", fingerprint: "m-2"}) { removed validation { code } }
		none: deactivate(input: {key: $key, product: "acme", fingerprint: "m-2"}) { removed } }`,
		`{"gone": {"removed": true, "validation": {"code": "NOT_ACTIVATED"}}, "none": {"removed": false}}`)
	run.wants(t, admin, `mutation($id: ID!, $seat: ID!) { removeActivation(input: {license: $id, activation: $seat}) { removedActivationId license { machineCount domainCount revision } } }`,
		`{"removeActivation": {"removedActivationId": "act_1", "license": {"machineCount": 0, "domainCount": 1, "revision": 2}}}`)
}

// seatRun asks about one license.
type seatRun struct {
	*api
	id, key string
	seat    string // the first that is seen
}

var (
	seatID = regexp.MustCompile(`\bact_[0-9a-z]{26}\b`)
	moment = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)
	hash   = regexp.MustCompile(`"subjectHash":"[0-9a-f]{32}"`)
	cursor = regexp.MustCompile(`"endCursor":"[\w-]+"`)
)

// wants compares an answer, in which act_1 stands for the first seat, with
// lists in any order: seats may be taken in the same millisecond.
func (r *seatRun) wants(t *testing.T, as, document, want string) {
	t.Helper()
	got := r.ask(t, as, document, "key", r.key, "id", r.id, "seat", r.seat)
	if len(got.Errors) > 0 {
		t.Fatalf("%s: %s", document, got.body)
	}
	text := seatID.ReplaceAllStringFunc(string(got.members["data"]), func(id string) string {
		if r.seat == "" {
			r.seat = id
		}
		if id == r.seat {
			return "act_1"
		}
		return "act_other"
	})
	text = strings.ReplaceAll(text, r.id, "lic_1")
	text = moment.ReplaceAllString(text, `"TIME"`)
	text = hash.ReplaceAllString(text, `"subjectHash":"HASH"`)
	text = cursor.ReplaceAllString(text, `"endCursor":"CURSOR"`)
	var is, should any
	ok(t, json.Unmarshal([]byte(text), &is))
	ok(t, json.Unmarshal([]byte(want), &should))
	inAnyOrder := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	if diff := cmp.Diff(should, is, inAnyOrder); diff != "" {
		t.Errorf("%s\n(-want +got): %s", document, diff)
	}
}
