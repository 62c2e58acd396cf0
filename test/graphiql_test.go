package test_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The examples in GraphiQL's first tab, run from the first to the last, and
// what they show, in which … stands for any text.
func TestGraphiQLTour(t *testing.T) {
	openSources(t)
	document, err := os.ReadFile("../server/graphiql/app/src/tour.graphql")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../server/graphiql/app/src/tour.json")
	if err != nil {
		t.Fatal(err)
	}
	var variables map[string]any
	if err := json.Unmarshal(text, &variables); err != nil {
		t.Fatal(err)
	}
	_, c := serveDev(t, t.TempDir())
	shown := map[string]string{
		"DemoProduct":  `{"product":{"name":"Acme Studio","keyPrefix":"ACME","plans":{"nodes":[{"code":"professional",…`,
		"IssueLicense": `{"issueLicense":{"key":"ACME-…","license":{"id":"lic_…","status":"ACTIVE","expiresAt":"…"}}}`,
		"Validate":     `{"validate":{"valid":true,"code":"VALID","reasons":[],"goodUntil":"…"}}`,
		"Activate":     `{"activate":{"created":true,"activation":{"id":"act_…","leaseUntil":null},"validation":{"valid":true,"code":"VALID","goodUntil":"…"}}}`,
		"Deactivate":   `{"deactivate":{"removed":true}}`,
		"Suspend":      `{"suspendLicense":{"license":{"status":"SUSPENDED","statusReason":"unpaid"}}}`,
		"Reinstate":    `{"reinstateLicense":{"license":{"status":"ACTIVE"}}}`,
		"EndingNext":   `{"licenses":{"nodes":[{"id":"lic_…","customer":{"name":"Ada"},"plan":{"code":"professional"}}],…`,
		"Events":       `{"events":{"index":…,"type":"license.created","subject":"lic_…","at":"…"}}`,
	}
	operations := regexp.MustCompile(`(?m)^(?:query|mutation|subscription) (\w+)`).FindAllStringSubmatch(string(document), -1)
	if len(operations) != len(shown) {
		t.Errorf("%d operations, want %d", len(operations), len(shown))
	}
	for _, operation := range operations {
		run := c.run
		if strings.HasPrefix(operation[0], "subscription") {
			run = c.watch
		}
		got := run(t, string(document), operation[1], variables)
		if want := shown[operation[1]]; want == "" || !pattern(want).Match(got) {
			t.Errorf("%s: %s", operation[1], cmp.Diff(want, string(got)))
		}
		if operation[1] == "IssueLicense" { // as the tour says
			var issued struct {
				IssueLicense struct {
					Key     string
					License struct{ ID string }
				}
			}
			if err := json.Unmarshal(got, &issued); err != nil {
				t.Fatal(err)
			}
			variables["key"], variables["license"] = issued.IssueLicense.Key, issued.IssueLicense.License.ID
		}
	}
}

// run executes one operation of a document, and gives its data.
func (c client) run(t *testing.T, document, operation string, variables map[string]any) json.RawMessage {
	t.Helper()
	request, err := json.Marshal(map[string]any{"query": document, "operationName": operation, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	_, body, err := post(c.url+"/graphql", c.token, request)
	var answer struct {
		Data   json.RawMessage
		Errors []*refusal
	}
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.Errors != nil {
		t.Fatalf("%s: %v %s", operation, err, body)
	}
	return answer.Data
}

// watch runs a subscription as the page does, issues licenses until that has
// shown something, and gives its data.
func (c client) watch(t *testing.T, document, operation string, variables map[string]any) json.RawMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	page := node(ctx, c.token, "page.mjs", c.url, pageRequest(t, document, operation, variables), "1")
	var shown, problems bytes.Buffer
	page.Stdout, page.Stderr = &shown, &problems
	ended := make(chan error, 1)
	go func() { ended <- page.Run() }()
	for n := 0; ; n++ {
		select {
		case err := <-ended:
			var answer struct{ Data json.RawMessage }
			if err != nil || decodeAll(shown.Bytes(), &answer) != nil {
				t.Fatalf("%s: %v %s%s", operation, err, &shown, &problems)
			}
			return answer.Data
		default:
			c.issueOne(t, fmt.Sprint("watched-", n))
		}
	}
}

// GraphiQL asks for the schema before anybody put a token in.
func TestAnybodyIsShownTheSchema(t *testing.T) {
	openSources(t)
	_, c := serveDev(t, t.TempDir())
	node := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval",
		`import { getIntrospectionQuery } from 'graphql'; console.log(getIntrospectionQuery({ inputValueDeprecation: true }))`)
	node.Dir = "npm"
	query, err := node.Output()
	if err != nil {
		t.Fatal(err)
	}
	c.token = ""
	schema := c.run(t, string(query), "IntrospectionQuery", nil)
	if !bytes.Contains(schema, []byte(`"ValidateInput"`)) {
		t.Errorf("%.500s", schema)
	}
}
