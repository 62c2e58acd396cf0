package wire_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/keywright/keywright/resolvers/wire"
)

func TestAShutdownEndsWhatLastsAndAwaitsTheRest(t *testing.T) {
	h := newHouse(t)
	c, idle, ungreeted := h.greeted(), h.greeted(), h.dial()
	c.subscribe("l", lasting)
	o := h.next()
	<-o.asked
	c.subscribe("a", single)
	one := h.next()

	h.transport.Streams.End()
	o.wantEnded(t)
	idle.wantClosed(websocket.StatusGoingAway, "the server is shutting down")
	ungreeted.wantClosed(websocket.StatusGoingAway, "the server is shutting down")
	c.subscribe("b", whoami) // not begun, and not refused: it is to be asked for elsewhere
	c.send(`{"type":"ping"}`)
	c.want(`{"type":"pong"}`)
	one.say(t, `{"data":"done"}`)
	c.want(`{"id":"a","type":"next","payload":{"data":"done"}}`)
	close(one.answers)
	c.want(aEnd)
	c.wantClosed(websocket.StatusGoingAway, "the server is shutting down")

	from, answer := h.raw(strings.Replace(upgradeHead, "%s", "localhost", 1) + "\r\n")
	text, err := io.ReadAll(io.LimitReader(from, int64(len("the server is shutting down"))))
	if answer.status != http.StatusServiceUnavailable || err != nil || string(text) != "the server is shutting down" {
		t.Errorf("%d %s, %v", answer.status, text, err)
	}
}

func TestAConnectionEndsWithItsCredential(t *testing.T) {
	t.Run("of the first message", func(t *testing.T) {
		h := newHouse(t)
		c := h.dial()
		c.send(`{"type":"connection_init","payload":{"Authorization":"` + leaving + `"}}`)
		c.want(ack)
		wantLeft(h, c)
	})
	t.Run("of the header", func(t *testing.T) {
		h := newHouse(t)
		c := h.dial("Authorization", leaving)
		c.send(greeting)
		c.want(ack)
		wantLeft(h, c)
	})
}

func wantLeft(h *house, c *client) {
	h.t.Helper()
	c.subscribe("a", lasting)
	o := h.next()
	o.say(h.t, `{"data":1}`)
	c.want(`{"id":"a","type":"next","payload":{"data":1}}`)
	h.leave()
	c.wantClosed(4403, "Forbidden")
	o.wantEnded(h.t)
}

func TestOperationsEndWithTheirConnection(t *testing.T) {
	for name, leave := range map[string]func(*client){
		"a farewell":  func(c *client) { _ = c.conn.Close(websocket.StatusNormalClosure, "") },
		"not a word":  func(c *client) { _ = c.conn.CloseNow() },
		"another one": func(c *client) { _ = c.conn.Close(4499, "canary") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			c := h.greeted()
			c.subscribe("a", lasting)
			c.subscribe("b", single)
			first, second := h.next(), h.next()
			leave(c)
			first.wantEnded(t)
			second.wantEnded(t)
			if err := <-h.served; err != nil {
				t.Error(err)
			}
			if h.transport.Streams.Open() != 0 || strings.Contains(h.log.String(), "canary") {
				t.Errorf("%d are open, the log is %s", h.transport.Streams.Open(), h.log)
			}
		})
	}
}

func TestAPeerThatAnswersNoPingIsClosed(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) {
		w.Patience.Beat, w.Patience.Progress = 100*time.Millisecond, 500*time.Millisecond
	})
	conn := h.lean(strings.Replace(upgradeHead, "%s", "localhost", 1)+"\r\n", "\r\n\r\n")
	h.exchange(conn, frame(greeting), ack)
	h.exchange(conn, frame(`{"id":"a","type":"subscribe","payload":`+lasting+`}`), "")
	h.next().wantEnded(t)
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
}

func TestAPeerThatAnswersPingsStays(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) {
		w.Patience.Beat, w.Patience.Progress = time.Millisecond, 10*time.Second
	})
	pings := make(chan struct{}, 1000)
	conn, answer, err := websocket.Dial(t.Context(), h.url, &websocket.DialOptions{
		Subprotocols:   []string{wire.Subprotocol},
		OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body != nil {
		answer.Body.Close()
	}
	c := &client{t: t, conn: conn}
	c.send(greeting)
	c.want(ack)
	read := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(t.Context()) // answers the pings meanwhile
		read <- err
	}()
	for range 20 {
		<-pings
	}
	c.send(`{"type":"ping"}`)
	if err := <-read; err != nil {
		t.Error(err)
	}
	_ = conn.CloseNow()
}

