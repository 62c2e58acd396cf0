package mongodb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
)

const currentSchema = 1

// What stands in the collection meta: the version of the schema, 0 while the
// first is being made, and the time (see Clock).
const (
	schemaID = "schema"
	clockID  = "clock"
)

type schemaDocument struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"version"`
}

// Ready implements storage.Keeper.
func (s *Store) Ready(ctx context.Context) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	version, _, err := s.schemaVersion(ctx)
	switch {
	case err != nil:
		return translate(err)
	case version < currentSchema:
		return fault.Errorf(fault.Unavailable, "storage has schema %d and this program needs %d: run keywright migrate",
			version, currentSchema)
	case version > currentSchema:
		return errNewer(version)
	}
	return nil
}

// schemaVersion gives the version, and whether there is any.
func (s *Store) schemaVersion(ctx context.Context) (int64, bool, error) {
	var schema schemaDocument
	err := s.meta.FindOne(ctx, bson.M{"_id": schemaID}).Decode(&schema)
	if isNone(err) {
		return 0, false, nil
	}
	return schema.Version, err == nil, err
}

func errNewer(version int64) error {
	return fault.Errorf(fault.Unavailable, "storage has schema %d and this program knows %d: run a newer keywright",
		version, currentSchema)
}

// Migrate implements storage.Keeper. All that it does may be done twice, and
// by two at once; the version comes last, by compare-and-swap.
func (s *Store) Migrate(ctx context.Context) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return translate(s.migrate(ctx))
}

func (s *Store) migrate(ctx context.Context) error {
	// Before the version, so that another who migrates is not taken for a
	// stranger.
	names, err := s.database.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	version, found, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if version > currentSchema {
		return errNewer(version)
	}
	if version == currentSchema {
		return nil
	}
	if !found {
		if err := s.claim(ctx, names); err != nil {
			return err
		}
	}
	for collection, indexes := range map[*mongo.Collection][]index{
		s.records: recordIndexes(), s.words: wordIndexes(), s.blocks: blockIndexes(),
	} {
		if err := ensure(ctx, collection, indexes); err != nil {
			return err
		}
	}
	_, err = s.meta.UpdateOne(ctx, bson.M{"_id": schemaID, "version": version}, bson.M{"$set": bson.M{"version": int64(currentSchema)}})
	return err
}

// claim makes an empty database ours, and refuses one that another program
// made. Collections of ours may be there, empty, as sharding makes them.
func (s *Store) claim(ctx context.Context, names []string) error {
	ours := []string{recordCollection, wordCollection, dayCollection, blockCollection}
	for _, name := range names {
		if name == metaCollection || strings.HasPrefix(name, "system.") {
			continue
		}
		err := s.database.Collection(name).FindOne(ctx, bson.M{}).Err()
		if err != nil && !isNone(err) {
			return err
		}
		if err == nil || !slices.Contains(ours, name) {
			return fault.Wrap(fault.Unavailable, errors.New("there are collections and no schema"), "storage is not a Keywright database")
		}
	}
	_, err := s.meta.InsertOne(ctx, schemaDocument{ID: schemaID})
	if mongo.IsDuplicateKeyError(err) { // another's
		return nil
	}
	return err
}

// ensure makes the indexes that are missing, by a command each: the stand-in
// for MongoDB of the tests fails where a command names several of which some
// are there, and in an empty database one command is no faster.
func ensure(ctx context.Context, c *mongo.Collection, indexes []index) error {
	for _, wanted := range indexes {
		if _, err := c.Indexes().CreateOne(ctx, wanted.model()); err != nil {
			return err
		}
	}
	return nil
}

// Clock implements storage.Keeper. It is the primary's clock. Routers have
// clocks of their own, and there may be one beside each program: there, the
// time is that of the shard which keeps the document that is written.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer leave()
	ask := s.primarysClock
	if s.server.isRouter() {
		ask = s.shardsClock
	}
	now, err := ask(ctx)
	if err != nil {
		return time.Time{}, translate(err)
	}
	return now.UTC(), nil
}

func (s *Store) primarysClock(ctx context.Context) (time.Time, error) {
	var said struct {
		Now time.Time `bson:"localTime"`
	}
	err := s.database.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&said)
	return said.Now, err
}

func (s *Store) shardsClock(ctx context.Context) (time.Time, error) {
	var said struct {
		Now time.Time `bson:"now"`
	}
	err := s.meta.FindOneAndUpdate(ctx, bson.M{"_id": clockID}, bson.M{"$currentDate": bson.M{"now": true}},
		options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&said)
	return said.Now, err
}
