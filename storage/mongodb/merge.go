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

// blockMerge puts scans for the indexes of blocks into one order.
type blockMerge struct {
	newest bool
	heads  []*blockHead
}

// blockHead is a scan under way, standing on its next block.
type blockHead struct {
	cursor *mongo.Cursor
	first  int64
}

func (s *Store) mergeBlocks(ctx context.Context, newest bool, filters []bson.M, o *options.FindOptionsBuilder) (*blockMerge, error) {
	m := &blockMerge{newest: newest}
	for _, filter := range filters {
		cursor, err := s.surely.blocks.Find(ctx, filter, o)
		if err == nil {
			m.heads = append(m.heads, &blockHead{cursor: cursor})
			err = m.advance(ctx, len(m.heads)-1)
		}
		if err != nil {
			m.close(ctx)
			return nil, err
		}
	}
	return m, nil
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
		next := m.heads[0].first
		for _, h := range m.heads[1:] {
			if m.newest == (h.first > next) {
				next = h.first
			}
		}
		for i := len(m.heads) - 1; i >= 0; i-- {
			if m.heads[i].first == next {
				if err := m.advance(ctx, i); err != nil {
					return nil, err
				}
			}
		}
		firsts = append(firsts, next)
	}
	return firsts, nil
}

// advance moves head i to its next block and drops it at its end.
func (m *blockMerge) advance(ctx context.Context, i int) error {
	h := m.heads[i]
	if h.cursor.Next(ctx) {
		var d blockDocument
		err := h.cursor.Decode(&d)
		h.first = d.First
		return err
	}
	m.heads = slices.Delete(m.heads, i, i+1)
	return cmp.Or(h.cursor.Err(), h.cursor.Close(ctx))
}

func (m *blockMerge) close(ctx context.Context) {
	for _, h := range m.heads {
		_ = h.cursor.Close(context.WithoutCancel(ctx))
	}
}
