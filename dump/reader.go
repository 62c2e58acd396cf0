package dump

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/keywright/keywright/storage"
)

// Item is a record or a block of a stream.
type Item struct {
	Record *storage.Whole
	Block  *storage.Block
	Size   int // bytes of its lines
}

// Reader reads a stream. It holds one item and one line at a time, and gives
// nothing that storage would refuse.
type Reader struct {
	Header
	Counts // of what was given

	in     *bufio.Reader
	sum    hash.Hash
	before []byte // what sum was before the line that was read last
	text   []byte
	lines  int
	ahead  *line // that no item has taken yet
	size   int   // of it
	most   int   // bytes of a record
	id     string
	next   int64 // behind the last block
}

// NewReader reads the first line.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(from, 256<<10), sum: sha256.New(), most: MaxRecord}
	text, err := r.readLine()
	if err != nil {
		return nil, err
	}
	var first struct {
		Format string `json:"format"`
	}
	switch err := json.Unmarshal(text, &first); {
	case err != nil || first.Format == "":
		return nil, errors.New("this is not a dump: its first line does not say so")
	case first.Format != Format:
		return nil, fmt.Errorf("this is a stream of the format %q, and this program reads %q: take the keywright that wrote it to load it", first.Format, Format)
	}
	if err := decode(text, &r.Header); err != nil {
		return nil, r.bad(err)
	}
	return r, nil
}

func (r *Reader) bad(err error) error { return fmt.Errorf("line %d of the dump: %w", r.lines, err) }

var errCut = errors.New("the dump ends before its last line: it was cut off, or not written to its end")

// readLine reads a line with its end.
func (r *Reader) readLine() ([]byte, error) {
	r.text, r.before = r.text[:0], r.sum.Sum(r.before[:0])
	for {
		part, err := r.in.ReadSlice('\n')
		r.text = append(r.text, part...)
		switch {
		case len(r.text) > MaxLine:
			r.lines++
			return nil, r.bad(fmt.Errorf("longer than the %d bytes that a line may have", MaxLine))
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, errCut
		case err != nil:
			return nil, fmt.Errorf("the dump could not be read on: %w", err)
		default:
			r.lines++
			r.sum.Write(r.text)
			return r.text, nil
		}
	}
}

// peek gives the next line, which stays until take.
func (r *Reader) peek() (*line, error) {
	if r.ahead != nil {
		return r.ahead, nil
	}
	text, err := r.readLine()
	if err != nil {
		return nil, err
	}
	if r.ahead, err = parse(text); err != nil {
		return nil, r.bad(err)
	}
	r.size = len(text)
	return r.ahead, nil
}

func (r *Reader) take(i *Item) {
	i.Size += r.size
	r.ahead = nil
}

// Next gives the next item, and io.EOF behind the last one of a stream that is
// whole.
func (r *Reader) Next() (Item, error) {
	l, err := r.peek()
	switch {
	case err != nil:
		return Item{}, err
	case l.Record != nil && r.Blocks == 0:
		return r.record(l.Record)
	case l.Block != nil:
		return r.block(l.Block)
	case l.End != nil:
		return Item{}, r.end(l.End)
	}
	return Item{}, r.bad(errors.New("it does not belong here"))
}

func (r *Reader) record(first *recordLine) (i Item, err error) {
	w := first.whole()
	i.Record = &w
	if w.ID <= r.id {
		return Item{}, r.bad(errors.New("the records are not in the order of their ids"))
	}
	r.id = w.ID
	r.take(&i)
	for {
		l, err := r.peek()
		switch {
		case err != nil:
			return Item{}, err
		case l.Seat != nil:
			w.Seats = append(w.Seats, storage.Seat{ID: l.Seat.ID, Lease: l.Seat.Lease, Seen: l.Seat.Seen, Body: l.Seat.Body})
		case l.Day != nil:
			w.Days = append(w.Days, storage.UsageDay{Day: l.Day.Day, Valid: l.Day.Valid, Invalid: l.Day.Invalid, Values: l.Day.Values})
		case l.Pending != nil:
			w.Pending = append(w.Pending, storage.Entry(*l.Pending))
		default:
			if err := w.Check(); err != nil {
				return Item{}, r.bad(fmt.Errorf("the %s %s before it: %w", w.Kind, w.ID, err))
			}
			r.addRecord(w)
			return i, nil
		}
		if r.take(&i); i.Size > r.most {
			return Item{}, r.bad(tooLarge(w.Record, r.most))
		}
	}
}

func (r *Reader) block(first *blockLine) (i Item, err error) {
	b := storage.Block{First: first.First, At: first.At, Head: first.Head}
	i.Block = &b
	if b.First != r.next {
		return Item{}, r.bad(fmt.Errorf("the next entry of the log is %d, and the block begins with %d", r.next, b.First))
	}
	r.take(&i)
	for bodies := 0; ; {
		l, err := r.peek()
		switch {
		case err != nil:
			return Item{}, err
		case l.Entry != nil && len(b.Entries) < storage.MaxBlock && bodies <= storage.MaxBytes: // with more it is refused
			b.Entries = append(b.Entries, storage.Entry(*l.Entry))
			bodies += len(l.Entry.Body)
		default:
			if err := b.Check(); err != nil {
				return Item{}, r.bad(fmt.Errorf("the block at entry %d before it: %w", b.First, err))
			}
			r.next = b.Next()
			r.addBlock(b)
			return i, nil
		}
		r.take(&i)
	}
}

// end checks the last line, which stays: Next says the same again.
func (r *Reader) end(e *endLine) error {
	switch {
	case e.SHA256 != hex.EncodeToString(r.before):
		return r.bad(errors.New("the lines before it are not those that were written: the dump was changed on its way"))
	case !r.same(e.Counts):
		return r.bad(fmt.Errorf("it counts %s, and there were %s", &e.Counts, &r.Counts))
	}
	if r.Log != nil && r.Log.Entries != r.Entries || r.Log == nil && r.Entries != 0 {
		return r.bad(fmt.Errorf("the first line tells of %s, and there were %d entries", r.Log, r.Entries))
	}
	if _, err := r.in.Peek(1); !errors.Is(err, io.EOF) {
		return r.bad(errors.New("it says that it is the last, and more follows"))
	}
	return io.EOF
}
