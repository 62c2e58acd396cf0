package mongodb_test

import (
	"flag"
	"net/url"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(sharing{m}) }

// sharing runs the tests with an engine that they share.
type sharing struct{ tests engines.Tests }

func (s sharing) Run() int {
	if err := flag.Set("test.parallel", "9"); err != nil { // of tests that mostly wait, whatever the processors
		panic(err)
	}
	return engines.Run(s.tests)
}

func parsed(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens a database and closes it when the test ends.
func open(t testing.TB, text string) *mongodb.Store {
	t.Helper()
	s, err := mongodb.Open(t.Context(), parsed(t, text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*mongodb.Store)
}

// migrated is open, with the current schema.
func migrated(t testing.TB, text string) *mongodb.Store {
	t.Helper()
	s := open(t, text)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	shardAll(t, s)
	return s
}

// said is what a server says of itself.
type said struct {
	Msg     string
	SetName string
}

func ask(t testing.TB, s *mongodb.Store) said {
	t.Helper()
	var answer said
	if err := mongodb.Database(s).RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func (s said) isRouter() bool { return s.Msg == "isdbgrid" }

// shardAll shards the collections where there is a router to do it.
func shardAll(t testing.TB, s *mongodb.Store) {
	t.Helper()
	if !ask(t, s).isRouter() {
		return
	}
	database := mongodb.Database(s)
	for name, field := range mongodb.Sharded() {
		err := database.Client().Database("admin").RunCommand(t.Context(), bson.D{
			{Key: "shardCollection", Value: database.Name() + "." + name},
			{Key: "key", Value: bson.M{field: "hashed"}},
		}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	var cannot []storagetest.Lack
	if server := ask(t, open(t, engines.MongoDB(t))); !server.isRouter() && server.SetName == "" {
		cannot = append(cannot, storagetest.Lack{Ability: storagetest.Waking, Reason: "this server stands alone, and then has no change streams"})
	}
	urls := map[storage.Store]string{}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		text := engines.MongoDB(t)
		s := migrated(t, text)
		urls[s] = text
		return s
	}, storagetest.Options{
		Cannot: cannot,
		Peer:   func(t *testing.T, s storage.Store) storage.Store { return open(t, urls[s]) },
		Bare: func(t *testing.T) (s, peer storage.Store) {
			text := engines.MongoDB(t)
			return open(t, text), open(t, text)
		},
		Newer: func(t *testing.T, s storage.Store) {
			if err := mongodb.SetSchema(t.Context(), s.(*mongodb.Store), 99); err != nil {
				t.Fatal(err)
			}
		},
		Damage: func(t *testing.T, s storage.Store, first int64) {
			if err := mongodb.SetBlock(t.Context(), s.(*mongodb.Store), first, bson.M{"entries": "text"}); err != nil {
				t.Fatal(err)
			}
		},
		Lossy: func(t *testing.T, s storage.Store) (storage.Store, storagetest.Lose) {
			between := engines.Between(t, parsed(t, urls[s]).Host)
			through := parsed(t, between.In(urls[s]))
			query := through.Query()
			query.Set("directConnection", "true") // or it would find its way around
			query.Set("heartbeatFrequencyMS", "500")
			through.RawQuery = query.Encode()
			return open(t, through.String()), func(after int) (heal func()) {
				between.CutAfter(int64(after))
				return between.Heal
			}
		},
	})
}
