package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/keywright/keywright/actor"
)

// closeError is why a connection is closed, as its client is told. A reason
// repeats nothing that the client sent.
type closeError struct {
	code   websocket.StatusCode
	reason string
}

// Error implements error.
func (c closeError) Error() string { return c.reason }

// maxReason bounds a reason: a control frame has 125 bytes, 2 for the code.
const maxReason = 123

var (
	errDone      = closeError{websocket.StatusNormalClosure, ""}
	errGoingAway = closeError{websocket.StatusGoingAway, "the server is shutting down"}
	errUngreeted = closeError{4401, "Unauthorized"}
	errForbidden = closeError{4403, "Forbidden"}
	errLate      = closeError{4408, "Connection initialisation timeout"}
	errTaken     = closeError{4409, "Subscriber for this id already exists"}
	errGreeted   = closeError{4429, "Too many initialisation requests"}
	errBroken    = closeError{4500, "Internal server error"}
)

// errSilent is why a connection is closed that shows no life.
var errSilent = errors.New("no answer to a ping")

func malformedMessage(problem string) closeError { return closeError{4400, problem} }

// socket is a WebSocket that speaks graphql-transport-ws. One goroutine reads,
// each operation has one, and for a ping or for closing there is one now and
// then.
type socket struct {
	*Transport
	conn   *websocket.Conn
	below  *pacedConn // what conn writes to
	stream *stream
	writes chan struct{}   // has room for whoever writes: they take turns
	caller context.Context // nil until the client has greeted

	running    sync.WaitGroup
	mu         sync.Mutex // guards what follows
	operations map[string]*operation
	count      int  // of those that run, and of those that were completed and run still
	draining   bool // no other begins
}

// ServeSocket makes a WebSocket of a request, and serves it until it ends: where
// the request has a Keeper, beside the handler. The error, a RefusalError, says
// that there is none.
func (t *Transport) ServeSocket(w http.ResponseWriter, r *http.Request) error {
	if err := checkUpgrade(r); err != nil {
		return err
	}
	s := &socket{Transport: t, writes: make(chan struct{}, 1), operations: map[string]*operation{}}
	stream, ctx, err := t.Streams.enter(r.Context(), s.drain)
	if err != nil {
		return err
	}
	s.stream = stream
	if err := s.upgrade(ctx, w, r); err != nil {
		stream.leave()
		return nil //nolint:nilerr // it was answered, or there is nobody to answer
	}
	t.run(ctx, stream, func() { s.serve(ctx) })
	return nil
}

func (s *socket) serve(ctx context.Context) {
	defer s.running.Wait()
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		s.close(context.Cause(ctx))
	})
	defer func() { <-closed }()
	defer s.stream.end(errDone) // if nothing else ended it
	defer every(s.Patience.Beat, func() { s.ping(ctx) })()
	greeting := time.AfterFunc(s.Patience.Greeting, func() { s.stream.end(errLate) })
	defer greeting.Stop()
	for {
		text, err := s.read(ctx)
		if err != nil {
			s.stream.end(err)
			return
		}
		if !s.calmly(ctx, func() { err = s.take(ctx, text, greeting) }) {
			err = errBroken
		}
		if err != nil {
			s.stream.end(err)
			return
		}
	}
}

// read waits for a message. A context that ends would break the connection off:
// the library is given none, and close ends the wait.
func (s *socket) read(ctx context.Context) ([]byte, error) {
	ctx = context.WithoutCancel(ctx)
	kind, from, err := s.conn.Reader(ctx)
	if err != nil {
		return nil, closeOf(err)
	}
	tooSlow := time.AfterFunc(s.Patience.Message, func() { s.stream.end(malformedMessage("a message did not arrive whole")) })
	defer tooSlow.Stop()
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, closeOf(err)
	}
	if kind != websocket.MessageText {
		return nil, malformedMessage("a message is a text")
	}
	return text, nil
}

