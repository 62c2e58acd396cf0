package wire

import (
	"io"
	"sync"
	"time"
)

// stride is how much a client has to take within its patience.
const stride = 16 << 10

// pace gives a client time for each part of what is written to it: who is slow
// and goes on is waited for, who stands still is not.
type pace struct {
	patience Patience
	set      func(time.Time) error // the deadline of what is written

	mu     sync.Mutex // guards what follows
	latest time.Time  // what no deadline comes after, if not zero
	over   bool       // no deadline is set any more
}

// write writes text by strides, each with a deadline of its own.
func (p *pace) write(to io.Writer, text []byte) (written int, err error) {
	for len(text) > 0 && err == nil {
		if err = p.extend(); err != nil {
			break
		}
		var n int
		n, err = to.Write(text[:min(len(text), stride)])
		written, text = written+n, text[n:]
	}
	return written, err
}

// extend gives time for a part.
func (p *pace) extend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now().Add(p.patience.Progress)
	if !p.latest.IsZero() && p.latest.Before(at) {
		at = p.latest
	}
	return p.set(at)
}

// hurry bounds what is being written, and all that comes.
func (p *pace) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.latest = time.Now().Add(p.patience.Farewell); !p.over {
		_ = p.set(p.latest) // a connection that is closed needs none
	}
}

// end lets hurry do nothing more.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
