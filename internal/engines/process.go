package engines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second // with everything else that runs beside the tests
	stopTimeout  = 30 * time.Second
)

// process is a server that this process started.
type process struct {
	command *exec.Cmd
	output  *output
	ended   chan struct{} // closed once it and its children have ended
}

// run starts a server. It dies by the signal last if this process does.
func run(command *exec.Cmd, last syscall.Signal) (*process, error) {
	p := &process{command: command, output: &output{}, ended: make(chan struct{})}
	// Not files: so Wait waits for the children too, which hold the pipe.
	command.Stdout, command.Stderr = p.output, p.output
	command.SysProcAttr = unprivileged()
	command.Dir = "/" // our own may be closed to that user
	waited, err := Start(command, last)
	if err != nil {
		return p, err
	}
	go func() {
		defer close(p.ended)
		fmt.Fprintln(p.output, "ended:", <-waited)
	}()
	return p, nil
}

// Start starts a command, which dies by the signal last if this process does,
// and gives what its Wait will say.
func Start(command *exec.Cmd, last syscall.Signal) (waited <-chan error, err error) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	dieWithParent(command.SysProcAttr, last)
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the parent is this thread: it lasts as long as the child
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	return ended, <-started
}

// ready asks until the answer is nil, the process has ended or ctx has.
func (p *process) ready(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		select {
		case <-p.ended: // another may hold the port, and answer
		default:
			if err == nil {
				return nil
			}
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended while it started:\n%s", p.command.Path, p.output)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w\n%s", p.command.Path, errors.Join(err, ctx.Err()), p.output)
		case <-tick.C:
		}
	}
}

// end sends a signal and waits until the process and its children are gone.
func (p *process) end(by syscall.Signal) error {
	if err := p.command.Process.Signal(by); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
		return fmt.Errorf("%s has not ended in %v by %v:\n%s", p.command.Path, stopTimeout, by, p.output)
	}
}

// unprivileged gives the user that servers run as, for some refuse root.
func unprivileged() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	if uid, gid, err := owner(); err == nil && os.Geteuid() == 0 {
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attributes
}

func owner() (uid, gid int, err error) {
	if os.Geteuid() != 0 {
		return os.Getuid(), os.Getgid(), nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, fmt.Errorf("root cannot run engines without that user; scripts/setup.sh installs them: %w", err)
	}
	uid, _ = strconv.Atoi(owner.Uid) // numbers on every Unix
	gid, _ = strconv.Atoi(owner.Gid)
	return uid, gid, nil
}

// directory makes one that the servers' user owns, in another one, or where
// temporary ones are made.
func directory(within string) (string, error) {
	uid, gid, err := owner()
	if err != nil {
		return "", err
	}
	path, err := os.MkdirTemp(within, "keywright-engine-")
	if err != nil {
		return "", err
	}
	return path, os.Chown(path, uid, gid)
}

// freePort gives a port at which nothing listens, and which no process of tests
// is given before it is let go. It is below those that the kernel gives to
// clients, so that a server that was stopped finds its own still free.
func freePort() (port int, taken io.Closer, err error) {
	for range 100 {
		port := 10000 + rand.IntN(22000)
		taken, err := net.ListenPacket("udp", address(port)) // in the way of no server, for those use TCP
		if err != nil {
			continue
		}
		if listener, err := net.Listen("tcp", address(port)); err == nil {
			return port, taken, listener.Close()
		}
		taken.Close()
	}
	return 0, nil, errors.New("no port of 127.0.0.1 is free")
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// output keeps the end of what a server writes.
type output struct {
	guard sync.Mutex
	kept  bytes.Buffer
}

const mostOutput = 1 << 20

func (o *output) Write(p []byte) (int, error) {
	o.guard.Lock()
	defer o.guard.Unlock()
	if o.kept.Len()+len(p) > mostOutput {
		o.kept.Next(o.kept.Len() / 2)
	}
	return o.kept.Write(p)
}

func (o *output) String() string {
	o.guard.Lock()
	defer o.guard.Unlock()
	return o.kept.String()
}
