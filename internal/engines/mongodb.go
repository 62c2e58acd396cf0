package engines

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// mongoVariable names a real MongoDB, which then stands for the shared server.
const mongoVariable = "KEYWRIGHT_TEST_MONGODB"

// MongoDB gives the URL of an empty database: of the server whose URL is in
// KEYWRIGHT_TEST_MONGODB, or else of the stand-in (tools/mongotest) that the
// tests share. It is dropped when the test ends.
func MongoDB(t testing.TB) string {
	t.Helper()
	server := os.Getenv(mongoVariable)
	if server == "" {
		standIn, err := shared.startedMongoDB(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		server = standIn.URL("")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(mongoVariable + " is not a URL") // the error would show what it is
	}
	u.Path = "/" + databaseName()
	if query := u.Query(); u.User != nil && !query.Has("authSource") {
		query.Set("authSource", "admin") // instead of the database that the path names
		u.RawQuery = query.Encode()
	}
	dropAfter(t, u)
	return u.String()
}

func databaseName() string { return "test_" + strings.ToLower(rand.Text()) }

func dropAfter(t testing.TB, u *url.URL) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stopTimeout)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(u.String()))
		if err == nil {
			err = errors.Join(client.Database(strings.TrimPrefix(u.Path, "/")).Drop(ctx), client.Disconnect(ctx))
		}
		if err != nil {
			t.Errorf("drop %s: %v", u.Path, err)
		}
	})
}

// NewMongoDB starts a stand-in of the test's own, and stops it when the test
// ends.
func NewMongoDB(t testing.TB) *MongoServer {
	t.Helper()
	s, err := StartMongoDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s)
	return s
}

// MongoServer is a stand-in for MongoDB.
type MongoServer struct{ server }

// StartMongoDB starts a stand-in; Close stops it.
func StartMongoDB(ctx context.Context) (*MongoServer, error) {
	base, err := newServer()
	s := &MongoServer{base}
	if err == nil {
		err = s.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Start starts a server that was stopped, on the port that it had, and returns
// when it answers.
func (s *MongoServer) Start(ctx context.Context) error {
	program, err := standIn(ctx)
	if err != nil {
		return err
	}
	client, err := mongo.Connect(options.Client().ApplyURI(s.URL("")))
	if err != nil {
		return err
	}
	answers := func(ctx context.Context) error { return client.Ping(ctx, nil) }
	err = s.start(ctx, syscall.SIGKILL, answers, program, "-listen", s.Address(), "-data", s.directory)
	return errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
}

// URL names a database of the server, which is there once it is written to.
func (s *MongoServer) URL(database string) string { return "mongodb://" + s.Address() + "/" + database }

// Stop ends the server when what it was asked is done.
func (s *MongoServer) Stop() error { return s.end(syscall.SIGTERM) }

// Close stops the server and removes its files.
func (s *MongoServer) Close() error { return s.remove() }