func TestAClientThatReadsNothingIsClosed(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) { w.Patience.Progress = 100 * time.Millisecond })
	c := h.greeted()
	c.subscribe("a", lasting)
	c.subscribe("b", lasting)
	for _, o := range []*begun{h.next(), h.next()} {
		go func() {
			for {
				select {
				case o.answers <- `{"data":"` + strings.Repeat("x", 1<<20) + `"}`:
				case <-o.ctx.Done():
					return
				}
			}
		}()
	}
	if err := <-h.served; err != nil {
		t.Error(err)
	}
	if h.transport.Streams.Open() != 0 {
		t.Error("it is open")
	}
}

func TestAMessageThatDoesNotArriveWholeClosesTheConnection(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) { w.Patience.Message = 20 * time.Millisecond })
	conn := h.lean(strings.Replace(upgradeHead, "%s", "localhost", 1)+"\r\n", "\r\n\r\n")
	h.exchange(conn, frame(greeting), ack)
	h.exchange(conn, frame(`{"type":"ping"}`)[:8], "")
	h.exchange(conn, "", "\x11\x30a message did not arrive whole")
}

func TestFramesThatNoWebSocketHas(t *testing.T) {
	text := frame(`{"type":"ping"}`)
	for name, test := range map[string]struct{ send, want string }{
		"not masked":                  {"\x81\x02{}", "\x88\x29\x03\xeathe frames are not those of a WebSocket"},
		"a reserved bit":              {"\xc1" + text[1:], "\x03\xea"},
		"an unknown kind":             {"\x83" + text[1:], "\x03\xea"},
		"a continuation of nothing":   {"\x80" + text[1:], "\x03\xea"},
		"a text within a text":        {"\x01" + text[1:] + text, "\x03\xea"},
		"a ping of 126 bytes":         {"\x89\xfe\x00\x7e\x00\x00\x00\x00" + strings.Repeat("x", 126), "\x03\xea"},
		"a ping in two parts":         {"\x09\x80\x00\x00\x00\x00", "\x03\xea"},
		"a farewell of a single byte": {"\x88\x81\x00\x00\x00\x00x", "\x03\xea"},
		"a length beyond all":         {"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00" + strings.Repeat("x", 70_000), "\x03\xf1"},
		"a negative length":           {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00" + strings.Repeat("x", 100), "\x03\xea"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			conn := h.lean(strings.Replace(upgradeHead, "%s", "localhost", 1)+"\r\n", "\r\n\r\n")
			h.exchange(conn, frame(greeting), ack)
			if _, err := io.WriteString(conn, test.send); err != nil {
				t.Fatal(err)
			}
			h.exchange(conn, "", test.want)
		})
	}
}

func TestFramesThatMayBe(t *testing.T) {
	h := newHouse(t)
	// The first frames come with the request, and a message comes in parts with
	// a ping in between.
	conn := h.lean(strings.Replace(upgradeHead, "%s", "localhost", 1)+"\r\n"+frame(greeting)+
		"\x01\x83\x00\x00\x00\x00{\"t"+"\x89\x81\x00\x00\x00\x00p"+"\x80\x8c\x00\x00\x00\x00ype\":\"ping\"}", "\r\n\r\n")
	h.exchange(conn, "", "\x81\x19"+ack+"\x8a\x01p"+"\x81\x0f"+`{"type":"pong"}`)
}

func TestAStreamBesideItsHandlerWaitsForNobodyEither(t *testing.T) {
	for name, test := range map[string]struct {
		patience func(*wire.Patience)
		end      func(*house)
	}{
		"who reads nothing": {func(p *wire.Patience) { p.Progress = 50 * time.Millisecond }, func(*house) {}},
		"at a shutdown":     {func(p *wire.Patience) { p.Farewell = 50 * time.Millisecond }, func(h *house) { h.transport.Streams.End() }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(w *wire.Transport) { test.patience(&w.Patience) })
			h.lean("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n\r\n")
			o := h.next()
			for stuck := false; !stuck; {
				select {
				case o.answers <- `{"data":"` + strings.Repeat("x", 1<<20) + `"}`:
				case <-o.ctx.Done():
					stuck = true
				case <-time.After(200 * time.Millisecond):
					stuck = true
				}
			}
			test.end(h)
			o.wantEnded(t)
			if err := <-h.served; err != nil || h.transport.Streams.Open() != 0 {
				t.Errorf("%v, %d are open", err, h.transport.Streams.Open())
			}
		})
	}
}
