package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/keywright/keywright/storage/storagetest"
)

// request gives the bytes of a request with a JSON body.
func request(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// load sends requests to a handler over connections that stay open, each
// waiting for its answer, and fails on one that is not as expected. The client
// does little: it shares the processors with the server.
func load(ctx context.Context, name string, h http.Handler, connections, count int, body func(n int) string, want string) (storagetest.Figure, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return storagetest.Figure{}, err
	}
	server := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		<-done
	}()
	open := make([]*connection, connections)
	for i := range open {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return storagetest.Figure{}, err
		}
		defer func() { _ = conn.Close() }()
		open[i] = &connection{conn: conn, answers: bufio.NewReaderSize(conn, 16<<10)}
	}
	// Measure gives run n to caller n modulo the number of callers.
	return storagetest.Measure(ctx, name, connections, count, func(_ context.Context, n int) error {
		return open[n%connections].roundTrip(request("/graphql", body(n)), want)
	})
}

type connection struct {
	conn    net.Conn
	answers *bufio.Reader
	body    strings.Builder
}

func (c *connection) roundTrip(request, want string) error {
	if _, err := io.WriteString(c.conn, request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	c.body.Reset()
	_, err = io.Copy(&c.body, answer.Body)
	_ = answer.Body.Close()
	if err == nil && !strings.Contains(c.body.String(), want) {
		err = fmt.Errorf("the server answered %s %s", answer.Status, c.body.String())
	}
	return err
}
