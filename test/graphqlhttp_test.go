package test_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// audits is how many there are in the version of graphql-http that
// npm/package-lock.json pins.
const audits = 61

// Where Node.js or its packages are missing, this fails: make test installs
// both.
func TestGraphQLOverHTTPPassesEveryAudit(t *testing.T) {
	openSources(t)
	_, c := serveDev(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "audits.mjs", c.url+"/graphql")
	node.Dir = "npm"
	var problems strings.Builder
	node.Stderr = &problems
	output, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, output, &problems)
	}

	ids := map[string]bool{}
	for lines := json.NewDecoder(strings.NewReader(string(output))); ; {
		var audit struct{ ID, Name, Status, Reason string }
		if err := lines.Decode(&audit); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		ids[audit.ID] = true
		if audit.Status != "ok" {
			t.Errorf("%s %s: %s: %s", audit.ID, audit.Name, audit.Status, audit.Reason)
		}
	}
	if len(ids) != audits {
		t.Errorf("%d audits ran, not %d:\n%s", len(ids), audits, output)
	}
}
