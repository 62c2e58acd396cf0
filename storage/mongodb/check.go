package mongodb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// CheckEntries implements storage.Journal. A block and what leads to it are
// one document, read at one moment. That MongoDB finds a document by an index
// over its fields is left to MongoDB.
func (s *Store) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	cursor, err := s.surely.blocks.Find(ctx, bson.M{}, options.Find().SetSort(by("_id")).SetBatchSize(blocksAtOnce))
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		d, err := decodeBlock(cursor)
		if err != nil {
			return nil, err
		}
		b, err := d.block()
		if err != nil {
			return nil, err
		}
		if misfit := misfitOf(b, d.Tags); misfit != nil {
			return misfit, nil
		}
	}
	return nil, translate(cursor.Err())
}

// misfitOf compares the tags of a block with what its entries have.
func misfitOf(b storage.Block, tags []int64) *storage.Misfit {
	if b.First < 0 {
		return &storage.Misfit{Index: b.First, Problem: "storage keeps entries before entry 0, with which the log begins: they were added"}
	}
	wanted := map[int64]bool{}
	for i, e := range b.Entries {
		for _, tag := range tagsOf(e) {
			wanted[tag] = true
			if !slices.Contains(tags, tag) {
				return &storage.Misfit{Index: b.First + int64(i), Problem: "a filter that it passes does not find it: what leads to it was deleted from storage"}
			}
		}
	}
	if len(tags) != len(wanted) {
		return &storage.Misfit{Index: b.First, Problem: "storage says that something is found in the block that begins here, and no entry of it has that: it was changed"}
	}
	return nil
}
