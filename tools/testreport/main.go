// Command testreport reads what go test -json writes. It prints a line for
// each package and all that failed tests wrote, and fails if a test did, or if
// none passed. The file that is its argument gets the line "N passed, M
// failed", and then a line for each test that was skipped.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: go test -json ./... | testreport FILE")
	}
	r := newReport(out)
	if err := r.read(in); err != nil {
		return err
	}
	if err := os.WriteFile(args[0], []byte(r.summary()), 0o600); err != nil {
		return err
	}
	if r.failed > 0 || r.passed == 0 {
		return fmt.Errorf("%d passed, %d failed", r.passed, r.failed)
	}
	return nil
}
