package dump_test

import (
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/keywright/keywright/dump"
)

// endless is a stream that goes on with one line, and counts what was read.
type endless struct {
	io.Reader
	line string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err == io.EOF {
		e.Reader, err = strings.NewReader(e.line), nil
	}
	e.read += n
	return n, err
}

func TestABlockThatNoStoreWouldTakeIsNotReadToItsEnd(t *testing.T) {
	all := lines(written(t, filled(t, 1)))
	begin := strings.Join(all[:lineWith(t, all, "block")+1], "")
	body := base64.StdEncoding.EncodeToString(make([]byte, 4<<20))
	from := &endless{Reader: strings.NewReader(begin), line: `{"entry":{"id":"evt_a","type":"a","body":"` + body + `"}}` + "\n"}
	r, err := dump.NewReader(from)
	for err == nil {
		_, err = r.Next()
	}
	refused(t, err, "the entries of a block have at most")
	if from.read > 32<<20 {
		t.Errorf("it is refused after %d bytes", from.read)
	}
}
