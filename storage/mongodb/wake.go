package mongodb

import (
	"cmp"
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/keywright/keywright/fault"
)

// Wake implements storage.Waker by a change stream, which a server that stands
// alone has not.
func (s *Store) Wake(ctx context.Context, f func()) error {
	if !s.server.hasSeveral() {
		return fault.Errorf(fault.Unavailable, "storage has no change streams: it is not a replica set")
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	s.wakers.Add(1)
	leave()
	defer s.wakers.Done()
	waking, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.open, stop)()
	err = s.wake(waking, f)
	if ctx.Err() != nil {
		return nil
	}
	return translate(err)
}

// wake gives word of inserted blocks, and nothing of them. It asks again and
// again: the client's timeout is for one question, and Next would put all of a
// quiet time under it.
func (s *Store) wake(ctx context.Context, f func()) error {
	stream, err := s.blocks.Watch(ctx, mongo.Pipeline{
		{{Key: "$match", Value: bson.M{"operationType": "insert"}}},
		{{Key: "$project", Value: fields("_id")}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close(context.WithoutCancel(ctx)) }()
	for {
		for stream.TryNext(ctx) {
			f()
		}
		if err := cmp.Or(stream.Err(), ctx.Err()); err != nil || stream.ID() == 0 {
			return err
		}
	}
}
