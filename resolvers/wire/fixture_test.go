package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The credentials that a test's server takes, in a header and in the first
// message of a WebSocket.
const (
	good    = "Bearer good"
	leaving = "Bearer leaving" // one that ends when the test says so
	bad     = "Bearer bad"
)

var staff = actor.Actor{Kind: actor.User, ID: "test|staff"}

// begun is an operation that a test answers.
type begun struct {
	request string
	who     actor.Actor
	ctx     context.Context
	answers chan string // what it answers; closed at its end
	asked   chan struct{}
}

// house is a server whose operations are in the hands of a test. A request
// {"query":"NAME"} begins one of these, and others wait for the test.
type house struct {
	t         *testing.T
	url       string
	transport *wire.Transport
	begun     chan *begun
	log       *buffer
	leave     context.CancelFunc // ends the credential leaving
	served    chan error         // one at the end of each request, with what ServeSocket or ServeEvents gave
}

const (
	whoami    = `{"query":"whoami"}`
	lasting   = `{"query":"lasting"}`
	single    = `{"query":"single"}`
	refused   = `{"query":"refused"}`
	malformed = `{"query":"malformed"}`
	failing   = `{"query":"failing"}`
	panicking = `{"query":"panicking"}`
	breaking  = `{"query":"breaking"}`
)

func newHouse(t *testing.T, adjust ...func(*wire.Transport)) *house {
	t.Helper()
	h := &house{t: t, begun: make(chan *begun, 4000), log: &buffer{}, served: make(chan error, 4000)}
	ends, leave := context.WithCancel(t.Context())
	h.leave = leave
	t.Cleanup(leave)
	h.transport = &wire.Transport{
		Open: h.open, Streams: wire.NewStreams(0), Patience: wire.DefaultPatience(), Log: slog.New(slog.NewJSONHandler(h.log, nil)),
		Credential: func(ctx context.Context, header string) (context.Context, bool) {
			switch header {
			case good:
				return actor.With(ctx, staff), true
			case leaving:
				ctx, end := context.WithCancel(actor.With(ctx, staff))
				context.AfterFunc(ends, end)
				return ctx, true
			}
			return nil, false
		},
	}
	for _, one := range adjust {
		one(h.transport)
	}
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() {
		h.transport.Streams.End()
		server.CloseClientConnections()
		server.Close()
		for h.transport.Streams.Open() > 0 { // hijacked ones are not waited for
			<-h.served
		}
	})
	h.url = server.URL
	return h
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context()) // which ends with the handler
	if header := r.Header.Get("Authorization"); header != "" {
		ctx, _ = h.transport.Credential(ctx, header)
	}
	r = r.WithContext(ctx)
	var err error
	k := &kept{house: h}
	r = r.WithContext(wire.WithKeeper(r.Context(), k))
	if wire.IsUpgrade(r) {
		err = h.transport.ServeSocket(w, r)
	} else if err = wire.CheckOrigin(r); err == nil {
		err = h.transport.ServeEvents(w, r, func(ctx context.Context) wire.Answers {
			o, err := h.open(ctx, []byte(lasting))
			if err != nil {
				panic(err)
			}
			return o.Answers
		})
	}
	var refusal *wire.RefusalError
	if errors.As(err, &refusal) {
		http.Error(w, refusal.Error(), refusal.Status)
	}
	if !k.kept {
		h.served <- err
	}
}

// kept is a request that may outlast its handler.
type kept struct {
	house *house
	kept  bool
}

// Keep implements wire.Keeper.
func (k *kept) Keep() (over func()) {
	k.kept = true
	served := k.house.served
	return func() { served <- nil }
}

