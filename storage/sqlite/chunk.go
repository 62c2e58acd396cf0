package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/keywright/keywright/storage"
)

// Entries are kept in chunks, so that they are compressed together and one of
// them is not read at the price of a block. An entry is its id, type, actor
// and product, the number of its subjects and each of them, and its body; a
// text stands behind its length.
const (
	chunkEntries = 64
	chunkBytes   = 32 << 10
)

// chunks cuts the entries of a block.
func chunks(entries []storage.Entry) [][]storage.Entry {
	var all [][]storage.Entry
	from, size := 0, 0
	for i, e := range entries {
		if i > from && (i-from == chunkEntries || size+len(e.Body) > chunkBytes) {
			all, from, size = append(all, entries[from:i]), i, 0
		}
		size += len(e.Body)
	}
	return append(all, entries[from:])
}

func encodeChunk(entries []storage.Entry) []byte {
	var plain []byte
	for _, e := range entries {
		plain = appendEntry(plain, e)
	}
	return plain
}

func decodeChunk(data []byte) ([]storage.Entry, error) {
	r := chunkReader{plain: data, text: string(data)}
	entries := make([]storage.Entry, 0, chunkEntries)
	for r.at < len(r.plain) {
		entries = append(entries, r.entry())
		if r.bad {
			return nil, errChunk
		}
	}
	return entries, nil
}

var errChunk = errors.New("a chunk of the log is damaged")

func appendEntry(to []byte, e storage.Entry) []byte {
	for _, text := range []string{e.ID, e.Type, e.Actor, e.Product} {
		to = appendText(to, text)
	}
	to = binary.AppendUvarint(to, uint64(len(e.Subjects)))
	for _, id := range e.Subjects {
		to = appendText(to, id)
	}
	return appendText(to, string(e.Body))
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

func decodeEntry(data []byte) (storage.Entry, error) {
	r := chunkReader{plain: data, text: string(data)}
	e := r.entry()
	if r.bad || r.at != len(r.plain) {
		return storage.Entry{}, errChunk
	}
	return e, nil
}

// chunkReader reads entries, which share its memory. What cannot be read is
// bad from there on.
type chunkReader struct {
	plain    []byte
	text     string // the same, so that no text is copied by itself
	at       int
	bad      bool
	subjects []string
}

func (r *chunkReader) entry() storage.Entry {
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
	from, to := r.span()
	e.Body = r.plain[from:to:to]
	return e
}

func (r *chunkReader) next() string {
	from, to := r.span()
	return r.text[from:to]
}

// span gives where the next text stands, and goes behind it.
func (r *chunkReader) span() (from, to int) {
	size := r.number()
	if r.bad || size > uint64(len(r.plain)-r.at) {
		r.bad = true
		return 0, 0
	}
	from = r.at
	r.at += int(size)
	return from, r.at
}

func (r *chunkReader) number() uint64 {
	n, size := binary.Uvarint(r.plain[r.at:])
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.at += size
	return n
}
