package sqlstore

import (
	"encoding/binary"
	"errors"

	"github.com/keywright/keywright/storage"
)

// An entry is kept as its id, type, actor and product, the number of its
// subjects and each of them, and its body; each text stands behind its length.

var errDamaged = errors.New("entries are not as they were written")

// AppendEntry adds the encoding of an entry.
func AppendEntry(to []byte, e storage.Entry) []byte {
	for _, text := range []string{e.ID, e.Type, e.Actor, e.Product} {
		to = appendText(to, text)
	}
	to = binary.AppendUvarint(to, uint64(len(e.Subjects)))
	for _, id := range e.Subjects {
		to = appendText(to, id)
	}
	return appendText(to, e.Body)
}

func appendText[T string | []byte](to []byte, text T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// DecodeEntry reads one entry, which shares the memory of data.
func DecodeEntry(data []byte) (storage.Entry, error) {
	r := entryReader{plain: data, text: string(data)}
	e := r.entry()
	if r.bad || r.at != len(r.plain) {
		return storage.Entry{}, errDamaged
	}
	return e, nil
}

// entryReader reads entries, which share its memory. What cannot be read is
// bad from there on.
type entryReader struct {
	plain    []byte
	text     string // the same, so that no text is copied by itself
	at       int
	bad      bool
	subjects []string
}

func (r *entryReader) entry() storage.Entry {
	e := storage.Entry{ID: r.next(), Type: r.next(), Actor: r.next(), Product: r.next()}
	if count := r.number(); count > 0 && count <= storage.MaxSubjects {
		from := len(r.subjects)
		for range count {
			r.subjects = append(r.subjects, r.next())
		}
		e.Subjects = r.subjects[from:len(r.subjects):len(r.subjects)]
	} else if count != 0 {
		r.bad = true
	}
	e.Body = r.bytes()
	return e
}

func (r *entryReader) bytes() []byte {
	from, to := r.span()
	return r.plain[from:to:to]
}

func (r *entryReader) next() string {
	from, to := r.span()
	return r.text[from:to]
}

// span gives where the next text stands, and goes behind it.
func (r *entryReader) span() (from, to int) {
	size := r.number()
	if r.bad || size > uint64(len(r.plain)-r.at) {
		r.bad = true
		return 0, 0
	}
	from = r.at
	r.at += int(size)
	return from, r.at
}

func (r *entryReader) number() uint64 {
	n, size := binary.Uvarint(r.plain[r.at:])
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.at += size
	return n
}

func (r *entryReader) signed() int64 {
	n, size := binary.Varint(r.plain[r.at:])
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.at += size
	return n
}
