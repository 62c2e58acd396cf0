package mongodb_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

// quietSet speaks as much of MongoDB's protocol as a change stream needs, for
// the stand-in of the other tests has none. It is a replica set of one in which
// nothing happens until tell is called. Of what MongoDB's own streams do it
// shows nothing: it is there for what the driver does with its timeouts.
type quietSet struct {
	listener net.Listener
	running  sync.WaitGroup
	streams  atomic.Int64 // that were begun
	asked    atomic.Int64 // for more
	news     chan struct{}
}

// opQuery is how a connection says its first hello.
const opQuery wiremessage.OpCode = 2004

func newQuietSet(t *testing.T) *quietSet {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := &quietSet{listener: listener, news: make(chan struct{}, 1)}
	q.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			q.running.Go(func() { q.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		q.running.Wait()
	})
	return q
}

// serve answers until the other end is closed.
func (q *quietSet) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		message := make([]byte, binary.LittleEndian.Uint32(size[:]))
		copy(message, size[:])
		if _, err := io.ReadFull(conn, message[4:]); err != nil {
			return
		}
		_, id, _, code, rest, _ := wiremessage.ReadHeader(message)
		var answer []byte
		if code == opQuery {
			at, to := wiremessage.AppendHeaderStart(nil, 1, id, wiremessage.OpReply)
			to = append(to, make([]byte, 20)...) // flags, cursor, place
			binary.LittleEndian.PutUint32(to[len(to)-4:], 1)
			answer = finished(at, append(to, encode(q.hello())...))
		} else {
			at, to := wiremessage.AppendHeaderStart(nil, 1, id, wiremessage.OpMsg)
			to = wiremessage.AppendMsgSectionType(wiremessage.AppendMsgFlags(to, 0), wiremessage.SingleDocument)
			answer = finished(at, append(to, encode(q.answer(bson.Raw(rest[5:])))...))
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func finished(at int32, message []byte) []byte {
	binary.LittleEndian.PutUint32(message[at:], uint32(len(message)))
	return message
}

func encode(answer bson.D) []byte {
	raw, _ := bson.Marshal(answer) // numbers and texts
	return raw
}

func (q *quietSet) hello() bson.D {
	address := q.listener.Addr().String()
	return bson.D{
		{Key: "ok", Value: 1}, {Key: "setName", Value: "rs"}, {Key: "isWritablePrimary", Value: true}, {Key: "hosts", Value: bson.A{address}},
		{Key: "me", Value: address}, {Key: "primary", Value: address}, {Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48000000}, {Key: "maxWriteBatchSize", Value: 100000}, {Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 25},
	}
}

func (q *quietSet) answer(command bson.Raw) bson.D {
	elements, _ := command.Elements()
	cursor := bson.D{{Key: "id", Value: int64(7)}, {Key: "ns", Value: "licenses.block"}}
	switch elements[0].Key() {
	case "hello", "isMaster", "ismaster":
		return q.hello()
	case "aggregate":
		q.streams.Add(1)
		return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: append(cursor, bson.E{Key: "firstBatch", Value: bson.A{}})}}
	case "getMore":
		q.asked.Add(1)
		batch := bson.A{}
		select {
		case <-q.news:
			batch = append(batch, bson.D{{Key: "_id", Value: bson.D{{Key: "_data", Value: "01"}}}})
		case <-time.After(500 * time.Millisecond):
		}
		return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: append(cursor, bson.E{Key: "nextBatch", Value: batch})}}
	}
	return bson.D{{Key: "ok", Value: 1}}
}

// A time in which nothing is appended may be longer than a call may take.
func TestWhoListensHearsAfterAQuietTimeToo(t *testing.T) {
	q := newQuietSet(t)
	s := open(t, "mongodb://"+q.listener.Addr().String()+"/licenses?replicaSet=rs&timeoutMS=3000")
	ctx, stop := context.WithCancel(t.Context())
	woken, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() { ended <- s.Wake(ctx, func() { woken <- struct{}{} }) }()
	quiet := time.NewTicker(10 * time.Millisecond)
	defer quiet.Stop()
	for q.asked.Load() < 8 { // for longer than that timeout
		select {
		case <-quiet.C:
		case err := <-ended:
			t.Fatalf("it no longer listens: %v", err)
		}
	}
	q.news <- struct{}{}
	select {
	case <-woken:
	case err := <-ended:
		t.Fatalf("it no longer listens: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if began := q.streams.Load(); began != 1 {
		t.Errorf("%d streams were begun", began)
	}
}
