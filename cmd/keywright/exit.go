package main

import (
	"errors"

	"github.com/keywright/keywright/journal"
)

// The codes that the program ends with where something is wrong.
const (
	exitFailed   = 1
	exitRestored = 3 // journal verify: all that is wrong is what a restored backup leaves behind
)

// exitCode gives the code that an error ends the program with.
func exitCode(err error) int {
	var loss *journal.Loss
	var found *journal.Finding
	if errors.As(err, &loss) && !errors.As(err, &found) {
		return exitRestored
	}
	return exitFailed
}
