package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/keywright/keywright/storage"
)

// What tests do behind the driver's back.

func Key(text string) string            { return key(text) }
func Unkey(name string) (string, error) { return unkey(name) }
func Behind(prefix string) string       { return behind(prefix) }
func Database(s *Store) *mongo.Database { return s.database }
func TaggedName(filter string) string   { return taggedName(filter) }
func NamesOf(name string) []string      { return namesOf(name) }
func IsLost(err error) bool             { return isLost(err) }
func NeverSent(err error) bool          { return neverSent(err) }

// Sharded are the collections that may be sharded, with the field of which by
// the hash.
func Sharded() map[string]string {
	return map[string]string{recordCollection: "_id", wordCollection: "record", dayCollection: "record"}
}

// ShardsClock is the clock that is asked where routers stand between.
func ShardsClock(ctx context.Context, s *Store) (time.Time, error) { return s.shardsClock(ctx) }

// SetSchema writes a version.
func SetSchema(ctx context.Context, s *Store, version int64) error {
	_, err := s.meta.UpdateOne(ctx, bson.M{"_id": schemaID}, bson.M{"$set": bson.M{"version": version}})
	return err
}

// SetBlock changes fields of a block.
func SetBlock(ctx context.Context, s *Store, first int64, fields bson.M) error {
	_, err := s.blocks.UpdateOne(ctx, bson.M{"_id": first}, bson.M{"$set": fields})
	return err
}

// Tags gives the tags of a block.
func Tags(ctx context.Context, s *Store, first int64) ([]int64, error) {
	var d blockDocument
	err := s.blocks.FindOne(ctx, bson.M{"_id": first}).Decode(&d)
	return d.Tags, err
}

// Count gives how many documents of a collection match.
func Count(ctx context.Context, s *Store, collection string, filter bson.M) (int64, error) {
	return s.database.Collection(collection).CountDocuments(ctx, filter)
}

// Mark marks a record as one with pending entries.
func Mark(ctx context.Context, s *Store, id string) error {
	_, err := s.records.UpdateOne(ctx, bson.M{"_id": id}, bson.M{"$set": bson.M{"dirty": 1}})
	return err
}

// PutStrayWord inserts a word as a commit that never came would have.
func PutStrayWord(ctx context.Context, s *Store, record, word string, made time.Time) error {
	_, err := s.words.InsertOne(ctx, wordDocument{
		ID: wordsOf(record) + bson.NewObjectIDFromTimestamp(made).Hex() + ".0", Kind: "license", Product: "prd_1", Word: word, Record: record,
	})
	return err
}

// PutStrayDay inserts a day of a record that was made then, and is gone.
func PutStrayDay(ctx context.Context, s *Store, record string, made time.Time) error {
	d, err := newDay(record, dayID(bson.NewObjectIDFromTimestamp(made).Hex(), "2026-11-21"), 1, storage.UsageDay{Valid: 1})
	if err == nil {
		_, err = s.days.InsertOne(ctx, d)
	}
	return err
}

// SeenOf gives the time of being seen that a touch of a seat, as it was read,
// has the server keep where the stored one is not later.
func SeenOf(read storage.Seat, leases ...storage.Lease) time.Time {
	seats := seatDocuments{}
	seats.put(read)
	moves := make([]move, len(leases))
	for i, l := range leases {
		moves[i] = newMove(l)
	}
	_, greatest := moveAll(seats, moves)
	return moment(greatest[seatPath(read.ID)+".seen"].(int64))
}
