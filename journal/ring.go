package journal

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/keywright/keywright/storage"
)

// ringBytes bounds a ring. An entry is reckoned as twice its body, since it is
// there as bytes and decoded, and what lies around it.
const (
	ringBytes   = 4 << 20
	entryAround = 512
)

// ring holds the last entries of the log, as far as they were read since the
// server started. A ring does not change; followers read the one that they
// have without a lock.
type ring struct {
	first   int64 // the index of entries[0]
	bytes   int
	entries []*logged
}

// logged is an entry of the log that is decoded once for all who follow.
type logged struct {
	storage.Logged
	once  sync.Once
	event *Event
	err   error
}

func (e *logged) decoded() (*Event, error) {
	e.once.Do(func() { e.event, e.err = EventOf(e.Logged) })
	return e.event, e.err
}

func (e *logged) size() int { return 2*len(e.Body) + entryAround }

func (r ring) next() int64 { return r.first + int64(len(r.entries)) }

// with gives a ring of at most limit entries, with a block's added and the
// oldest left out. Of the rings that share memory only the newest may be asked:
// what it appends lies behind the end of all others.
func (r ring) with(b storage.Block, limit int) ring {
	if b.First != r.next() {
		r = ring{first: b.First}
	}
	for i, e := range b.Entries {
		one := &logged{Logged: storage.Logged{Index: b.First + int64(i), At: b.At, Entry: apart(e)}}
		r.bytes += one.size()
		r.entries = append(r.entries, one)
	}
	drop := 0
	for r.bytes > ringBytes || len(r.entries)-drop > limit {
		r.bytes -= r.entries[drop].size()
		drop++
	}
	if drop > 0 { // a copy, so that nothing holds what was left out
		r.first += int64(drop)
		r.entries = slices.Clone(r.entries[drop:])
	}
	return r
}

// apart gives an entry in memory of its own: what storage gave may share that
// with entries that are not kept.
func apart(e storage.Entry) storage.Entry {
	texts := strings.Join(append([]string{e.ID, e.Type, e.Actor, e.Product}, e.Subjects...), "")
	cut := func(text string) string {
		mine := texts[:len(text)]
		texts = texts[len(text):]
		return mine
	}
	e.ID, e.Type, e.Actor, e.Product = cut(e.ID), cut(e.Type), cut(e.Actor), cut(e.Product)
	e.Subjects, e.Body = slices.Clone(e.Subjects), bytes.Clone(e.Body)
	for i, id := range e.Subjects {
		e.Subjects[i] = cut(id)
	}
	return e
}

// from gives the entries from the index of one on, and false if the ring does
// not go back that far.
func (r ring) from(index int64) ([]*logged, bool) {
	if index < r.first {
		return nil, false
	}
	return r.entries[index-r.first:], true
}
