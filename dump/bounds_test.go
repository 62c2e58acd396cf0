package dump_test

import (
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/storage"
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

func TestARecordLargerThanAnyIsNotReadToItsEnd(t *testing.T) {
	all := lines(written(t, filled(t, 1)))
	seat := all[lineWith(t, all, "seat")]
	begin := strings.Join(all[:lineWith(t, all, "seat")], "")
	from := &endless{Reader: strings.NewReader(begin), line: seat}
	r, err := dump.NewReader(from)
	dump.ReadAtMost(r, 1<<20)
	for err == nil {
		_, err = r.Next()
	}
	refused(t, err, "more than the 1048576 bytes that a record may have")
	if from.read > 4<<20 {
		t.Errorf("it is refused after %d bytes", from.read)
	}
}

func TestARecordThatCouldNotBeReadIsNotWritten(t *testing.T) {
	w, err := dump.NewWriter(io.Discard, dump.Header{Format: dump.Format})
	if err != nil {
		t.Fatal(err)
	}
	dump.WriteAtMost(w, 1<<20)
	record := storage.Whole{Stored: storage.Stored{Record: storage.Record{ID: "lic_a", Kind: storage.License, Body: []byte("{}")}}}
	for range 2 {
		if err := w.Record(record); err != nil {
			t.Fatal(err)
		}
		record.Seats = append(record.Seats, storage.Seat{ID: "act_a", Body: []byte(`"` + strings.Repeat("a", 900<<10) + `"`)})
	}
	record.Seats = append(record.Seats, record.Seats[0])
	refused(t, w.Record(record), "the license lic_a has more than")
}
