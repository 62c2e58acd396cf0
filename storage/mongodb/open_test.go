package mongodb_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage/mongodb"
)

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	const server = "mongodb://user:hidden@127.0.0.1:1"
	for _, text := range []string{
		server + "/k?retryWrites=true", server + "/k?w=1", server + "/k?w=majority&w=1", server + "/k?journal=false",
		server + "/k?readPreference=secondary", server + "/k?readConcernLevel=available", server + "/k?nonsense=1",
		server + "/k?tls=perhaps", server + "/k?maxPoolSize=x", server + "/k?w=majority;j=1", server + "/k?directConnection=true&loadBalanced=true",
		server + "/a.b", server + "/a/b", server + "/a$b", server + "/k#part", "mongodb:///k", "mongodb:k",
		"mongodb://user:hidden@127.0.0.1:x1/k?tlsCAFile=/nowhere",
		server + "/" + strings.Repeat("k", 64), server + "/k?tlsCAFile=/nowhere/hidden.pem", server + "/k?authMechanism=hidden",
	} {
		u, err := url.Parse(text)
		if err != nil { // as the port above, which the program's Mux refuses
			continue
		}
		s, err := mongodb.Open(t.Context(), u)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", text)
			continue
		}
		if !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v", text, err)
		}
		if strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q tells a secret", err)
		}
	}
}

func TestOpenTakesTheParametersThatItKeepsAnyway(t *testing.T) {
	u := parsed(t, engines.MongoDB(t))
	query := u.Query()
	for param, value := range map[string]string{
		"w": "majority", "journal": "true", "readPreference": "primary", "retryWrites": "false", "maxPoolSize": "7", "timeoutMS": "20000",
	} {
		query.Set(param, value)
	}
	u.RawQuery = query.Encode()
	if err := migrated(t, u.String()).Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysUnavailableInTimeAndWithoutThePassword(t *testing.T) {
	for _, text := range []string{
		"mongodb://user:hidden@127.0.0.1:1/k?serverSelectionTimeoutMS=300",
		"mongodb://user:hidden@nowhere.invalid/k?serverSelectionTimeoutMS=300",
		"mongodb+srv://user:hidden@nowhere.invalid/k",
	} {
		begun := time.Now()
		s, err := mongodb.Open(t.Context(), parsed(t, text))
		if err == nil {
			_ = s.Close()
		}
		message := fault.All(err)[0].Message
		if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "hidden") || strings.Contains(message, "127.0.0.1") || strings.Contains(message, "nowhere") {
			t.Errorf("%s: %v", text, err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: it took %v", text, took)
		}
	}
}

func TestReadyNamesTheCommandThatAnOlderSchemaNeeds(t *testing.T) {
	s := open(t, engines.MongoDB(t))
	unready(t, s, "keywright migrate")
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := mongodb.SetSchema(t.Context(), s, 0); err != nil { // as one who was cut off left it
		t.Fatal(err)
	}
	unready(t, s, "keywright migrate")
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAForeignDatabaseIsLeftAlone(t *testing.T) {
	s := open(t, engines.MongoDB(t))
	theirs := mongodb.Database(s).Collection("theirs")
	if _, err := theirs.InsertOne(t.Context(), bson.M{"_id": 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("Migrate says %v", err)
	}
	names, err := mongodb.Database(s).ListCollectionNames(t.Context(), bson.M{})
	if err != nil || len(names) != 1 {
		t.Errorf("collections %v, %v", names, err)
	}
	unready(t, s, "keywright migrate")
}

func unready(t *testing.T, s *mongodb.Store, want string) {
	t.Helper()
	err := s.Ready(t.Context())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, want) {
		t.Fatalf("Ready says %v, want %q", err, want)
	}
}

// Behind routers the time is asked for otherwise; that it is right can be seen
// on any server.
func TestTheShardsClockIsTheServers(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	for range 20 {
		before, err := s.Clock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		between, err := mongodb.ShardsClock(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		after, err := s.Clock(t.Context())
		if err != nil || between.Before(before) || between.After(after) {
			t.Fatalf("%v is not between %v and %v, %v", between, before, after, err)
		}
	}
}
