package mongodb

import (
	"context"
	"iter"
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

const (
	tagsAtOnce   = 100 // of one query; see productsAtOnce
	blocksAtOnce = 16  // of one answer
)

// Entries implements storage.Journal. It reads the blocks that tags lead to and
// takes the entries that match, one more than are asked for.
func (s *Store) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := q.Check(); err != nil {
		return storage.EntryPage{}, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return storage.EntryPage{}, err
	}
	defer leave()
	var found []storage.Logged
	for b, err := range s.taggedBlocks(ctx, q) {
		if err != nil {
			return storage.EntryPage{}, translate(err)
		}
		for _, e := range logged(b, q.Newest) {
			behind := q.After == nil || q.Newest && e.Index < *q.After || !q.Newest && e.Index > *q.After
			if !behind || !q.Filter.Matches(e) {
				continue
			}
			if found = append(found, e); len(found) > q.First {
				return storage.EntryPage{Entries: found[:q.First], More: true}, nil
			}
		}
	}
	return storage.EntryPage{Entries: found}, nil
}

// logged gives the entries of a block in the order asked for.
func logged(b storage.Block, newest bool) []storage.Logged {
	all := make([]storage.Logged, len(b.Entries))
	for i, e := range b.Entries {
		all[i] = storage.Logged{Index: b.First + int64(i), At: b.At, Entry: e}
	}
	if newest {
		slices.Reverse(all)
	}
	return all
}

// taggedBlocks gives the blocks that may have what a query asks for. Where its
// tags are too many for one scan, several are merged that give the indexes of
// blocks alone.
func (s *Store) taggedBlocks(ctx context.Context, q storage.EntryQuery) iter.Seq2[storage.Block, error] {
	return func(yield func(storage.Block, error) bool) {
		filters, o, err := s.scans(ctx, q)
		if err != nil {
			yield(storage.Block{}, err)
			return
		}
		if len(filters) == 1 {
			o.SetProjection(bson.M{"tags": 0}).SetBatchSize(int32(1 + min(blocksAtOnce-1, q.First)))
			eachBlock(ctx, s.surely.blocks, filters[0], o)(yield)
			return
		}
		scans, err := begin[blockDocument](ctx, s.surely.blocks, filters, o.SetProjection(fields("_id")))
		if err != nil {
			yield(storage.Block{}, err)
			return
		}
		m := blockMerge{scans, q.Newest}
		defer m.close(ctx)
		m.each(ctx, s)(yield)
	}
}

// scans gives the filters of scans for a query, all of one order.
func (s *Store) scans(ctx context.Context, q storage.EntryQuery) ([]bson.M, *options.FindOptionsBuilder, error) {
	tags := tagsFor(q.Filter)
	bounds, err := s.blockBounds(ctx, q, tags != nil)
	if err != nil {
		return nil, nil, err
	}
	var filters []bson.M
	for some := range slices.Chunk(tags, tagsAtOnce) {
		filters = append(filters, bson.M{"$and": bson.A{bson.M{"tags": oneOf(some)}, bounds}})
	}
	o := options.Find().SetSort(by("_id")).SetHint("tags")
	if tags == nil {
		filters = []bson.M{bounds}
		o.SetHint("next").SetSort(by("next"))
	}
	if tags == nil && q.Newest {
		o.SetHint("_id_")
	}
	if q.Newest {
		o.SetSort(by("-_id"))
	}
	return filters, o, nil
}

// blockBounds is a filter for the blocks that may have what the query asks for.
// Where it is from an index on, the block that holds this may, which begins at
// most so far before it as a block is long.
func (s *Store) blockBounds(ctx context.Context, q storage.EntryQuery, byTags bool) (bson.M, error) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	var err error
	if !q.Filter.From.IsZero() {
		low, err = s.firstSince(ctx, q.Filter.From.UnixMilli())
	}
	if err == nil && !q.Filter.To.IsZero() {
		high, err = s.firstSince(ctx, q.Filter.To.UnixMilli())
	}
	if err == nil && !q.Newest && byTags {
		// What is appended from now on may be seen by one scan and not by
		// another, or by one tag of a scan, and a page must not pass over any.
		var next int64
		next, err = s.nextBlock(ctx)
		high = min(high, next)
	}
	if err != nil {
		return nil, err
	}
	bounds := bson.M{}
	if low > math.MinInt64 {
		bounds["next"] = bson.M{"$gt": low} // which says nothing more, but to the index over it
	}
	switch {
	case q.After != nil && q.Newest:
		high = min(high, *q.After)
	case q.After != nil:
		behind := max(*q.After, *q.After+1) // the last of all has none behind it
		bounds["next"] = bson.M{"$gt": behind}
		low = max(low, max(behind, 0)-storage.MaxBlock)
	}
	bounds["_id"] = bson.M{"$gte": low}
	if high < math.MaxInt64 {
		bounds["_id"] = bson.M{"$gte": low, "$lt": high}
	}
	return bounds, nil
}

// nextBlock gives the index behind the last block.
func (s *Store) nextBlock(ctx context.Context) (int64, error) {
	var d blockDocument
	err := s.surely.blocks.FindOne(ctx, bson.M{}, options.FindOne().SetSort(by("-_id")).SetProjection(fields("next"))).Decode(&d)
	if isNone(err) {
		return 0, nil
	}
	return d.Next, err
}

// firstSince gives the index of the first block that was made at a time or
// later, or else one behind all.
func (s *Store) firstSince(ctx context.Context, at int64) (int64, error) {
	var d blockDocument
	err := s.surely.blocks.FindOne(ctx, bson.M{"at": bson.M{"$gte": at}},
		options.FindOne().SetSort(by("at _id")).SetProjection(fields("_id")).SetHint("at")).Decode(&d)
	if isNone(err) {
		return math.MaxInt64, nil
	}
	return d.First, err
}
