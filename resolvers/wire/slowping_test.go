package wire_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/resolvers/wire"
)

// piped answers a request whose connection is one end of a pipe.
type piped struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (p piped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.conn, bufio.NewReadWriter(bufio.NewReader(p.conn), bufio.NewWriter(p.conn)), nil
}

// A client that takes a long answer slowly may ask meanwhile whether the server
// is there: libraries do so by themselves.
func TestAPingDuringALongAnswerIsAnsweredBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := `{"data":"` + strings.Repeat("x", 50_000) + `"}`
		transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
		transport.Open = func(context.Context, []byte) (wire.Operation, error) {
			return wire.Operation{Answers: once(answer)}, nil
		}
		ours, theirs := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- transport.ServeSocket(piped{httptest.NewRecorder(), theirs}, upgradeRequest(t)) }()

		send := func(text string) {
			if _, err := io.WriteString(ours, text); err != nil {
				t.Fatal(err)
			}
		}
		want := func(text string) {
			got := make([]byte, len(text))
			if n, err := io.ReadFull(ours, got); err != nil || string(got) != text {
				t.Fatalf("%d of %d bytes, %.100q, %v", n, len(text), got[:n], err)
			}
		}
		send(frame(greeting))
		want("\x81" + string(byte(len(ack))) + ack)
		send(frame(`{"id":"a","type":"subscribe","payload":` + single + `}`))
		synctest.Wait() // the answer is being written
		send("\x89\x81\x00\x00\x00\x00p")
		time.Sleep(20 * time.Second) //nolint:forbidigo // the clock of synctest
		next := `{"id":"a","type":"next","payload":` + answer + `}`
		want("\x81\x7e" + string([]byte{byte(len(next) >> 8), byte(len(next))}) + next)
		want("\x8a\x01p")
		ours.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func upgradeRequest(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.Replace(upgradeHead, "%s", "localhost", 1) + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r.WithContext(t.Context())
}
