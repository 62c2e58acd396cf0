package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// framed gives a message with these flags and this body.
func framed(flags uint32, body string) message {
	m := make(message, headerSize+4, headerSize+4+len(body))
	binary.LittleEndian.PutUint32(m, uint32(cap(m)))
	binary.LittleEndian.PutUint32(m[12:], kindMessage)
	binary.LittleEndian.PutUint32(m[headerSize:], flags)
	return append(m, body...)
}

// proxied gives what connects to a proxy before a server of which every
// connection is served by handle.
func proxied(t *testing.T, handle func(net.Conn)) func() net.Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dial: func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			handle(there)
		}()
		return here, nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		return client
	}
}

func TestOneCommandIsLetThroughAtATime(t *testing.T) {
	var inside, most atomic.Int64
	connect := proxied(t, func(server net.Conn) {
		for {
			command, err := readMessage(server)
			if err != nil {
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			for range 1000 { // long enough for another to come in, if it may
				most.Store(max(most.Load(), inside.Load()))
			}
			inside.Add(-1)
			server.Write(command)
		}
	})
	var clients sync.WaitGroup
	for range 16 {
		client := connect()
		clients.Go(func() {
			for range 200 {
				sent := framed(0, strings.Repeat("x", 5000))
				client.Write(sent)
				answer, err := readMessage(client)
				if err != nil || !bytes.Equal(answer, sent) {
					t.Errorf("answer of %d bytes, %v", len(answer), err)
					return
				}
			}
		})
	}
	clients.Wait()
	if most.Load() != 1 {
		t.Errorf("%d commands were under way at once", most.Load())
	}
}

func TestACommandIsAnsweredThoughItsClientHasGone(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	connect := proxied(t, func(server net.Conn) {
		command, err := readMessage(server)
		if err != nil {
			return
		}
		if bytes.HasSuffix(command, []byte("slow")) {
			close(arrived)
			<-proceed
		}
		server.Write(command)
	})
	gone, other := connect(), connect()
	gone.Write(framed(0, "slow"))
	<-arrived
	gone.Close()
	other.Write(framed(0, "other"))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if _, err := readMessage(other); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-answered:
		t.Error("the next was let through before the answer had come")
	case <-time.After(100 * time.Millisecond):
	}
	close(proceed)
	<-answered
}

func TestMessagesThatHaveNoOneAnswerEndTheConnection(t *testing.T) {
	connect := proxied(t, func(server net.Conn) {
		for {
			command, err := readMessage(server)
			if err != nil {
				return
			}
			flags := uint32(0)
			if bytes.HasSuffix(command, []byte("stream")) {
				flags = moreToCome
			}
			server.Write(framed(flags, "answer"))
		}
	})
	for what, sent := range map[string]message{
		"a command without an answer":   framed(moreToCome, "insert"),
		"a server that streams":         framed(0, "stream"),
		"a length that is none":         {5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"a length beyond what may come": {0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		client := connect()
		client.Write(sent)
		if answer, err := readMessage(client); err == nil {
			t.Errorf("%s: %q", what, answer)
		}
	}
	client := connect()
	client.Write(framed(0, "plain"))
	if answer, err := readMessage(client); err != nil || !bytes.HasSuffix(answer, []byte("answer")) {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestMessagesAreReadWhole(t *testing.T) {
	sent := framed(0, "body")
	got, err := readMessage(io.MultiReader(bytes.NewReader(sent[:7]), bytes.NewReader(sent[7:])))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Error(diff)
	}
	if _, err := readMessage(bytes.NewReader(sent[:len(sent)-1])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if _, err := readMessage(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
