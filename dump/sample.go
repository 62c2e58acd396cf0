package dump

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/keywright/keywright/storage"
)

// sampleSize is how many records are read back.
const sampleSize = 1_000

// sample is records drawn by chance from a stream, each as likely as any other.
type sample struct {
	offered int64
	drawn   []drawn
	pending map[string][]storage.Entry // by the record's id
}

// drawn is a record of a sample.
type drawn struct {
	id     string
	digest [sha256.Size]byte
}

// offer draws a record, or not. The stream may be far longer than memory, so
// what was drawn gives way to what comes later.
func (s *sample) offer(w *storage.Whole) error {
	s.offered++
	place := len(s.drawn)
	if place < sampleSize {
		s.drawn = append(s.drawn, drawn{})
	} else if place = int(rand.Int64N(s.offered)); place >= sampleSize { //nolint:gosec // chance is no secret
		return nil
	}
	sum, err := digest(*w)
	s.drawn[place] = drawn{w.ID, sum}
	return err
}

// waits notes what of a record in the store is pending, where it was drawn.
func (s *sample) waits(w storage.Whole) {
	if s.pending == nil {
		s.pending = make(map[string][]storage.Entry, len(s.drawn))
		for _, d := range s.drawn {
			s.pending[d.id] = nil
		}
	}
	if _, isDrawn := s.pending[w.ID]; isDrawn {
		s.pending[w.ID] = w.Pending
	}
}

// compare reads the records that were drawn as a server does, by their ids, and
// gives how many they are.
func (s *sample) compare(ctx context.Context, store storage.Store) (int, error) {
	for _, d := range s.drawn {
		found, err := store.Get(ctx, d.id)
		if err != nil {
			return 0, err
		}
		if found[0] == nil {
			return 0, fmt.Errorf("the storage does not find %s, which was loaded", d.id)
		}
		days, err := store.Usage(ctx, d.id, "0000-01-01", "9999-12-31")
		if err != nil {
			return 0, err
		}
		sum, err := digest(storage.Whole{Stored: *found[0], Days: days, Pending: s.pending[d.id]})
		if err != nil {
			return 0, err
		}
		if sum != d.digest {
			return 0, fmt.Errorf("the storage has %s otherwise than the dump", d.id)
		}
	}
	return len(s.drawn), nil
}

// digest is the same for records that are the same, whatever form an engine
// keeps JSON in.
func digest(r storage.Whole) (sum [sha256.Size]byte, err error) {
	r.Body = plain(r.Body)
	r.Seats = slices.Clone(r.Seats)
	for i := range r.Seats {
		r.Seats[i].Body = plain(r.Seats[i].Body)
	}
	w := newWriter(bufio.NewWriter(io.Discard))
	err = w.lines(r)
	w.sum.Sum(sum[:0])
	return sum, err
}

// plain gives JSON in one form, with its numbers as they are written: what an
// engine rounds is not what was dumped.
func plain(body []byte) []byte {
	var v any
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	if numbers.Decode(&v) != nil {
		return body
	}
	text, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return text
}
