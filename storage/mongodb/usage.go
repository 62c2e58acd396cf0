package mongodb

import (
	"context"
	"encoding/json"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// dayDocument is a record's day. Its id names the record's birth, so that one
// which was swept leaves nothing to another of the same id. It is replaced by
// compare-and-swap, because what is counted apart depends on what is there.
type dayDocument struct {
	ID      string `bson:"_id"`
	Record  string `bson:"record"`
	Turn    int64  `bson:"turn"` // how often it was written
	Valid   int64  `bson:"valid"`
	Invalid int64  `bson:"invalid"`
	Values  string `bson:"values"` // JSON
}

func dayID(born string, day storage.Day) string { return born + "." + string(day) }

// daysOf finds all days of a record by its id and its birth.
func daysOf(record, born string) bson.M {
	return bson.M{"record": record, "_id": beginsWith(dayID(born, ""))}
}

func (d dayDocument) day(id storage.Day) (storage.UsageDay, error) {
	u := storage.UsageDay{Day: id, Valid: d.Valid, Invalid: d.Invalid}
	if d.Values == "" {
		return u, nil
	}
	err := json.Unmarshal([]byte(d.Values), &u.Values)
	return u, err
}

func newDay(record, id string, turn int64, u storage.UsageDay) (dayDocument, error) {
	d := dayDocument{ID: id, Record: record, Turn: turn, Valid: u.Valid, Invalid: u.Invalid}
	if u.Values == nil {
		return d, nil
	}
	values, err := json.Marshal(u.Values)
	d.Values = string(values)
	return d, err
}

// AddUsage implements storage.Counter. What is for one record and one day is
// added at once.
func (s *Store) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	births, err := s.births(ctx, deltas)
	if err != nil || len(births) == 0 {
		return translate(err)
	}
	sum := sumUp(deltas, births)
	if err := s.addTotals(ctx, sum.totals); err != nil {
		if neverSent(err) {
			return translate(err)
		}
		return addedInPart(err)
	}
	if err := sideBySide(ctx, sum.days, s.addDay); err != nil {
		return addedInPart(err)
	}
	return nil
}

func neverSent(err error) bool {
	var unselected topology.ServerSelectionError
	var crowded topology.WaitQueueTimeoutError
	return neverLeft(err) || errors.As(err, &unselected) || errors.As(err, &crowded)
}

func addedInPart(err error) error {
	return fault.Wrap(fault.Internal, err, "usage was added in part, or not at all")
}

// births gives the births of the records and products that are there.
func (s *Store) births(ctx context.Context, deltas []storage.UsageDelta) (map[string]string, error) {
	var ids []string
	named := map[string]bool{"": true}
	for _, d := range deltas {
		for _, id := range []string{d.Record, d.Product} {
			if !named[id] && storage.IsText(id) {
				ids = append(ids, id)
			}
			named[id] = true
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := all[recordDocument](ctx, s.surely.records, bson.M{"_id": oneOf(ids)}, options.Find().SetProjection(fields("born")))
	if err != nil {
		return nil, err
	}
	births := make(map[string]string, len(found))
	for _, d := range found {
		births[d.ID] = d.Born
	}
	return births, nil
}

// summedUsage is what is to be written, each document once.
type summedUsage struct {
	totals []mongo.WriteModel
	days   []dayUsage
}

// dayUsage is what is to be added to a day, in its order.
type dayUsage struct {
	record string
	id     string
	deltas []storage.UsageDelta
}

func sumUp(deltas []storage.UsageDelta, births map[string]string) summedUsage {
	var sum summedUsage
	places, totals := map[string]int{}, map[string]storage.UsageTotal{}
	count := func(record string, d storage.UsageDelta) {
		born, found := births[record]
		if !found {
			return
		}
		id := dayID(born, d.Day)
		if _, begun := places[id]; !begun {
			places[id] = len(sum.days)
			sum.days = append(sum.days, dayUsage{record: record, id: id})
		}
		sum.days[places[id]].deltas = append(sum.days[places[id]].deltas, d)
	}
	for _, d := range deltas {
		t := totals[d.Record]
		t.Count += d.Valid + d.Invalid
		if d.Last.After(t.Last) {
			t.Last = d.Last
		}
		totals[d.Record] = t
		count(d.Record, d)
		count(d.Product, d)
	}
	for record, t := range totals {
		if born, found := births[record]; found {
			sum.totals = append(sum.totals, mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": record, "born": born}).
				SetUpdate(bson.M{"$inc": bson.M{"count": t.Count}, "$max": bson.M{"last": millis(t.Last, before0)}}))
		}
	}
	return sum
}

func (s *Store) addTotals(ctx context.Context, totals []mongo.WriteModel) error {
	if len(totals) == 0 {
		return nil
	}
	_, err := s.records.BulkWrite(ctx, totals, options.BulkWrite().SetOrdered(false))
	return err
}

// addDay adds to a day, again where another was faster.
func (s *Store) addDay(ctx context.Context, add dayUsage) error {
	for {
		var d dayDocument
		err := s.days.FindOne(ctx, bson.M{"record": add.record, "_id": add.id}).Decode(&d)
		if err != nil && !isNone(err) {
			return err
		}
		u, err := d.day("")
		if err != nil {
			return err
		}
		for _, delta := range add.deltas {
			u.Add(delta)
		}
		next, err := newDay(add.record, add.id, d.Turn+1, u)
		if err != nil {
			return err
		}
		if done, err := s.putDay(ctx, next); done || err != nil {
			return err
		}
	}
}

// putDay writes a day in its turn, and says whether nobody else did.
func (s *Store) putDay(ctx context.Context, d dayDocument) (bool, error) {
	if d.Turn == 1 {
		_, err := s.days.InsertOne(ctx, d)
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, err
	}
	result, err := s.days.UpdateOne(ctx, bson.M{"record": d.Record, "_id": d.ID, "turn": d.Turn - 1},
		bson.M{"$set": bson.M{"turn": d.Turn, "valid": d.Valid, "invalid": d.Invalid, "values": d.Values}})
	return err == nil && result.MatchedCount > 0, err
}

// Usage implements storage.Counter.
func (s *Store) Usage(ctx context.Context, id string, first, last storage.Day) ([]storage.UsageDay, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !storage.IsText(id) || !storage.IsText(string(first)) || !storage.IsText(string(last)) {
		return nil, nil
	}
	d, found, err := s.head(ctx, id)
	if err != nil || !found {
		return nil, translate(err)
	}
	days, err := s.daysWhere(ctx, d.Born, bson.M{"record": id, "_id": bson.M{"$gte": dayID(d.Born, first), "$lte": dayID(d.Born, last)}})
	return days, translate(err)
}

func (s *Store) daysWhere(ctx context.Context, born string, filter bson.M) ([]storage.UsageDay, error) {
	found, err := all[dayDocument](ctx, s.surely.days, filter, options.Find().SetSort(by("_id")))
	if err != nil {
		return nil, err
	}
	var days []storage.UsageDay
	for _, d := range found {
		u, err := d.day(storage.Day(d.ID[len(dayID(born, "")):]))
		if err != nil {
			return nil, err
		}
		days = append(days, u)
	}
	return days, nil
}
