package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

const (
	dumpedAtOnce = 16      // records of one answer, since each may have 16 MB
	dumpedBytes  = 4 << 20 // behind which Dump reads no further record
	loadedAtOnce = 100     // records of one insert
)

// Dump implements storage.Mover.
func (s *Store) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if limit <= 0 {
		return nil, nil
	}
	if !storage.IsText(after) {
		return nil, fault.Errorf(fault.InvalidInput, "the id to go on from is no text")
	}
	records, err := s.dump(ctx, after, min(limit, most))
	return records, translate(err)
}

func (s *Store) dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	cursor, err := s.surely.records.Find(ctx, bson.M{"_id": bson.M{"$gt": after}},
		options.Find().SetSort(by("_id")).SetLimit(int64(limit)).SetBatchSize(int32(min(limit, dumpedAtOnce))))
	if err != nil {
		return nil, err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	var records []storage.Whole
	for size := 0; size < dumpedBytes && cursor.Next(ctx); {
		var d recordDocument
		if err := cursor.Decode(&d); err != nil {
			return nil, err
		}
		r, err := s.whole(ctx, d)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
		size += r.Size()
	}
	if err := cursor.Err(); err != nil {
		return nil, err
	}
	return records, nil
}

func (s *Store) whole(ctx context.Context, d recordDocument) (storage.Whole, error) {
	stored, err := d.stored()
	if err != nil {
		return storage.Whole{}, err
	}
	days, err := s.daysWhere(ctx, d.Born, daysOf(d.ID, d.Born))
	return storage.Whole{Stored: *stored, Days: days, Pending: d.entries()}, err
}

// Load implements storage.Mover. What belongs to records is inserted before
// them, since nothing shows without its record.
func (s *Store) Load(ctx context.Context, records []storage.Whole) error {
	for _, w := range records {
		if err := w.Check(); err != nil {
			return err
		}
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for some := range slices.Chunk(records, loadedAtOnce) {
		if err := s.load(ctx, some); err != nil {
			return translate(err)
		}
	}
	return nil
}

func (s *Store) load(ctx context.Context, records []storage.Whole) error {
	var words, days []any
	loaded, raw := make([]recordDocument, len(records)), make([]any, len(records))
	for i, w := range records {
		d, err := wholeDocument(w)
		if err != nil {
			return err
		}
		if raw[i], err = encoded(d); err != nil {
			return err
		}
		loaded[i] = d
		for _, word := range wordsUnder(d, d.Edition) {
			words = append(words, word)
		}
		for _, u := range w.Days {
			day, err := newDay(d.ID, dayID(d.Born, u.Day), 1, u)
			if err != nil {
				return fmt.Errorf("the day %s: %w", u.Day, err)
			}
			days = append(days, day)
		}
	}
	err := errors.Join(insertMany(ctx, s.days, days), insertMany(ctx, s.words, words))
	if err == nil {
		err = insertMany(ctx, s.records, raw)
	}
	if err == nil {
		return nil
	}
	return s.notLoaded(ctx, loaded, err)
}

func insertMany(ctx context.Context, c *mongo.Collection, documents []any) error {
	if len(documents) == 0 {
		return nil
	}
	_, err := c.InsertMany(ctx, documents)
	return err
}

// notLoaded takes away what belongs to records that were not inserted because
// the id of the first of them is taken.
func (s *Store) notLoaded(ctx context.Context, records []recordDocument, err error) error {
	var failed mongo.BulkWriteException
	if !mongo.IsDuplicateKeyError(err) || !errors.As(err, &failed) || len(failed.WriteErrors) == 0 {
		return err
	}
	left := records[min(failed.WriteErrors[0].Index, len(records)-1):]
	for _, d := range left {
		s.dropWords(ctx, d.ID, d.Edition)
		_, _ = s.days.DeleteMany(ctx, daysOf(d.ID, d.Born))
	}
	return fault.Clash(fault.Taken, left[0].ID, "the id is taken")
}

// wholeDocument makes the document of a record that is loaded.
func wholeDocument(w storage.Whole) (recordDocument, error) {
	d, err := newDocument(w.Record)
	if err != nil {
		return d, fault.Wrap(fault.InvalidInput, err, "an operation cannot be stored")
	}
	for _, seat := range w.Seats {
		d.Seats.put(seat)
	}
	d.Count, d.Last = w.Total.Count, millis(w.Total.Last, before0)
	if len(w.Pending) > 0 {
		d.Pending, d.Dirty = pendingOf(d.Version, w.Pending), 1
	}
	if len(d.Words) > 0 {
		d.Edition = newID()
	}
	return d, nil
}