func (h *house) open(ctx context.Context, request []byte) (wire.Operation, error) {
	var asked struct{ Query string }
	if err := json.Unmarshal(request, &asked); err != nil {
		return wire.Operation{}, wire.MalformedError("the request is none")
	}
	switch asked.Query {
	case "whoami":
		return wire.Operation{Answers: once(`{"data":"` + actor.From(ctx).String() + `"}`)}, nil
	case "refused":
		return wire.Operation{}, wire.RefusedErrors(`[{"message":"not so"}]`)
	case "malformed":
		return wire.Operation{}, wire.MalformedError("the request lacks something")
	case "failing":
		return wire.Operation{}, io.ErrUnexpectedEOF
	case "panicking":
		panic("the cause of it")
	case "breaking":
		return wire.Operation{Answers: func(context.Context) []byte { panic("the cause of it") }}, nil
	}
	b := &begun{request: string(request), who: actor.From(ctx), ctx: ctx, answers: make(chan string), asked: make(chan struct{}, 1000)}
	h.begun <- b
	return wire.Operation{Lasts: asked.Query != "single", Answers: func(ctx context.Context) []byte {
		b.asked <- struct{}{}
		select {
		case one, more := <-b.answers:
			if !more {
				return nil
			}
			return []byte(one)
		case <-ctx.Done():
			return nil
		}
	}}, nil
}

func once(answer string) wire.Answers {
	return func(context.Context) []byte {
		one := answer
		if answer = ""; one == "" {
			return nil
		}
		return []byte(one)
	}
}

// next gives the operation that has begun.
func (h *house) next() *begun {
	h.t.Helper()
	select {
	case b := <-h.begun:
		return b
	case <-time.After(20 * time.Second):
		h.t.Fatal("no operation has begun")
		return nil
	}
}

// say answers.
func (b *begun) say(t *testing.T, answer string) {
	t.Helper()
	select {
	case b.answers <- answer:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody asks for an answer")
	}
}

// wantEnded waits for the end of the context of an operation.
func (b *begun) wantEnded(t *testing.T) {
	t.Helper()
	select {
	case <-b.ctx.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the operation goes on")
	}
}

// client is a WebSocket's other end.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

func (h *house) dial(headers ...string) *client {
	h.t.Helper()
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Add(headers[i], headers[i+1])
	}
	conn, answer, err := websocket.Dial(h.t.Context(), h.url, &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol}, HTTPHeader: header})
	if err != nil {
		h.t.Fatal(err)
	}
	if answer.Body != nil {
		answer.Body.Close()
	}
	if got := conn.Subprotocol(); got != wire.Subprotocol {
		h.t.Errorf("the subprotocol is %q", got)
	}
	conn.SetReadLimit(-1)
	h.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: h.t, conn: conn}
}

// greeted dials and greets as staff.
func (h *house) greeted(headers ...string) *client {
	h.t.Helper()
	c := h.dial(headers...)
	c.send(`{"type":"connection_init","payload":{"Authorization":"` + good + `"}}`)
	c.want(`{"type":"connection_ack"}`)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) subscribe(id, request string) {
	c.t.Helper()
	c.send(`{"id":"` + id + `","type":"subscribe","payload":` + request + `}`)
}

func (c *client) read() (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	return string(text), err
}

// want reads these messages.
func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		got, err := c.read()
		if err != nil || got != want {
			c.t.Fatalf("got %s %v, want %s", got, err, want)
		}
	}
}

// wantClosed reads the end of the connection.
func (c *client) wantClosed(code websocket.StatusCode, reason string) {
	c.t.Helper()
	text, err := c.read()
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code || closed.Reason != reason {
		c.t.Fatalf("got %s %v, want the code %d %s", text, err, code, reason)
	}
}

// opened is the head of an answer.
type opened struct {
	status int
	header http.Header
	close  func()
}

// stream opens an event stream.
func (h *house) stream(headers ...string) (opened, *bufio.Reader) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { answer.Body.Close() })
	return opened{answer.StatusCode, answer.Header, func() { answer.Body.Close() }}, bufio.NewReader(answer.Body)
}

// wantEvents reads this text of a stream.
func wantEvents(t *testing.T, from *bufio.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Fatalf("got %q %v, want %q", got[:n], err, want)
	}
}

func wantEnd(t *testing.T, from *bufio.Reader) {
	t.Helper()
	if rest, err := io.ReadAll(from); err != nil || len(rest) > 0 {
		t.Fatalf("the stream goes on with %q, %v", rest, err)
	}
}

// buffer is a log.
type buffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// raw opens a connection and sends a request for a WebSocket by hand.
func (h *house) raw(head string) (*bufio.Reader, opened) {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, head); err != nil {
		h.t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { // the connection first: a body may be waited for
		conn.Close()
		answer.Body.Close()
	})
	return from, opened{status: answer.StatusCode, header: answer.Header}
}
