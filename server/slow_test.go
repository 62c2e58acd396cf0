package server_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/server"
)

// slow runs a server of little patience, and gives a connection to it that
// fails the test instead of waiting for ever.
func slow(t *testing.T, handler http.Handler, patience server.Patience) net.Conn {
	t.Helper()
	c := config(handler, io.Discard)
	c.Patience, c.Drain = patience, time.Millisecond
	s := run(t, c)
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		connection.Close()
		s.end()
		<-s.ended
	})
	return connection
}

// drip writes a text and then one byte again and again until the other side
// has had enough.
func drip(connection net.Conn, text, byteByByte string) error {
	_, err := io.WriteString(connection, text)
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for err == nil {
		<-ticks.C
		_, err = io.WriteString(connection, byteByByte)
	}
	return err
}

func wantCut(t *testing.T, name string, err error) {
	t.Helper()
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("%s: the client was not cut off: %v", name, err)
	}
}

const (
	brief = 20 * time.Millisecond
	ample = time.Minute
)

func TestAClientThatSendsByteByByteIsCutOff(t *testing.T) {
	waits := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
		}
	})
	for name, c := range map[string]struct {
		patience   server.Patience
		text, drip string
	}{
		"headers": {server.Patience{Header: brief, Read: ample, Answer: ample, Idle: ample}, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Long: ", "x"},
		"a body":  {server.Patience{Header: ample, Read: brief, Answer: ample, Idle: ample}, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", "x"},
		"chunks":  {server.Patience{Header: ample, Read: brief, Answer: ample, Idle: ample}, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
	} {
		wantCut(t, name, drip(slow(t, waits, c.patience), c.text, c.drip))
	}
}

func TestAClientThatSendsNothingMoreIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		patience server.Patience
		text     string
	}{
		"at all":          {server.Patience{Header: brief, Read: ample, Answer: ample, Idle: ample}, ""},
		"in its headers":  {server.Patience{Header: brief, Read: ample, Answer: ample, Idle: ample}, "POST /graphql HTTP/1.1\r\n"},
		"after an answer": {server.Patience{Header: ample, Read: ample, Answer: ample, Idle: brief}, "GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		connection := slow(t, answerCaller, c.patience)
		if _, err := io.WriteString(connection, c.text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(connection); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClientThatReadsNothingIsCutOff(t *testing.T) {
	cut := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for page := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(page)
		}
		cut <- err
	})
	connection := slow(t, handler, server.Patience{Header: ample, Read: ample, Answer: brief, Idle: ample})
	if _, err := io.WriteString(connection, "GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if err := <-cut; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the answer ended with %v", err)
	}
}

func TestPatienceEndsBeforeAShutdownDoes(t *testing.T) {
	p := server.New(config(answerCaller, io.Discard)).Patience
	if p != server.DefaultPatience() || p.Header <= 0 || p.Read <= 0 || p.Answer <= 0 || p.Idle <= 0 || p.Read >= server.DefaultDrain {
		t.Errorf("%+v", p)
	}
}
