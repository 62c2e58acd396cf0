package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// An event is a line of go test -json (go doc test2json, go help buildjson).
type event struct {
	Action  string
	Package string
	Test    string // empty: the package as a whole
	Elapsed float64
	Output  string
}

type test struct{ pkg, name string }

// A report counts tests and subtests as go test does, each by itself. A
// package that fails without a failed test, as where it does not build, counts
// as one failure.
type report struct {
	out     io.Writer
	output  map[test]string // of what is not yet over
	results map[string]*result

	passed, failed int
	skipped        []string
}

// A result is the count of one package.
type result struct{ passed, failed int }

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[test]string{}, results: map[string]*result{}}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(r.out, line) // the go command's own words
		return
	}
	about := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.output[about] += e.Output
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
		delete(r.output, about)
	}
}

func (r *report) endTest(e event) {
	of := r.result(e.Package)
	switch e.Action {
	case "pass":
		of.passed++
	case "fail":
		of.failed++
		fmt.Fprint(r.out, r.output[test{e.Package, e.Test}])
	case "skip":
		r.skipped = append(r.skipped, e.Package+" "+e.Test+reason(r.output[test{e.Package, e.Test}]))
	}
}

// reason gives what a skipped test said of it, from its output.
func reason(output string) string {
	var said string
	for line := range strings.Lines(output) {
		if file, text, ok := strings.Cut(line, ".go:"); ok && strings.HasPrefix(file, "    ") { // and its line
			_, said, _ = strings.Cut(strings.TrimSpace(text), ":")
		}
	}
	if said == "" {
		return ""
	}
	return ":" + said
}

func (r *report) endPackage(e event) {
	of := r.result(e.Package)
	if e.Action == "fail" {
		of.failed = max(of.failed, 1)
		r.flush(e.Package)
	}
	r.passed += of.passed
	r.failed += of.failed
	if of.passed+of.failed > 0 {
		fmt.Fprintf(r.out, "%-4s %7.2f s  %4d passed  %s\n", e.Action, e.Elapsed, of.passed, e.Package)
	}
}

// flush prints what is left of a failed package: its own output, and that of
// tests that never came to their end.
func (r *report) flush(pkg string) {
	for t, output := range r.output {
		if t.pkg == pkg {
			fmt.Fprint(r.out, output)
			delete(r.output, t)
		}
	}
}

func (r *report) result(pkg string) *result {
	if r.results[pkg] == nil {
		r.results[pkg] = &result{}
	}
	return r.results[pkg]
}

func (r *report) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d passed, %d failed\n", r.passed, r.failed)
	for _, name := range r.skipped {
		fmt.Fprintf(&text, "skipped: %s\n", name)
	}
	return text.String()
}
