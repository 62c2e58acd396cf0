package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// blockDocument is a block of the log: its id is the index of its first entry,
// which can be taken once.
type blockDocument struct {
	First   int64   `bson:"_id"`
	Next    int64   `bson:"next"`
	At      int64   `bson:"at"`
	Head    []byte  `bson:"head"`
	Entries []byte  `bson:"entries"` // entryList, which the server has no use for
	Tags    []int64 `bson:"tags"`    // see tags.go
	Born    string  `bson:"born"`    // made anew with each call of AppendBlock
}

type entryList struct {
	Entries []entryDocument `bson:"entries"`
}

// AppendBlock implements storage.Journal.
func (s *Store) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d, err := newBlock(b)
	if err != nil {
		return translate(err)
	}
	repeated, err := repeat(ctx, func() error {
		_, err := s.blocks.InsertOne(ctx, d)
		return err
	})
	if !mongo.IsDuplicateKeyError(err) {
		return translate(err)
	}
	if repeated {
		var stored blockDocument
		err := s.surely.blocks.FindOne(ctx, bson.M{"_id": d.First}, options.FindOne().SetProjection(fields("born"))).Decode(&stored)
		if err != nil || stored.Born == d.Born {
			return translate(err)
		}
	}
	return fault.Errorf(fault.Conflict, "the log has a block at %d", b.First)
}

func newBlock(b storage.Block) (blockDocument, error) {
	d := blockDocument{First: b.First, Next: b.Next(), At: b.At.UnixMilli(), Head: b.Head, Born: newID()}
	var list entryList
	for _, e := range b.Entries {
		list.Entries = append(list.Entries, newEntry(e))
		d.Tags = append(d.Tags, tagsOf(e)...)
	}
	slices.Sort(d.Tags)
	d.Tags = slices.Compact(d.Tags)
	var err error
	d.Entries, err = bson.Marshal(list)
	return d, err
}

var errDamaged = errors.New("it does not have as many entries as it says")

// block gives the block of a document. What is no time any more is left to
// whoever knows what the log must be like.
func (d blockDocument) block() (storage.Block, error) {
	b := storage.Block{First: d.First, At: moment(d.At), Head: d.Head}
	var list entryList
	if err := bson.Unmarshal(d.Entries, &list); err != nil {
		return b, damagedAt(d.First, err)
	}
	for _, e := range list.Entries {
		b.Entries = append(b.Entries, e.entry())
	}
	if len(b.Entries) == 0 || d.Next != b.Next() {
		return b, damagedAt(d.First, errDamaged)
	}
	return b, nil
}

func damagedAt(first int64, err error) error {
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the log is damaged in the block at %d", first))
}

// How many bytes of entries Blocks gives, save for the first two blocks.
const blocksBytes = 16 << 20

// Blocks implements storage.Journal. Blocks stand in the order of their ends as
// in that of their beginnings.
func (s *Store) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if limit <= 0 {
		return nil, nil
	}
	filter, sorted := bson.M{"next": bson.M{"$gt": from}}, options.Find().SetSort(by("next")).SetHint("next")
	if from == storage.LastBlock {
		filter, sorted, limit = bson.M{}, options.Find().SetSort(by("-_id")), 1
	}
	sorted.SetBatchSize(int32(min(limit, blocksAtOnce))).SetLimit(int64(min(limit, most))).SetProjection(bson.M{"tags": 0})
	var blocks []storage.Block
	size := 0
	for b, err := range eachBlock(ctx, s.surely.blocks, filter, sorted) {
		if err != nil {
			return blocks, translate(err)
		}
		blocks = append(blocks, b)
		for _, e := range b.Entries {
			size += len(e.Body)
		}
		if size >= blocksBytes && len(blocks) >= 2 {
			break
		}
	}
	return blocks, nil
}

// eachBlock gives the blocks that a filter leaves, and none after an error.
func eachBlock(ctx context.Context, from *mongo.Collection, filter bson.M, o *options.FindOptionsBuilder) iter.Seq2[storage.Block, error] {
	return func(yield func(storage.Block, error) bool) {
		cursor, err := from.Find(ctx, filter, o)
		if err != nil {
			yield(storage.Block{}, err)
			return
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			d, err := decodeBlock(cursor)
			var b storage.Block
			if err == nil {
				b, err = d.block()
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(storage.Block{}, err)
		}
	}
}

// decodeBlock decodes a document; where it cannot, the error says which.
func decodeBlock(cursor *mongo.Cursor) (blockDocument, error) {
	var d blockDocument
	err := cursor.Decode(&d)
	if err == nil {
		return d, nil
	}
	first, ok := cursor.Current.Lookup("_id").Int64OK()
	if !ok {
		return d, translate(err)
	}
	return d, damagedAt(first, err)
}
