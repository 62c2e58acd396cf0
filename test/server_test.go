package test_test

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyWithin = 30 * time.Second
	endsWithin  = 45 * time.Second // a shutdown waits 30 s for what is in flight
)

// errEarly is the end of a program that never listened.
var errEarly = errors.New("ended before it listened")

// A server is a running keywright that listens at URL.
type server struct {
	URL    string
	Stdout *output
	Stderr *output

	cmd   *exec.Cmd
	ended chan struct{} // closed once err is set
	err   error
}

// start runs keywright in dir and waits until it says where it listens. The
// server is there even with an error, for its output.
func start(dir string, env []string, args ...string) (*server, error) {
	s := &server{
		Stdout: &output{listens: make(chan string, 1)},
		Stderr: &output{},
		cmd:    exec.Command("keywright", args...),
		ended:  make(chan struct{}),
	}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, env, s.Stdout, s.Stderr
	if err := s.cmd.Start(); err != nil {
		return s, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	select {
	case s.URL = <-s.Stdout.listens:
		return s, nil
	case <-s.ended:
		return s, fmt.Errorf("%w: %v\n%s%s", errEarly, s.cmd.ProcessState, s.Stdout, s.Stderr)
	case <-time.After(readyWithin):
		s.kill()
		return s, fmt.Errorf("not listening after %v\n%s%s", readyWithin, s.Stdout, s.Stderr)
	}
}

// stop asks the server to end, and fails unless it ends well.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the server had ended before: %w\n%s", err, s.Stderr)
	}
	select {
	case <-s.ended:
	case <-time.After(endsWithin):
		s.kill()
		return fmt.Errorf("still there %v after SIGTERM\n%s", endsWithin, s.Stderr)
	}
	if s.err != nil {
		return fmt.Errorf("%w\n%s", s.err, s.Stderr)
	}
	return nil
}

// kill ends the server at once, as a crash of the program would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
}

// output keeps what a program writes while it writes.
type output struct {
	listens chan string // takes the address once; nil where none is expected

	mu    sync.Mutex // guards what follows
	text  strings.Builder
	found bool // the address is sent
}

var listening = regexp.MustCompile(`(?m)^Keywright listens on (http\S+)\n`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if o.listens != nil && !o.found {
		if address := listening.FindStringSubmatch(o.text.String()); address != nil {
			o.listens <- address[1]
			o.found = true
		}
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
