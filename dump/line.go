package dump

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/keywright/keywright/storage"
)

// line is any line behind the first: one of these.
type line struct {
	Record  *recordLine `json:"record,omitempty"`
	Seat    *seatLine   `json:"seat,omitempty"`    // of the record before, like the next two
	Day     *dayLine    `json:"day,omitempty"`     //
	Pending *entryLine  `json:"pending,omitempty"` //
	Block   *blockLine  `json:"block,omitempty"`   //
	Entry   *entryLine  `json:"entry,omitempty"`   // of the block before
	End     *endLine    `json:"end,omitempty"`     //
}

type recordLine struct {
	Kind     storage.Kind        `json:"kind"`
	ID       string              `json:"id"`
	Version  int64               `json:"version"`
	Revision int64               `json:"revision"`
	Attempt  string              `json:"attempt"`
	Index    storage.Index       `json:"index"`
	Done     []storage.Operation `json:"done,omitempty"`
	Used     *usedLine           `json:"used,omitempty"`
	Body     json.RawMessage     `json:"body"`
}

type usedLine struct {
	Count int64     `json:"count"`
	Last  time.Time `json:"last,omitzero"`
}

type seatLine struct {
	ID    string          `json:"id"`
	Lease time.Time       `json:"lease,omitzero"`
	Seen  time.Time       `json:"seen,omitzero"`
	Body  json.RawMessage `json:"body"`
}

type dayLine struct {
	Day     storage.Day    `json:"day"`
	Valid   int64          `json:"valid"`
	Invalid int64          `json:"invalid"`
	Values  storage.Values `json:"values,omitempty"`
}

type entryLine struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Actor    string   `json:"actor,omitempty"`
	Product  string   `json:"product,omitempty"`
	Subjects []string `json:"subjects,omitempty"`
	Body     []byte   `json:"body"`
}

type blockLine struct {
	First int64     `json:"first"`
	At    time.Time `json:"at"`
	Head  []byte    `json:"head"`
}

type endLine struct {
	Counts
	SHA256 string `json:"sha256"` // of all lines before
}

func recordOf(w storage.Whole) *recordLine {
	r := &recordLine{
		Kind: w.Kind, ID: w.ID, Version: w.Version, Revision: w.Revision, Attempt: w.Attempt,
		Index: w.Index, Done: w.Done, Body: w.Body,
	}
	if w.Total != (storage.UsageTotal{}) {
		r.Used = &usedLine{w.Total.Count, w.Total.Last}
	}
	return r
}

func (r *recordLine) whole() storage.Whole {
	var w storage.Whole
	w.Record = storage.Record{
		Kind: r.Kind, ID: r.ID, Version: r.Version, Revision: r.Revision, Attempt: r.Attempt,
		Index: r.Index, Done: r.Done, Body: r.Body,
	}
	if r.Used != nil {
		w.Total = storage.UsageTotal{Count: r.Used.Count, Last: r.Used.Last}
	}
	return w
}

// times are all that the line says.
func (l *line) times() (all []*time.Time) {
	switch {
	case l.Record != nil:
		x := &l.Record.Index
		all = append(all, &x.Created, &x.Starts, &x.Ends, &x.Due)
		for i := range l.Record.Done {
			all = append(all, &l.Record.Done[i].At)
		}
		if l.Record.Used != nil {
			all = append(all, &l.Record.Used.Last)
		}
	case l.Seat != nil:
		all = append(all, &l.Seat.Lease, &l.Seat.Seen)
	case l.Block != nil:
		all = append(all, &l.Block.At)
	}
	return all
}

// decode reads JSON that is one value and says nothing unknown.
func decode(text []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// parse reads a line behind the first.
func parse(text []byte) (*line, error) {
	l := &line{}
	if err := decode(text, l); err != nil {
		return nil, err
	}
	there := 0
	for _, is := range []bool{
		l.Record != nil, l.Seat != nil, l.Day != nil, l.Pending != nil, l.Block != nil, l.Entry != nil, l.End != nil,
	} {
		if is {
			there++
		}
	}
	if there != 1 {
		return nil, errors.New("a line is one thing")
	}
	for _, t := range l.times() {
		if _, offset := t.Zone(); offset != 0 || !t.Equal(t.Truncate(time.Millisecond)) {
			return nil, errors.New("a time is not in UTC and whole milliseconds")
		}
		*t = t.UTC()
	}
	return l, nil
}
