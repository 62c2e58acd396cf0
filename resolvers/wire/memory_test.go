package wire_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What an idle subscription costs, in bytes of heap and stacks, but for what its
// operation takes: less than net/http alone would. The client's end, in this
// process, is counted too, and the race detector's if it is there.
const (
	maxSocketBytes = 32 << 10
	maxEventsBytes = 20 << 10
)

const upgradeHead = "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"

// lean opens a connection that has no buffers, sends a text, and reads up to
// the end of another.
func (h *house) lean(text, upTo string) net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		h.t.Fatal(err)
	}
	h.exchange(conn, text, upTo)
	return conn
}

func (h *house) exchange(conn net.Conn, text, upTo string) {
	h.t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		h.t.Fatal(err)
	}
	var got []byte
	for !strings.HasSuffix(string(got), upTo) {
		one := make([]byte, 1)
		if _, err := io.ReadFull(conn, one); err != nil {
			h.t.Fatalf("%v after %q", err, got)
		}
		got = append(got, one...)
	}
}

// frame masks a short text with zeros.
func frame(text string) string {
	if len(text) < 126 {
		return string([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}) + text
	}
	return string([]byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}) + text
}

func used() uint64 {
	for range 4 {
		runtime.GC() // each halves the stacks of which little is used
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func TestAnIdleSubscriptionIsSmall(t *testing.T) {
	const many = 1_000
	for name, test := range map[string]struct {
		open func(h *house)
		most uint64
	}{
		"WebSocket": {func(h *house) {
			conn := h.lean(fmt.Sprintf(upgradeHead, "localhost")+"\r\n", "\r\n\r\n")
			h.exchange(conn, frame(`{"type":"connection_init","payload":{"Authorization":"`+good+`"}}`), `{"type":"connection_ack"}`)
			h.exchange(conn, frame(`{"id":"1","type":"subscribe","payload":`+lasting+`}`), "")
		}, maxSocketBytes},
		"events": {func(h *house) {
			h.lean("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: "+good+"\r\n\r\n", "\r\n\r\n")
		}, maxEventsBytes},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			running := make([]*begun, 0, many)
			before := used()
			for range many {
				test.open(h)
				b := h.next()
				<-b.asked
				running = append(running, b)
			}
			each := (used() - before) / many
			t.Logf("%d bytes", each)
			if each > test.most {
				t.Errorf("an idle subscription takes %d bytes", each)
			}
			runtime.KeepAlive(running)
		})
	}
}
