package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/keywright/keywright/fault"
)

// Subprotocol is the one that a WebSocket has to speak.
const Subprotocol = "graphql-transport-ws"

// The buffers of a connection, in bytes: in the program, since most wait, and
// in the kernel, which else holds megabytes for a client that does not read.
const (
	readBuffer   = 512
	writeBuffer  = 1 << 10
	kernelBuffer = 64 << 10
)

// IsUpgrade reports whether a request asks for a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && lists(r.Header, "Connection", "upgrade") && lists(r.Header, "Upgrade", "websocket")
}

// lists reports whether a header has a word among those between its commas.
func lists(h http.Header, name, word string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(h.Values(name), ","), ","), func(one string) bool {
		return strings.EqualFold(strings.TrimSpace(one), word)
	})
}

// checkUpgrade refuses what the library would refuse with the client's words.
func checkUpgrade(r *http.Request) error {
	if err := CheckOrigin(r); err != nil {
		return err
	}
	keys := r.Header.Values("Sec-WebSocket-Key")
	if len(keys) != 1 || r.Header.Get("Sec-WebSocket-Version") != "13" {
		return refusal(http.StatusBadRequest, fault.InvalidInput, "a WebSocket needs one Sec-WebSocket-Key, and Sec-WebSocket-Version 13")
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0])); err != nil || len(key) != 16 {
		return refusal(http.StatusBadRequest, fault.InvalidInput, "the Sec-WebSocket-Key is not 16 bytes in base64")
	}
	if !lists(r.Header, "Sec-WebSocket-Protocol", Subprotocol) {
		return refusal(http.StatusBadRequest, fault.InvalidInput, "a WebSocket has to ask for the subprotocol "+Subprotocol)
	}
	return nil
}

// upgrade makes a WebSocket of a request that checkUpgrade has passed.
func (s *socket) upgrade(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	to := &hijacking{ResponseWriter: w, patience: s.Patience}
	conn, err := websocket.Accept(to, r, &websocket.AcceptOptions{
		Subprotocols: []string{Subprotocol},
		// Origins are checked, and here an Origin of another form of the host
		// would be refused with its text.
		InsecureSkipVerify: true,
		OnPingReceived:     func(_ context.Context, payload []byte) bool { return s.pong(ctx, payload) },
	})
	if err != nil {
		return err
	}
	conn.SetReadLimit(maxMessage)
	s.conn, s.below = conn, to.taken
	return nil
}

// hijacking gives a connection away with small buffers, in place of those of
// net/http.
type hijacking struct {
	http.ResponseWriter
	patience Patience
	taken    *pacedConn
}

// Hijack implements http.Hijacker.
func (h *hijacking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	paced, err := takeOver(h.ResponseWriter, h.patience)
	if err != nil {
		return nil, nil, err
	}
	h.taken = paced
	return paced, bufio.NewReadWriter(bufio.NewReaderSize(paced, readBuffer), bufio.NewWriterSize(paced, writeBuffer)), nil
}

// takeOver takes a connection from net/http.
func takeOver(w http.ResponseWriter, patience Patience) (*pacedConn, error) {
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	early, _ := both.Reader.Peek(both.Reader.Buffered()) // what is buffered can be had
	paced := &pacedConn{Conn: conn, early: slices.Clone(early), pace: &pace{patience: patience, set: conn.SetWriteDeadline}}
	below := conn
	if secure, ok := conn.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	if tcp, ok := below.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(kernelBuffer) // it works with any
	}
	return paced, nil
}

// pacedConn gives its client time for each part of what it writes.
type pacedConn struct {
	net.Conn
	*pace
	early []byte // read and not taken yet
}

// Read implements net.Conn.
func (c *pacedConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *pacedConn) Write(p []byte) (int, error) {
	return c.pace.write(c.Conn, p)
}
