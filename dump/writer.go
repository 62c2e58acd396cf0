package dump

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/keywright/keywright/storage"
)

// Writer writes a stream.
type Writer struct {
	Counts // of what was written

	out  *bufio.Writer
	sum  hash.Hash
	text bytes.Buffer
	json *json.Encoder
	size int // of the lines of a record so far
	most int // of all of them
}

// NewWriter begins a stream.
func NewWriter(to io.Writer, h Header) (*Writer, error) {
	w := newWriter(bufio.NewWriterSize(to, 256<<10))
	return w, w.write(h)
}

func newWriter(to *bufio.Writer) *Writer {
	w := &Writer{out: to, sum: sha256.New(), most: MaxRecord}
	w.json = json.NewEncoder(&w.text)
	w.json.SetEscapeHTML(false)
	return w
}

func (w *Writer) write(what any) error {
	w.text.Reset()
	if err := w.json.Encode(what); err != nil {
		return err
	}
	if w.text.Len() > MaxLine {
		return fmt.Errorf("is longer than the %d bytes that a line may have", MaxLine)
	}
	w.size += w.text.Len()
	w.sum.Write(w.text.Bytes())
	_, err := w.out.Write(w.text.Bytes())
	return err
}

// Record adds a record. They come in the byte order of their ids, and before
// all blocks.
func (w *Writer) Record(r storage.Whole) error {
	w.addRecord(r)
	w.size = 0
	if err := w.lines(r); err != nil {
		return fmt.Errorf("the %s %s: %w", r.Kind, r.ID, err)
	}
	if w.size > w.most {
		return tooLarge(r.Record, w.most)
	}
	return nil
}

func tooLarge(r storage.Record, most int) error {
	return fmt.Errorf("the %s %s has more than the %d bytes that a record may have", r.Kind, r.ID, most)
}

func (w *Writer) lines(r storage.Whole) error {
	if err := w.write(line{Record: recordOf(r)}); err != nil {
		return err
	}
	for _, s := range r.Seats {
		if err := w.write(line{Seat: &seatLine{s.ID, s.Lease, s.Seen, s.Body}}); err != nil {
			return err
		}
	}
	for _, d := range r.Days {
		if err := w.write(line{Day: &dayLine{d.Day, d.Valid, d.Invalid, d.Values}}); err != nil {
			return err
		}
	}
	for _, e := range r.Pending {
		if err := w.write(line{Pending: (*entryLine)(&e)}); err != nil {
			return err
		}
	}
	return nil
}

// Block adds a block. They come in the order of the log.
func (w *Writer) Block(b storage.Block) error {
	w.addBlock(b)
	if err := w.write(line{Block: &blockLine{b.First, b.At, b.Head}}); err != nil {
		return fmt.Errorf("the block at entry %d: %w", b.First, err)
	}
	for i, e := range b.Entries {
		if err := w.write(line{Entry: (*entryLine)(&e)}); err != nil {
			return fmt.Errorf("entry %d: %w", b.First+int64(i), err)
		}
	}
	return nil
}

// End writes the last line. Without it a stream is worth nothing.
func (w *Writer) End() error {
	if err := w.write(line{End: &endLine{w.Counts, hex.EncodeToString(w.sum.Sum(nil))}}); err != nil {
		return err
	}
	return w.out.Flush()
}
