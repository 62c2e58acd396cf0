package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	tellPerson = 250 * time.Millisecond
	tellLog    = 10 * time.Second
)

// teller tells how far a long run is: a person who looks on, in a line that
// the next takes the place of and that end takes away, and else in a line now
// and then.
type teller struct {
	to     io.Writer
	person bool
	last   time.Time
}

func newTeller(to io.Writer) *teller {
	return &teller{to: to, person: isTerminal(to), last: time.Now()}
}

func (t *teller) say(format string, args ...any) {
	now := time.Now()
	switch since := now.Sub(t.last); {
	case t.person && since > tellPerson:
		fmt.Fprintf(t.to, "\r"+format+"\x1b[K", args...)
	case !t.person && since > tellLog:
		fmt.Fprintf(t.to, "keywright: "+format+"\n", args...)
	default:
		return
	}
	t.last = now
}

func (t *teller) end() {
	if t.person {
		fmt.Fprint(t.to, "\r\x1b[K")
	}
}

// isTerminal reports whether it is one that a person looks at, or types into.
func isTerminal(stream any) bool {
	f, isFile := stream.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress tells how far a long run is where a person looks on; else it is nil.
func progress(to io.Writer) (tell func(entries int64), end func()) {
	t := newTeller(to)
	if !t.person {
		return nil, t.end
	}
	return func(entries int64) { t.say("%d entries", entries) }, t.end
}
