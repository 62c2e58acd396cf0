package sqlstore

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/keywright/keywright/storage"
)

// Tag is a row of the table of tags: something that entries are found by, and
// a chunk that has one.
type Tag struct{ Hash, Chunk int64 }

// Log is what a driver keeps of the log, as it is at one moment.
type Log interface {
	// Count gives the number of chunks.
	Count() (int64, error)
	// Chunks gives those from one to another, both included, in order.
	Chunks(from, to int64) iter.Seq2[Row, error]
	// Tags gives all tags, in whatever order.
	Tags() iter.Seq2[Tag, error]
	// TagsOf gives those of the chunks from one to another, both included.
	TagsOf(from, to int64) iter.Seq2[Tag, error]
}

// MaxSpans bounds the memory that Check takes, in spans of chunks.
const MaxSpans = 1 << 12

// Check compares tags with the log, and gives the first that is wrong. Chunks
// are read in their order and tags in theirs; to look each of one up in the
// other would read pages in no order. So they are summed up, in so many spans,
// and compared one by one only in the first span whose sums differ.
func (c *Codec) Check(log Log, spans int64) (*storage.Misfit, error) {
	chunks, err := log.Count()
	if err != nil {
		return nil, err
	}
	k := &check{log: log, codec: c, sums: newTagSums(chunks, spans)}
	if err := k.run(); err != nil {
		return nil, err
	}
	return k.found, nil
}

// check is one under way.
type check struct {
	log   Log
	codec *Codec
	sums  *tagSums
	tags  []int64 // of a chunk, for the memory
	next  int64   // behind the chunk before
	block int64   // the last that has begun
	at    int64   // when that was made
	found *storage.Misfit
}

func (k *check) run() error {
	if err := k.chunks(math.MinInt64, math.MaxInt64, k.sumUp); err != nil {
		return err
	}
	stray, err := k.takeAway()
	if err != nil {
		return err
	}
	if first, last, differ := k.sums.differ(); differ && (k.found == nil || first <= k.found.Index) {
		if err := k.compare(first, last); err != nil {
			return err
		}
		if k.found == nil { // a row that is there twice, say
			k.wrong(first, "storage does not say as it should what is found from here on: it was changed")
		}
	}
	if stray != nil && (k.found == nil || stray.Index >= 0) {
		k.wrong(stray.Index, stray.Problem)
	}
	return nil
}

// wrong keeps the first that is wrong.
func (k *check) wrong(index int64, problem string) {
	if k.found == nil || index < k.found.Index {
		k.found = &storage.Misfit{Index: index, Problem: problem}
	}
}

func leadsNowhere(chunk int64) *storage.Misfit {
	if chunk < 0 {
		return &storage.Misfit{Index: chunk, Problem: "storage says that something is found before entry 0, with which the log begins: it was changed"}
	}
	return &storage.Misfit{Index: chunk, Problem: "storage says that something is found here, and keeps no entries that begin here: it was changed"}
}

// chunks reads the chunks from one to another, both included.
func (k *check) chunks(from, to int64, each func(Row, []placed) error) error {
	for row, err := range k.log.Chunks(from, to) {
		if err != nil {
			return err
		}
		all, err := k.codec.entries(row)
		if err != nil {
			return err
		}
		if err := each(row, all); err != nil {
			return err
		}
	}
	return nil
}

// sumUp checks the columns of a chunk and adds its tags.
func (k *check) sumUp(c Row, all []placed) error {
	if c.First < 0 {
		k.wrong(c.First, "storage keeps entries before entry 0, with which the log begins: they were added")
	}
	begins := len(all) > 0 && len(all[0].head) > 0
	if !begins && (len(all) == 0 || c.First != k.next) {
		return damagedAt(c.First, errDamaged)
	}
	if begins {
		k.block, k.at = c.First, all[0].At.UnixMilli()
	}
	if c.At != k.at {
		k.wrong(c.First, "a filter by time takes it to be of another time than its block is: storage was changed")
	}
	if c.Block != k.block {
		k.wrong(c.First, "storage says that its block begins where it does not: it was changed")
	}
	k.tags = k.tags[:0]
	for _, e := range all {
		k.tags = appendTags(k.tags, e.Entry)
		if len(e.head) > 0 {
			k.block, k.at = e.Index, e.At.UnixMilli()
		}
	}
	k.next = c.Next
	slices.Sort(k.tags)
	k.sums.begin(c.First)
	for _, hash := range slices.Compact(k.tags) {
		k.sums.add(Tag{hash, c.First})
	}
	return nil
}

// takeAway takes the tags that are stored off the sums, and gives the first
// that leads nowhere.
func (k *check) takeAway() (stray *storage.Misfit, _ error) {
	for t, err := range k.log.Tags() {
		if err != nil {
			return nil, err
		}
		if !k.sums.take(t) && (stray == nil || t.Chunk < stray.Index) {
			stray = leadsNowhere(t.Chunk)
		}
	}
	return stray, nil
}

// compare finds the first tag that is missing, or there and not of its chunk,
// in a span of chunks.
func (k *check) compare(from, to int64) error {
	missing := map[Tag]int64{} // the first entry that has it
	ends := map[int64]int64{}  // of chunks
	err := k.chunks(from, to, func(c Row, all []placed) error {
		ends[c.First] = c.Next
		for _, e := range slices.Backward(all) {
			for _, hash := range appendTags(nil, e.Entry) {
				missing[Tag{hash, c.First}] = e.Index
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for t, err := range k.log.TagsOf(from, to) {
		if err != nil {
			return err
		}
		end, isChunk := ends[t.Chunk]
		_, wanted := missing[t]
		delete(missing, t)
		switch {
		case !isChunk:
			stray := leadsNowhere(t.Chunk)
			k.wrong(stray.Index, stray.Problem)
		case !wanted:
			k.wrong(t.Chunk, fmt.Sprintf("storage says that something is found in the entries %d to %d, and none of them has it: it was changed", t.Chunk, end-1))
		}
	}
	for _, index := range missing {
		k.wrong(index, "a filter that it passes does not find it: what leads to it was deleted from storage")
	}
	return nil
}
