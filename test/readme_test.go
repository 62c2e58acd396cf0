package test_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readmeURL is where the README's server listens; the test's own listens
// elsewhere.
const readmeURL = "http://127.0.0.1:8080"

// The tour is run as a reader would: one shell, in a directory with bin/ and
// data/, while keywright serve --dev runs there. A block of another kind
// behind a block of sh is what the commands print; in it … or {{…}} stands for
// any text within a line, and a line of … alone for any lines.
func TestReadmeTour(t *testing.T) {
	openSources(t)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := tour(string(readme))
	if len(steps) == 0 {
		t.Fatal("README.md has no blocks of sh under a heading \"A tour\"")
	}
	dir := t.TempDir()
	server := serveTour(t, dir)
	outputs := runTour(t, dir, server.URL, steps)
	for i, step := range steps {
		if step.output == "" {
			continue
		}
		got := strings.ReplaceAll(outputs[i], server.URL, readmeURL)
		if !pattern(step.output).MatchString(got) {
			t.Errorf("%s\nprints (-README +now):\n%s", step.commands, cmp.Diff(step.output, got))
		}
	}
}

func serveTour(t *testing.T, dir string) *server {
	program, err := exec.LookPath("keywright")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin", "keywright")); err != nil {
		t.Fatal(err)
	}
	server, err := start(dir, os.Environ(), "serve", "--dev", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, server)
	return server
}

// runTour runs all steps in one shell, so that a later one finds the variables
// of an earlier, and gives what each wrote to its standard output.
func runTour(t *testing.T, dir, url string, steps []step) []string {
	results := t.TempDir()
	file := func(i int) string { return filepath.Join(results, fmt.Sprint(i)) }
	script := "set -euo pipefail\n"
	for i, step := range steps {
		script += fmt.Sprintf("{\n%s\n} >'%s'\n", strings.ReplaceAll(step.commands, readmeURL, url), file(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script)
	shell.Dir = dir
	shell.WaitDelay = time.Second
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("bash: %v\n%s", err, output)
	}
	outputs := make([]string, len(steps))
	for i := range steps {
		text, err := os.ReadFile(file(i))
		if err != nil {
			t.Fatal(err)
		}
		outputs[i] = string(text)
	}
	return outputs
}

// A step of the tour: commands, and what they print, empty where the README
// does not show it.
type step struct{ commands, output string }

var (
	heading = regexp.MustCompile(`^(#+) (.*?)\s*$`)
	fence   = regexp.MustCompile("^```(\\w*)\\s*$")
)

// tour takes the steps out of a text in Markdown.
func tour(markdown string) []step {
	var (
		steps []step
		level int     // of the tour's heading; 0 outside of the tour
		block *string // what the lines of the open block are added to
	)
	for line := range strings.Lines(markdown) {
		mark := fence.FindStringSubmatch(line)
		switch {
		case block != nil && mark != nil:
			block = nil
		case block != nil:
			*block += line
		case mark != nil && level > 0 && mark[1] == "sh":
			steps = append(steps, step{})
			block = &steps[len(steps)-1].commands
		case mark != nil && level > 0 && len(steps) > 0 && steps[len(steps)-1].output == "":
			block = &steps[len(steps)-1].output
		case mark != nil:
			block = new(string)
		default:
			level = levelAfter(line, level)
		}
	}
	return steps
}

func levelAfter(line string, level int) int {
	found := heading.FindStringSubmatch(line)
	switch {
	case found == nil:
		return level
	case found[2] == "A tour":
		return len(found[1])
	case len(found[1]) <= level:
		return 0
	}
	return level
}

var (
	anything = regexp.MustCompile(`\{\{.*?\}\}|…`)
	anyLines = "(?s:.*)"
)

// pattern makes the expression that a shown output stands for.
func pattern(shown string) *regexp.Regexp {
	var lines []string
	for line := range strings.Lines(strings.TrimRight(shown, "\n")) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "…" {
			lines = append(lines, anyLines)
			continue
		}
		parts := anything.Split(line, -1)
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		lines = append(lines, strings.Join(parts, ".+"))
	}
	return regexp.MustCompile("^" + strings.Join(lines, "\n") + `\n*$`)
}

func TestTourFindsCommandsAndOutputs(t *testing.T) {
	const markdown = "# Keywright\n```sh\nmake run\n```\n" +
		"## A tour\nFirst\n```sh\nA=1 # not a heading\n# nor this\n```\n```sh\necho $A\n```\nprints\n```json\n1\n```\n" +
		"### More\n```sh\ntrue\n```\n## Rooms\n```sh\nfalse\n```\n"
	want := []step{
		{commands: "A=1 # not a heading\n# nor this\n"},
		{commands: "echo $A\n", output: "1\n"},
		{commands: "true\n"},
	}
	if diff := cmp.Diff(want, tour(markdown), cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("tour (-want +got):\n%s", diff)
	}
}

func TestPatternMatchesOnlyWhatIsShown(t *testing.T) {
	for _, tc := range []struct {
		shown, got string
		want       bool
	}{
		{"a.b\n", "a.b\n", true},
		{"a.b\n", "axb\n", false},
		{"a\n", "a\nb\n", false},
		{"b\n", "a\nb\n", false},
		{`{"key":"…"}`, `{"key":"ACME-1"}` + "\n", true},
		{`{"key":"{{the key}}"}`, `{"key":"ACME-1"}`, true},
		{`{"key":"…"}`, `{"key":""}`, false},
		{`{"key":"…"}`, "{\"key\":\"a\nb\"}", false},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "a\nb\nc\n", false},
	} {
		if got := pattern(tc.shown).MatchString(tc.got); got != tc.want {
			t.Errorf("%q matches %q: %t", tc.shown, tc.got, got)
		}
	}
}
