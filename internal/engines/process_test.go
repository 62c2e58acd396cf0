package engines_test

import (
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

func TestNoPortIsGivenTwice(t *testing.T) {
	given := map[int]bool{}
	for range 500 { // drawn by chance alone, all would differ in one run of 290
		port, taken, err := engines.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { taken.Close() })
		if given[port] {
			t.Fatalf("%d is given twice", port)
		}
		given[port] = true
	}
}
