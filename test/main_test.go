package test_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

// notSources are directories of the root that git ignores, or its own. What is
// in a node_modules is in the lock beside it.
var notSources = []string{"../.git", "../.tools", "../bin", "../data"}

// TestMain builds the program once and puts it first in PATH.
func TestMain(m *testing.M) {
	status, err := withProgram(func() int { return engines.Run(m) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func withProgram(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "keywright-test")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)

	args := []string{"build", "-buildvcs=false", "-o", filepath.Join(dir, "keywright")}
	if underRace() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/keywright")...)
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build: %w\n%s", err, output)
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return 0, err
	}
	return run(), nil
}

// openSources opens every directory of the repository. go test takes an earlier
// result for good while what the tests themselves opened is unchanged: it sees
// neither what the build reads nor what TestMain does.
func openSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (slices.Contains(notSources, path) || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// underRace reports whether this test runs under the race detector; the
// program does so then too, and ends with an error where it raced.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
