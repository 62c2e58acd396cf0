package mongodb

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// How many updates, or documents of an answer, go into one message.
const batch = 1000

// Pending implements storage.Journal. Records with pending entries are marked
// dirty; the mark may outlive them, where a settling was cut off, and is then
// taken away here.
func (s *Store) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if limit <= 0 {
		return nil, nil
	}
	waiting, clean, err := s.pending(ctx, limit)
	if err == nil {
		err = s.unmark(ctx, clean)
	}
	if err != nil {
		return nil, translate(err)
	}
	return waiting, nil
}

// pending gives what is pending, and the marked records that have nothing. The
// query has no limit of its own, since those count for nothing.
func (s *Store) pending(ctx context.Context, limit int) (waiting []storage.Pending, clean []string, err error) {
	cursor, err := s.surely.records.Find(ctx, bson.M{"dirty": 1}, options.Find().SetHint("dirty").
		SetProjection(fields("pending")).SetBatchSize(int32(min(limit, batch))))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for len(waiting) < limit && cursor.Next(ctx) {
		var d recordDocument
		if err := cursor.Decode(&d); err != nil {
			return nil, nil, err
		}
		if len(d.Pending) == 0 {
			clean = append(clean, d.ID)
		}
		for _, e := range d.entries() {
			waiting = append(waiting, storage.Pending{Record: d.ID, Entry: e})
		}
	}
	return waiting[:min(limit, len(waiting))], clean, cursor.Err()
}

// entries gives the pending entries in their order.
func (d recordDocument) entries() []storage.Entry {
	var waiting []pendingDocument
	for _, p := range d.Pending {
		waiting = append(waiting, p)
	}
	slices.SortFunc(waiting, func(a, b pendingDocument) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Place, b.Place))
	})
	var entries []storage.Entry
	for _, p := range waiting {
		entries = append(entries, p.Entry.entry())
	}
	return entries
}

// Settle implements storage.Journal.
func (s *Store) Settle(ctx context.Context, entries []storage.Pending) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	paths := map[string]bson.M{}
	var records []string
	for _, e := range entries {
		if !storage.IsText(e.Record) {
			continue
		}
		if paths[e.Record] == nil {
			paths[e.Record] = bson.M{}
			records = append(records, e.Record)
		}
		paths[e.Record]["pending."+key(e.ID)] = ""
	}
	err = s.updateEach(ctx, records, func(record string) (filter, update bson.M) {
		return bson.M{"_id": record}, bson.M{"$unset": paths[record]}
	})
	if err == nil {
		err = s.unmark(ctx, records)
	}
	return translate(err)
}

// unmark takes the mark of pending entries from records that have none.
func (s *Store) unmark(ctx context.Context, records []string) error {
	return s.updateEach(ctx, records, func(record string) (filter, update bson.M) {
		return bson.M{"_id": record, "pending": bson.M{}}, bson.M{"$unset": bson.M{"dirty": ""}}
	})
}

// updateEach makes an update of each record, in no order, that does nothing if
// it is made twice.
func (s *Store) updateEach(ctx context.Context, records []string, each func(record string) (filter, update bson.M)) error {
	for some := range slices.Chunk(records, batch) {
		var updates []mongo.WriteModel
		for _, record := range some {
			filter, update := each(record)
			updates = append(updates, mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update))
		}
		_, err := repeat(ctx, func() error {
			_, err := s.records.BulkWrite(ctx, updates, options.BulkWrite().SetOrdered(false))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
