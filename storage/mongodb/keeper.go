package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Sweep implements storage.Keeper. A record goes only as it was read; what
// belongs to it goes afterwards, and is invisible without it. What stays all
// the same is a stray.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	if limit <= 0 {
		return 0, nil
	}
	found, err := all[recordDocument](ctx, s.records, bson.M{"gone": bson.M{"$lt": before.UnixMilli()}, "$or": unheld()},
		options.Find().SetHint("gone").SetLimit(int64(min(limit, most))).SetProjection(fields("born", "version", "edition", "oldEdition")))
	if err != nil {
		return 0, translate(err)
	}
	swept := 0
	for _, d := range found {
		gone, err := s.sweep(ctx, d)
		if gone {
			swept++
		}
		if err != nil {
			return swept, translate(err)
		}
	}
	if swept == limit { // and there may be more to sweep first
		return swept, nil
	}
	return swept, translate(s.sweepStrays(ctx))
}

// unheld is what a record without pending entries is like: one that never had
// any has an empty list of them, too.
func unheld() bson.A { return bson.A{bson.M{"pending": bson.M{}}, bson.M{"pending": nil}} }

func (s *Store) sweep(ctx context.Context, d recordDocument) (bool, error) {
	result, err := s.records.DeleteOne(ctx, bson.M{"_id": d.ID, "born": d.Born, "version": d.Version, "$or": unheld()})
	if err != nil || result.DeletedCount == 0 {
		return false, err
	}
	s.dropAllWords(ctx, d.ID, d.Edition, d.OldEdition)
	_, err = s.days.DeleteMany(ctx, daysOf(d.ID, d.Born))
	return true, err
}
