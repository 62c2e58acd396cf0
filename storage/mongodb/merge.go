package mongodb

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// heads are scans under way, of which each stands on its next document.
type heads[D any] []*head[D]

type head[D any] struct {
	cursor *mongo.Cursor
	next   D
}

// begin begins a scan for each filter.
func begin[D any](ctx context.Context, c *mongo.Collection, filters []bson.M, o *options.FindOptionsBuilder) (heads[D], error) {
	var all heads[D]
	for _, filter := range filters {
		cursor, err := c.Find(ctx, filter, o)
		if err == nil {
			all = append(all, &head[D]{cursor: cursor})
			err = all.advance(ctx, len(all)-1)
		}
		if err != nil {
			all.close(ctx)
			return nil, err
		}
	}
	return all, nil
}

// advance moves head i to its next document and drops it at its end.
func (all *heads[D]) advance(ctx context.Context, i int) error {
	h := (*all)[i]
	if h.cursor.Next(ctx) {
		var next D
		err := h.cursor.Decode(&next)
		h.next = next
		return err
	}
	*all = slices.Delete(*all, i, i+1)
	return cmp.Or(h.cursor.Err(), h.cursor.Close(ctx))
}

func (all *heads[D]) close(ctx context.Context) {
	for _, h := range *all {
		_ = h.cursor.Close(context.WithoutCancel(ctx))
	}
}

// blockMerge puts scans for the indexes of blocks into one order.
type blockMerge struct {
	heads[blockDocument]
	newest bool
}

// each reads the blocks that the scans give.
func (m *blockMerge) each(ctx context.Context, s *Store) iter.Seq2[storage.Block, error] {
	order := "_id"
	if m.newest {
		order = "-_id"
	}
	return func(yield func(storage.Block, error) bool) {
		for {
			firsts, err := m.take(ctx, blocksAtOnce)
			if err != nil {
				yield(storage.Block{}, err)
			}
			if err != nil || len(firsts) == 0 {
				return
			}
			o := options.Find().SetSort(by(order)).SetProjection(bson.M{"tags": 0})
			for b, err := range eachBlock(ctx, s.surely.blocks, bson.M{"_id": oneOf(firsts)}, o) {
				if !yield(b, err) || err != nil {
					return
				}
			}
		}
	}
}

// take gives the next blocks of any scan, each once, and none at the end.
func (m *blockMerge) take(ctx context.Context, limit int) ([]int64, error) {
	var firsts []int64
	for len(m.heads) > 0 && len(firsts) < limit {
		next := m.heads[0].next.First
		for _, h := range m.heads[1:] {
			if m.newest == (h.next.First > next) {
				next = h.next.First
			}
		}
		for i := len(m.heads) - 1; i >= 0; i-- {
			if m.heads[i].next.First == next {
				if err := m.advance(ctx, i); err != nil {
					return nil, err
				}
			}
		}
		firsts = append(firsts, next)
	}
	return firsts, nil
}
