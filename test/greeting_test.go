package test_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// greeting finds the two indented blocks of commands that --dev prints.
var greeting = regexp.MustCompile(`(?s)\n\n((?:  [^\n]*\n)+)\n.*?\n\n((?:  [^\n]*\n)+)\n`)

func TestPrintedCommandsIssueAndValidateALicense(t *testing.T) {
	openSources(t)
	dir := t.TempDir()
	server, err := start(dir, os.Environ(), "serve", "--dev", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, server)
	commands, err := server.await(greeting)
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands[1]+commands[2])
	shell.Dir = dir
	output, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s%s: %v\n%s", commands[1], commands[2], err, output)
	}
	if !strings.Contains(string(output), `"valid":true`) {
		t.Errorf("%s%s print %s", commands[1], commands[2], output)
	}
}

// stopAfter stops the server when the test is over.
func stopAfter(t *testing.T, s *server) {
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}
