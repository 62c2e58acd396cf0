// Package engines starts the database engines that tests and benchmarks run
// against, each on a free port of 127.0.0.1 and in a temporary directory of its
// own. Nothing that is shipped imports it. A package that shares an engine among
// its tests gives them to Main:
//
//	func TestMain(m *testing.M) { engines.Main(m) }
//
// An engine that is not installed fails the test that asks for it, and says
// what installs it. Where this process is root's, engines are the user's of
// Debian's package of PostgreSQL.
package engines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
)

// Tests is what Main runs: a *testing.M.
type Tests interface{ Run() int }

// Main runs the tests, stops the engines that they shared and ends the program.
func Main(tests Tests) { os.Exit(Run(tests)) }

// Run is Main for a TestMain that has more to do before the program ends.
func Run(tests Tests) int {
	shared.open()
	status := tests.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// shared is the one of this test binary.
var shared sharing

// sharing holds the engines that all tests use, because to start one takes a
// second. Each is started when a test first asks for it.
type sharing struct {
	guard    sync.Mutex // guards what follows, while an engine starts too
	opened   bool
	postgres *PostgresServer
}

func (s *sharing) open() {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.opened = true
}

func (s *sharing) close() error {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.opened = false
	if s.postgres == nil {
		return nil
	}
	return s.postgres.Close()
}

// errNotShared is a mistake in the package of the test.
var errNotShared = errors.New("nothing would stop the engine: TestMain must give the tests to engines.Main")

func (s *sharing) startedPostgres(ctx context.Context) (*PostgresServer, error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	if !s.opened {
		return nil, errNotShared
	}
	if s.postgres == nil {
		server, err := StartPostgres(ctx, PostgresOptions{})
		if err != nil {
			return nil, err
		}
		s.postgres = server
	}
	return s.postgres, nil
}

// closeAfter closes a server when the test ends.
func closeAfter(t testing.TB, server io.Closer) {
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}
