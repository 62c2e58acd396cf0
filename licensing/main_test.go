package licensing_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/keywright/keywright/journal/journaltest"
)

// TestMain fails where no test made an entry of some type. What runs only a
// part of the tests is not asked.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && whole() {
		for _, t := range journaltest.NotSeen() {
			fmt.Fprintf(os.Stderr, "no test makes an entry of %s\n", t)
			code = 1
		}
	}
	os.Exit(code)
}

func whole() bool {
	for _, part := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(part); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}
