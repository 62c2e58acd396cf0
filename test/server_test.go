package test_test

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

const (
	readyWithin = 30 * time.Second
	endsWithin  = 45 * time.Second // a shutdown waits 30 s for what is in flight
)

var listening = regexp.MustCompile(`(?m)^Keywright listens on (http\S+)\n`)

// errEarly is the end of a program that was yet to say something.
var errEarly = errors.New("ended before it said so")

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
	s, err := launch(dir, env, args...)
	if err != nil {
		return s, err
	}
	found, err := s.await(listening)
	if err != nil {
		return s, err
	}
	s.URL = found[1]
	return s, nil
}

// launch runs keywright in dir and waits for nothing.
func launch(dir string, env []string, args ...string) (*server, error) {
	s := &server{
		Stdout: newOutput(),
		Stderr: newOutput(),
		cmd:    exec.Command("keywright", args...),
		ended:  make(chan struct{}),
	}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, env, s.Stdout, s.Stderr
	waited, err := engines.Start(s.cmd, syscall.SIGKILL)
	if err != nil {
		return s, err
	}
	go func() {
		s.err = <-waited
		close(s.ended)
	}()
	return s, nil
}

// probes gives the address before the names of the probes of a server that was
// started with --ops-listen.
func (s *server) probes() (address string, err error) {
	found, err := s.await(regexp.MustCompile(`(?m)^Probes: (\S+)/healthz `))
	if err != nil {
		return "", err
	}
	return found[1], nil
}

// await waits until the standard output has the pattern, and gives what
// regexp.FindStringSubmatch finds. The server is killed where it does not.
func (s *server) await(pattern *regexp.Regexp) ([]string, error) { return s.awaitIn(s.Stdout, pattern) }

// logs waits until the log of a server that runs has the pattern. What is read
// of a program lags behind what it writes.
func (s *server) logs(pattern *regexp.Regexp) error {
	_, err := s.awaitIn(s.Stderr, pattern)
	return err
}

func (s *server) awaitIn(o *output, pattern *regexp.Regexp) ([]string, error) {
	timeout := time.After(readyWithin)
	for ended := false; ; {
		text, changed := o.read()
		if found := pattern.FindStringSubmatch(text); found != nil {
			return found, nil
		}
		if ended {
			return nil, fmt.Errorf("%w: %v\n%s%s", errEarly, s.cmd.ProcessState, s.Stdout, s.Stderr)
		}
		select {
		case <-changed:
		case <-s.ended: // and with it what it wrote
			ended = true
		case <-timeout:
			s.kill()
			return nil, fmt.Errorf("no %v after %v\n%s%s", pattern, readyWithin, s.Stdout, s.Stderr)
		}
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

// aMoment passes between two looks at what others are to bring about.
func aMoment() { <-time.After(20 * time.Millisecond) }

// kill ends the server at once, as a crash of the program would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
}

// output keeps what a program writes while it writes.
type output struct {
	mu      sync.Mutex // guards what follows
	text    []byte
	changed chan struct{} // closed by the next write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	close(o.changed)
	o.changed = make(chan struct{})
	return len(p), nil
}

// read gives the text so far, and a channel that is closed once there is more.
func (o *output) read() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text), o.changed
}

func (o *output) String() string {
	text, _ := o.read()
	return text
}
