package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/wire"
	"github.com/keywright/keywright/server"
)

// taken is a handler that takes its connection over, and ends as it is told.
type taken struct {
	begun chan context.Context
	end   chan struct{}
}

func newTaken() taken { return taken{begun: make(chan context.Context, 1), end: make(chan struct{})} }

func (h taken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Upgrade", "x")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	h.begun <- r.Context()
	select {
	case <-h.end:
	case <-r.Context().Done():
	}
	_, _ = both.WriteString("farewell")
	_ = both.Flush()
}

func upgrade(t *testing.T, url string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	status, err := from.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		t.Fatal(status, err)
	}
	for line := status; line != "\r\n"; {
		if line, err = from.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return from
}

func TestAShutdownEndsStreamsAndAwaitsConnectionsThatWereGivenAway(t *testing.T) {
	var log lockedBuffer
	handler := newTaken()
	ending := make(chan struct{})
	c := config(handler, &log)
	c.EndStreams = func() { close(ending) }
	s := run(t, c)
	from := upgrade(t, s.url)
	ctx := <-handler.begun
	s.end()
	<-ending
	for open := true; open; { // until net/http itself has nothing more to wait for
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if open = err == nil; open {
			connection.Close()
		}
	}
	select {
	case err := <-s.ended:
		t.Fatalf("ended before its connection: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if ctx.Err() != nil {
		t.Error("what is in flight was cut off")
	}
	close(handler.end)
	if text, err := io.ReadAll(from); err != nil || string(text) != "farewell" {
		t.Errorf("%q, %v", text, err)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	lines := decode(t, &log.Buffer)
	last := lines[len(lines)-1]
	if last["msg"] != "request" || last["status"] != 101.0 || last["path"] != "/graphql" || last["ms"].(float64) < 50 {
		t.Errorf("the log ends with %v", last)
	}
}

func TestAShutdownCutsOffConnectionsThatWereGivenAway(t *testing.T) {
	handler := newTaken()
	c := config(handler, io.Discard)
	c.Drain = time.Millisecond
	s := run(t, c)
	from := upgrade(t, s.url)
	<-handler.begun
	s.end()
	if text, err := io.ReadAll(from); err != nil || string(text) != "farewell" {
		t.Errorf("%q, %v", text, err)
	}
	if err := <-s.ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("Run: %v", err)
	}
}

func TestARequestEndsWithItsCredential(t *testing.T) {
	var log bytes.Buffer
	begun := make(chan struct{})
	c := config(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		fmt.Fprint(w, actor.From(r.Context()))
	}), &log)
	ends, end := context.WithCancel(t.Context())
	c.Authenticate = func(ctx context.Context, _ string) (context.Context, bool) {
		ctx, cancel := context.WithCancel(actor.With(ctx, admin))
		context.AfterFunc(ends, cancel)
		return ctx, true
	}
	s := server.New(c)
	answered := make(chan string)
	go func() { answered <- ask(s, post("Authorization", "Bearer x")).Body.String() }()
	<-begun
	end()
	if got := <-answered; got != "USER dev|admin" || decode(t, &log)[0]["actor"] != got {
		t.Errorf("%s was answered", got)
	}
}

func TestACredentialInTheFormOfAHeader(t *testing.T) {
	known := server.AdminToken(token, admin)
	for header, good := range map[string]bool{
		"Bearer " + token: true, "bearer  " + token: true, token: false, "Basic " + token: false, "Bearer": false, "": false, "Bearer x": false,
	} {
		ctx, ok := known.Credential(t.Context(), header)
		if ok != good || good && actor.From(ctx) != admin {
			t.Errorf("%q: %v", header, ok)
		}
	}
	if _, ok := server.Authenticate(nil).Credential(t.Context(), "Bearer "+token); ok {
		t.Error("where no credential is good one is")
	}
}

// lasting is a subscription that gives one answer and then waits.
func lasting(begun chan<- context.Context) http.Handler {
	transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience(), Log: slog.New(slog.DiscardHandler)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := transport.ServeEvents(w, r, func(ctx context.Context) wire.Answers {
			begun <- ctx
			return func(ctx context.Context) []byte {
				<-ctx.Done()
				return nil
			}
		})
		if err != nil {
			panic(err)
		}
	})
}

func TestAStreamOutlastsItsHandlerAndIsLoggedAtItsEnd(t *testing.T) {
	var log lockedBuffer
	begun := make(chan context.Context, 1)
	c := config(lasting(begun), &log)
	c.EndStreams = func() {}
	s := run(t, c)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	id := answer.Header.Get("X-Request-Id")
	if answer.StatusCode != http.StatusOK || id == "" || answer.Header.Get("Date") == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
	ctx := <-begun
	if actor.From(ctx) != admin || actor.RequestFrom(ctx) != id || !actor.AddressFrom(ctx).IsValid() {
		t.Errorf("%v asks", actor.From(ctx))
	}
	if text := log.String(); text != "" {
		t.Errorf("the log has %s", text)
	}
	answer.Body.Close()
	<-ctx.Done()
	s.end()
	if err := <-s.ended; err != nil { // which waits for the stream to be over
		t.Error(err)
	}
	for _, line := range decode(t, &log.Buffer) {
		if line["msg"] == "request" {
			if line["request"] != id || line["status"] != 200.0 || line["actor"] != "USER dev|admin" || line["path"] != "/graphql" {
				t.Errorf("the log has %v", line)
			}
			return
		}
	}
	t.Errorf("the log is %s", &log)
}

func TestStreamsThatDoNotEndAreCutOff(t *testing.T) {
	begun := make(chan context.Context, 1)
	c := config(lasting(begun), io.Discard)
	c.Drain = time.Millisecond
	s := run(t, c)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	ctx := <-begun
	s.end()
	<-ctx.Done()
	if text, err := io.ReadAll(answer.Body); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
	answer.Body.Close()
	if err := <-s.ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("Run: %v", err)
	}
}

func TestARequestThatIsNotKeptEndsWithItsHandler(t *testing.T) {
	var during context.Context
	s := server.New(config(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		during = r.Context()
		if during.Err() != nil {
			t.Error("it has ended before")
		}
	}), io.Discard))
	r := post("Accept", "text/event-stream", "Authorization", "Bearer "+token)
	ctx, gone := context.WithCancel(r.Context())
	defer gone()
	ask(s, r.WithContext(ctx))
	if during.Err() == nil || actor.From(during) != admin {
		t.Errorf("%v asks, and %v", actor.From(during), during.Err())
	}
}