// closeOf tells how to answer what could not be read. Where the library has
// closed the connection by itself, the answer is not sent.
func closeOf(err error) closeError {
	var theirs websocket.CloseError
	if errors.As(err, &theirs) || errors.Is(err, io.EOF) {
		return errDone
	}
	return closeError{websocket.StatusProtocolError, "the frames are not those of a WebSocket"}
}

// close tells the client why, and waits a little for its farewell. Who has not
// answered a ping is waited for no longer.
func (s *socket) close(why error) {
	var c closeError
	switch {
	case errors.Is(why, errSilent):
		_ = s.conn.CloseNow() // the client is gone
		return
	case errors.As(why, &c):
	case s.Streams.isEnding():
		c = errGoingAway
	default: // the caller's own context ended
		c = errForbidden
	}
	_ = s.conn.Close(c.code, c.reason[:min(len(c.reason), maxReason)]) // the client may be gone
}

// ping fails the connection if the client gives no answer, and takes nothing
// that is being written either.
func (s *socket) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.Patience.Progress)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil && len(s.writes) == 0 {
		s.stream.end(errSilent)
	}
}

// pong answers a ping once it is its turn. The library by itself fails the
// connection where a message that is being written takes 5 s longer. In turn
// no frame is half written: what the library writes beside messages is small,
// and goes out by a single Write.
func (s *socket) pong(ctx context.Context, payload []byte) (byLibrary bool) {
	if !s.turn(ctx) {
		return false
	}
	defer s.turnOver()
	const finalPong = 0x8a
	if _, err := s.below.Write(append([]byte{finalPong, byte(len(payload))}, payload...)); err != nil {
		s.stream.end(errDone) // the client took nothing for too long, or is gone
	}
	return false
}

// take does what a message says. The error, a closeError, ends the connection.
func (s *socket) take(ctx context.Context, text []byte, greeting *time.Timer) error {
	m, problem := parseMessage(text)
	if problem != "" {
		return malformedMessage(problem)
	}
	switch m.kind {
	case kindInit:
		if s.caller != nil {
			return errGreeted
		}
		if err := s.greet(ctx, m.payload); err != nil {
			return err
		}
		greeting.Stop()
		return s.write(ctx, encode(kindAck, "", nil))
	case kindPing:
		return s.write(ctx, encode(kindPong, "", nil))
	case kindSubscribe:
		if s.caller == nil {
			return errUngreeted
		}
		return s.subscribe(m)
	case kindComplete:
		s.drop(m.id)
	}
	return nil
}

// greet finds out who calls: whoever sent the request, or holds the credential
// that the payload brings.
func (s *socket) greet(ctx context.Context, payload []byte) error {
	header, plain := credential(payload)
	if !plain {
		return errForbidden
	}
	if header == "" {
		s.caller = ctx
		return nil
	}
	caller, good := s.Credential(ctx, header)
	if !good {
		return errForbidden
	}
	context.AfterFunc(caller, func() { s.stream.end(errForbidden) }) // none but the first end counts
	s.caller = caller
	if !actor.From(caller).Nobody() {
		s.stream.known()
	}
	return nil
}

// write writes a message once it is its turn. The error, a closeError, says that
// the client took none for too long, or is gone.
func (s *socket) write(ctx context.Context, text []byte) error {
	if !s.turn(ctx) {
		return errDone
	}
	defer s.turnOver()
	return s.put(ctx, text)
}

// turn waits until nobody else writes; who waits longest is next. It gives
// false once ctx has ended.
func (s *socket) turn(ctx context.Context) bool {
	select {
	case s.writes <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *socket) turnOver() { <-s.writes }

// put is for whoever has the turn. The connection has its own deadlines.
func (s *socket) put(ctx context.Context, text []byte) error {
	if err := s.conn.Write(context.WithoutCancel(ctx), websocket.MessageText, text); err != nil {
		return errDone
	}
	return nil
}
