package storagetest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// trial is a test that keeps to itself what fails in it.
type trial struct {
	testing.TB

	saidMu sync.Mutex
	said   []string
}

// try gives what a test says that fails; none if it passes.
func try(t testing.TB, test func(t testing.TB)) []string {
	one := &trial{TB: t}
	done := make(chan struct{})
	go func() { // which a failure ends
		defer close(done)
		test(one)
	}()
	<-done
	one.saidMu.Lock()
	defer one.saidMu.Unlock()
	return one.said
}

func (t *trial) say(what string) {
	t.saidMu.Lock()
	defer t.saidMu.Unlock()
	t.said = append(t.said, what)
}

func (t *trial) Error(args ...any)                 { t.say(fmt.Sprintln(args...)) }
func (t *trial) Errorf(format string, args ...any) { t.say(fmt.Sprintf(format, args...)) }
func (t *trial) Fail()                             { t.say("failed") }

func (t *trial) FailNow() {
	t.Fail()
	runtime.Goexit()
}

func (t *trial) Fatal(args ...any) {
	t.Error(args...)
	runtime.Goexit()
}

func (t *trial) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

func (t *trial) Failed() bool {
	t.saidMu.Lock()
	defer t.saidMu.Unlock()
	return len(t.said) > 0
}
