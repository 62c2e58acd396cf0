package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	tellPerson = 100 * time.Millisecond
	tellLog    = 10 * time.Second
)

// teller tells how far a long run is: a person who looks on by a bar, which end
// takes away, and else by a line now and then.
type teller struct {
	to     io.Writer
	person bool
	last   time.Time // of a line

	bar  *progressbar.ProgressBar // nil where there is none
	what string                   // it is about
}

func newTeller(to io.Writer) *teller {
	return &teller{to: to, person: isTerminal(to), last: time.Now()}
}

// say tells how many of these things are done, of how many. A total of zero is
// one that is not known.
func (t *teller) say(what string, done, total int64) {
	if !t.person {
		t.line(what, done, total)
		return
	}
	if t.bar == nil || t.what != what {
		t.end()
		t.bar, t.what = newBar(t.to, what, total), what
	}
	_ = t.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
}

func (t *teller) line(what string, done, total int64) {
	now := time.Now()
	if now.Sub(t.last) < tellLog {
		return
	}
	t.last = now
	if total > 0 {
		fmt.Fprintf(t.to, "keywright: %d of %d %s\n", done, total, what)
	} else {
		fmt.Fprintf(t.to, "keywright: %d %s\n", done, what)
	}
}

func newBar(to io.Writer, what string, total int64) *progressbar.ProgressBar {
	if total == 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(""),
		progressbar.OptionThrottle(tellPerson),
		progressbar.OptionSetSpinnerChangeInterval(0), // else by a goroutine that nobody ends
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionUseANSICodes(true),
	)
}

func (t *teller) end() {
	if t.bar != nil {
		_ = t.bar.Clear()
		t.bar = nil
	}
}

// isTerminal reports whether it is one that a person looks at, or types into.
func isTerminal(stream any) bool {
	f, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}

func isPipe(stream any) bool {
	f, isFile := stream.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// progress tells how far a long run is where a person looks on; else it is nil.
func progress(to io.Writer) (tell func(entries int64), end func()) {
	t := newTeller(to)
	if !t.person {
		return nil, t.end
	}
	return func(entries int64) { t.say("entries", entries, 0) }, t.end
}
