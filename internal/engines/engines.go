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
	mongodb  *MongoServer
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
	var errs []error
	if s.postgres != nil {
		errs = append(errs, s.postgres.Close())
	}
	if s.mongodb != nil {
		errs = append(errs, s.mongodb.Close())
	}
	return errors.Join(errs...)
}

// errNotShared is a mistake in the package of the test.
var errNotShared = errors.New("nothing would stop the engine: TestMain must give the tests to engines.Main")

func (s *sharing) startedPostgres(ctx context.Context) (*PostgresServer, error) {
	return started(ctx, s, &s.postgres, func(ctx context.Context) (*PostgresServer, error) {
		return StartPostgres(ctx, PostgresOptions{})
	})
}

func (s *sharing) startedMongoDB(ctx context.Context) (*MongoServer, error) {
	return started(ctx, s, &s.mongodb, StartMongoDB)
}

// started gives the server, which it starts for the first who asks.
func started[S any](ctx context.Context, s *sharing, server **S, start func(context.Context) (*S, error)) (*S, error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	if !s.opened {
		return nil, errNotShared
	}
	if *server == nil {
		first, err := start(ctx)
		if err != nil {
			return nil, err
		}
		*server = first
	}
	return *server, nil
}

// closeAfter closes a server when the test ends.
func closeAfter(t testing.TB, server io.Closer) {
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}
