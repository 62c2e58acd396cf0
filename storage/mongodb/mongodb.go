// Package mongodb keeps records in MongoDB, or in what speaks its protocol. A
// record with its seats and its pending entries is one document, since there
// is no other unit that every such server changes at once. Nothing here is a
// transaction over several documents, a partial index or an operator that only
// newer servers have.
//
// Bodies are kept as their text. As BSON, names with a dot or a dollar, numbers
// beyond 64 bits and the order of keys would not survive everywhere, and
// digests are made of them.
package mongodb

import (
	"context"
	"net/url"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var (
	_ storage.Store = (*Store)(nil)
	_ storage.Mover = (*Store)(nil)
	_ storage.Waker = (*Store)(nil)
)

// Store is a database of a MongoDB.
type Store struct {
	client   *mongo.Client
	database *mongo.Database
	server   server

	records *mongo.Collection
	words   *mongo.Collection
	days    *mongo.Collection
	blocks  *mongo.Collection
	meta    *mongo.Collection

	// The same, for reads that no primary which was deposed unknown to itself
	// may answer.
	surely struct{ records, words, days, blocks *mongo.Collection }

	open     context.Context // ends when Close begins
	end      context.CancelFunc
	wakers   sync.WaitGroup
	closedMu sync.RWMutex // held for reading by every call under way
	closed   bool
}

// Open opens the database that a URL names, mongodb://host/database, which may
// hold what sharedParams and ownParams list. It does not migrate.
func Open(ctx context.Context, u *url.URL) (storage.Store, error) {
	return open(ctx, u)
}

func open(ctx context.Context, u *url.URL) (*Store, error) {
	name, set, err := read(u)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(set.ClientOptions)
	if err != nil {
		// Not wrapped: the cause may quote the URL.
		return nil, fault.Errorf(fault.InvalidInput, "the %s URL holds what does not go together", u.Scheme)
	}
	s := &Store{client: client, database: client.Database(name)}
	if s.server, err = greet(ctx, s.database); err != nil {
		_ = client.Disconnect(context.WithoutCancel(ctx))
		return nil, fault.Wrap(fault.Unavailable, err, "storage cannot be opened")
	}
	s.open, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.collect(set.readConcern)
	return s, nil
}

// collect makes the collections. Where there are several servers, what callers
// are answered is read linearizably, unless the URL says otherwise.
func (s *Store) collect(asked string) {
	level := asked
	if level == "" && s.server.hasSeveral() {
		level = "linearizable"
	}
	surely := options.Collection()
	if level != "" {
		surely.SetReadConcern(&readconcern.ReadConcern{Level: level})
	}
	s.records, s.surely.records = s.database.Collection(recordCollection), s.database.Collection(recordCollection, surely)
	s.blocks, s.surely.blocks = s.database.Collection(blockCollection), s.database.Collection(blockCollection, surely)
	s.words, s.surely.words = s.database.Collection(wordCollection), s.database.Collection(wordCollection, surely)
	s.days, s.surely.days = s.database.Collection(dayCollection), s.database.Collection(dayCollection, surely)
	s.meta = s.database.Collection(metaCollection)
}

// server is what a server says of itself.
type server struct {
	Set     string `bson:"setName"`
	Message string `bson:"msg"`
}

func greet(ctx context.Context, d *mongo.Database) (server, error) {
	var said server
	err := d.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&said)
	return said, err
}

func (s server) isRouter() bool   { return s.Message == "isdbgrid" }
func (s server) hasSeveral() bool { return s.isRouter() || s.Set != "" }

// enter begins a call; who called it calls what it gives at the end.
func (s *Store) enter(ctx context.Context) (func(), error) {
	s.closedMu.RLock()
	if s.closed {
		s.closedMu.RUnlock()
		return nil, fault.Errorf(fault.Unavailable, "storage is closed")
	}
	if err := ctx.Err(); err != nil {
		s.closedMu.RUnlock()
		return nil, translate(err)
	}
	return s.closedMu.RUnlock, nil
}

// Close implements storage.Keeper.
func (s *Store) Close() error {
	s.closedMu.Lock()
	defer s.closedMu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.end()
	s.wakers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return translate(s.client.Disconnect(ctx))
}
