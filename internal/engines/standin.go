package engines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// standIn finds the server of tools/mongotest, and builds it if scripts/test.sh
// has not: that takes some minutes the first time.
func standIn(ctx context.Context) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	program := filepath.Join(root, ".tools", "bin", "mongotest")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := build(ctx, filepath.Join(root, "tools", "mongotest"), program); err != nil {
		return "", fmt.Errorf("the stand-in for MongoDB is not built; make lint builds it too: %w", err)
	}
	return program, nil
}

// build puts the program in place in one step, for others may build it now.
func build(ctx context.Context, module, program string) error {
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return err
	}
	directory, err := os.MkdirTemp(filepath.Dir(program), "building-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	built := filepath.Join(directory, "mongotest")
	command := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", built, ".")
	command.Dir = module
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", module, err, output)
	}
	return os.Rename(built, program)
}

// repository is the directory above this one that has the stand-in's sources.
func repository() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; directory != filepath.Dir(directory); directory = filepath.Dir(directory) {
		if _, err := os.Stat(filepath.Join(directory, "tools", "mongotest", "go.mod")); err == nil {
			return directory, nil
		}
	}
	return "", errors.New("tools/mongotest is in no directory above this one")
}
