package engines

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// server is what an engine's server has besides its program. Its methods may be
// called while others use its databases, and by one goroutine at a time.
type server struct {
	directory string
	port      int
	portTaken io.Closer
	running   *process // nil when it is stopped
	logged    *output  // of the last that was started
}

// newServer has no data yet.
func newServer() (server, error) { return newServerIn("") }

// newServerIn has its files where directory makes one.
func newServerIn(within string) (server, error) {
	directory, err := directory(within)
	if err != nil {
		return server{}, err
	}
	port, taken, err := freePort()
	return server{directory: directory, port: port, portTaken: taken}, err
}

// start starts the program and returns when it answers what it is asked.
func (s *server) start(ctx context.Context, last syscall.Signal, ask func(context.Context) error, program string, args ...string) error {
	started, err := run(exec.CommandContext(context.WithoutCancel(ctx), program, args...), last)
	if err != nil {
		return err
	}
	s.running, s.logged = started, started.output
	return started.ready(ctx, ask)
}

// Address is where it listens.
func (s *server) Address() string { return address(s.port) }

// Output is the end of what it logged since it was last started. It lags behind
// until the server was killed.
func (s *server) Output() string {
	if s.logged == nil {
		return ""
	}
	return s.logged.String()
}

// Kill kills the server, and waits until processes of its own have ended too.
func (s *server) Kill() error { return s.end(syscall.SIGKILL) }

func (s *server) end(by syscall.Signal) error {
	if s.running == nil {
		return nil
	}
	err := s.running.end(by)
	if err == nil {
		s.running = nil
	}
	return err
}

// remove kills the server, removes its files and lets its port go.
func (s *server) remove() error {
	err := errors.Join(s.Kill(), os.RemoveAll(s.directory))
	if s.portTaken != nil {
		err = errors.Join(err, s.portTaken.Close())
	}
	return err
}
