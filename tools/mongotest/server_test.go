package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// served gives a collection of a server that runs until the test ends.
func served(t *testing.T) *mongo.Collection {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, t.TempDir()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(context.WithoutCancel(t.Context())) })
	return client.Database("test").Collection("documents")
}

// Each reads the version of one document and moves it on if it is still that.
// FerretDB alone acknowledges many times what it counts.
func TestConcurrentUpdatesOfOneDocumentLoseNothing(t *testing.T) {
	documents := served(t)
	ctx := t.Context()
	type document struct {
		ID      string `bson:"_id"`
		Version int    `bson:"version"`
	}
	if _, err := documents.InsertOne(ctx, document{ID: "one"}); err != nil {
		t.Fatal(err)
	}
	read := func() document {
		var found document
		if err := documents.FindOne(ctx, bson.D{{Key: "_id", Value: "one"}}).Decode(&found); err != nil {
			t.Error(err)
		}
		return found
	}

	var acknowledged, refused atomic.Int64
	var writers sync.WaitGroup
	end := time.Now().Add(3 * time.Second)
	for range 32 {
		writers.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				found := read()
				result, err := documents.UpdateOne(ctx,
					bson.D{{Key: "_id", Value: "one"}, {Key: "version", Value: found.Version}},
					bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: found.Version + 1}}}})
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged.Add(result.ModifiedCount)
				refused.Add(1 - result.MatchedCount)
			}
		})
	}
	writers.Wait()

	if got := read().Version; int64(got) != acknowledged.Load() {
		t.Errorf("%d updates were acknowledged, and the document is at %d", acknowledged.Load(), got)
	}
	if acknowledged.Load() < 20 || refused.Load() == 0 {
		t.Errorf("no race: %d acknowledged, %d refused", acknowledged.Load(), refused.Load())
	}
}

func TestOnlyOneOfManyInsertsTheSameID(t *testing.T) {
	documents := served(t)
	var inserted, taken atomic.Int64
	var writers sync.WaitGroup
	for range 32 {
		writers.Go(func() {
			for id := range 20 {
				_, err := documents.InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}})
				switch {
				case err == nil:
					inserted.Add(1)
				case mongo.IsDuplicateKeyError(err):
					taken.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if inserted.Load() != 20 || taken.Load() != 31*20 {
		t.Errorf("%d inserted, %d taken", inserted.Load(), taken.Load())
	}
}
