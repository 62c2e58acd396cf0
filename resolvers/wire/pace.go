package wire

import (
	"io"
	"time"
)

// stride is how much a client has to take within its patience.
const stride = 16 << 10

// writePaced writes text by strides, each with a deadline of its own: who is
// slow and goes on is waited for, who stands still is not.
func writePaced(to io.Writer, deadline func(time.Time) error, patience time.Duration, text []byte) (written int, err error) {
	for len(text) > 0 && err == nil {
		if err = deadline(time.Now().Add(patience)); err != nil {
			break
		}
		var n int
		n, err = to.Write(text[:min(len(text), stride)])
		written, text = written+n, text[n:]
	}
	return written, err
}
