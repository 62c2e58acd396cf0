package test_test

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// Where Node.js or its packages are missing, this fails: make test installs
// both.
func TestTheDeclarationsOfEventsAreTypeScript(t *testing.T) {
	openSources(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	compile := exec.CommandContext(ctx, "node", "node_modules/typescript/bin/tsc", "--project", ".")
	compile.Dir = "typescript"
	if output, err := compile.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
