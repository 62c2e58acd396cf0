package mongodb

import (
	"context"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// Get implements storage.Reader.
func (s *Store) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	byID, err := s.get(ctx, s.surely.records, ids)
	if err != nil {
		return nil, translate(err)
	}
	found := make([]*storage.Stored, len(ids))
	for i, id := range ids {
		if d, ok := byID[id]; ok {
			if found[i], err = d.stored(); err != nil {
				return nil, translate(err)
			}
		}
	}
	return found, nil
}

// most is as many as are asked for at once: MongoDB's driver keeps a limit in 32
// bits.
const most = math.MaxInt32 - 1

// get gives the documents of these ids, without what is pending.
func (s *Store) get(ctx context.Context, c *mongo.Collection, ids []string) (map[string]recordDocument, error) {
	var texts []string // no other is anywhere
	for _, id := range ids {
		if storage.IsText(id) {
			texts = append(texts, id)
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	found, err := all[recordDocument](ctx, c, bson.M{"_id": oneOf(texts)}, options.Find().SetProjection(bson.M{"pending": 0}))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]recordDocument, len(found))
	for _, d := range found {
		byID[d.ID] = d
	}
	return byID, nil
}

// oneOf is what a field must be to be one of some values. A single one is
// looked for by itself, which servers find a shorter way to.
func oneOf[T any](values []T) any {
	if len(values) == 1 {
		return values[0]
	}
	return bson.M{"$in": values}
}

// all gives all that a filter leaves.
func all[T any](ctx context.Context, c *mongo.Collection, filter bson.M, o ...options.Lister[options.FindOptions]) ([]T, error) {
	cursor, err := c.Find(ctx, filter, o...)
	if err != nil {
		return nil, err
	}
	var found []T
	err = cursor.All(ctx, &found)
	return found, err
}

// fields projects on these fields and _id.
func fields(names ...string) bson.M {
	projection := bson.M{}
	for _, name := range names {
		projection[name] = 1
	}
	return projection
}
