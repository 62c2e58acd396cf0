package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// following asks for what happened behind a cursor.
const following = `{"query":"subscription($after: String) { events(after: $after) { index subject type } }","variables":{"after":%q}}`

// subscriber is a client with one subscription. It holds next to nothing:
// what it reads with is lent to it.
type subscriber struct {
	conn net.Conn
	// next reads the next answer.
	next func(from *bufio.Reader) ([]byte, error)
}

// bySocket subscribes over a WebSocket.
func bySocket(addr, after string) (subscriber, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return subscriber{}, err
	}
	const upgrade = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nAuthorization: Bearer bench\r\n\r\n"
	for _, step := range []struct{ send, upTo string }{
		{upgrade, "\r\n\r\n"},
		{masked(`{"type":"connection_init"}`), `{"type":"connection_ack"}`},
		{masked(`{"id":"1","type":"subscribe","payload":` + fmt.Sprintf(following, after) + `}`), ""},
	} {
		if err := exchange(conn, step.send, step.upTo); err != nil {
			return subscriber{}, err
		}
	}
	return subscriber{conn, readFrame}, nil
}

// byEvents subscribes over an event stream.
func byEvents(addr, after string) (subscriber, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return subscriber{}, err
	}
	body := fmt.Sprintf(following, after)
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"+
		"Authorization: Bearer bench\r\nContent-Length: %d\r\n\r\n", len(body))
	return subscriber{conn, readEvent}, exchange(conn, head+body, "\r\n\r\n")
}

// exchange sends a text and reads to the end of another, and no further.
func exchange(conn net.Conn, text, upTo string) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	var got strings.Builder
	for one := make([]byte, 1); !strings.HasSuffix(got.String(), upTo); got.Write(one) {
		if _, err := io.ReadFull(conn, one); err != nil {
			return fmt.Errorf("%w after %q", err, got.String())
		}
	}
	if status, _, _ := strings.Cut(got.String(), "\r\n"); strings.HasPrefix(status, "HTTP/") && !strings.Contains(status, " 200 ") && !strings.Contains(status, " 101 ") {
		return fmt.Errorf("the server answered %s", status)
	}
	return nil
}

// masked is a frame of a client, masked with zeros.
func masked(text string) string {
	head := []byte{0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(text)))
	return string(head) + text
}

func readFrame(from *bufio.Reader) ([]byte, error) {
	for {
		head, err := from.Peek(2)
		if err != nil {
			return nil, err
		}
		kind, size, skip := head[0], int(head[1]), 2
		if size == 126 {
			if head, err = from.Peek(4); err != nil {
				return nil, err
			}
			size, skip = int(binary.BigEndian.Uint16(head[2:])), 4
		}
		if _, err := from.Discard(skip); err != nil {
			return nil, err
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(from, text); err != nil || kind == 0x81 {
			return text, err
		}
	}
}

// readEvent passes over the lines that HTTP puts around its chunks.
func readEvent(from *bufio.Reader) ([]byte, error) {
	for {
		line, err := from.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if data, is := strings.CutPrefix(string(line), "data: "); is {
			return []byte(data), nil
		}
	}
}

// told is what an answer tells of an event.
func told(answer []byte) (subject string, err error) {
	type data struct {
		Data struct{ Events struct{ Subject string } }
	}
	var got struct {
		data
		Payload data
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return "", err
	}
	subject = got.Data.Events.Subject + got.Payload.Data.Events.Subject
	if subject == "" {
		err = fmt.Errorf("the server answered %s", answer)
	}
	return subject, err
}

// serve serves a handler on loopback, as the program does but for its patience.
func serve(h http.Handler) (addr string, end func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	return listener.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}
