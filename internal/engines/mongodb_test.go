package engines_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/internal/engines"
)

// database gives the one that a URL names.
func database(t *testing.T, rawURL string) *mongo.Database {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(rawURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(context.WithoutCancel(t.Context())) })
	return client.Database(strings.TrimPrefix(u.Path, "/"))
}

func insert(t *testing.T, db *mongo.Database, id string) {
	t.Helper()
	if _, err := db.Collection("documents").InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}}); err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, db *mongo.Database) []string {
	t.Helper()
	found, err := db.Collection("documents").Find(t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var documents []struct {
		ID string `bson:"_id"`
	}
	if err := found.All(t.Context(), &documents); err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, document := range documents {
		all = append(all, document.ID)
	}
	return all
}

func TestEachTestHasAnEmptyDatabaseOfMongoDB(t *testing.T) {
	one, two := database(t, engines.MongoDB(t)), database(t, engines.MongoDB(t))
	insert(t, one, "only here")
	if diff := cmp.Diff([]string{}, ids(t, two)); diff != "" {
		t.Error(diff)
	}
	var gone *mongo.Database
	t.Run("a test within", func(t *testing.T) {
		gone = database(t, engines.MongoDB(t))
		insert(t, gone, "for now")
	})
	names, err := one.Client().ListDatabaseNames(t.Context(), bson.D{})
	if listed := strings.Join(names, " "); err != nil || strings.Contains(listed, gone.Name()) || !strings.Contains(listed, one.Name()) {
		t.Errorf("databases are %s, %v", listed, err)
	}
}

func TestAStandInKeepsWhatWasWrittenHoweverItEnds(t *testing.T) {
	s := engines.NewMongoDB(t)
	insert(t, database(t, s.URL("kept")), "first")
	for how, end := range map[string]func() error{"stopped": s.Stop, "killed": s.Kill} {
		before := ids(t, database(t, s.URL("kept")))
		if err := end(); err != nil {
			t.Fatal(err)
		}
		silent := database(t, s.URL("kept")+"?serverSelectionTimeoutMS=200")
		if err := silent.Client().Ping(t.Context(), nil); err == nil {
			t.Fatalf("%s, it goes on", how)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, ids(t, database(t, s.URL("kept")))); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
		insert(t, database(t, s.URL("kept")), how)
	}
}
