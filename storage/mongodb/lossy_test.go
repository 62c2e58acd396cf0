package mongodb_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

// lossy stands between a driver and its server, and can lose the answer to a
// command that the server has carried out.
type lossy struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup

	stateMu sync.Mutex
	lose    []byte // what the command to be lost has in it; empty is none
	lost    int
	then    func() // called where one was lost, before the connection is cut
	conns   map[net.Conn]bool
}

// newLossy gives the URL of an empty database behind a lossy connection, and
// that without it.
func newLossy(t *testing.T) (l *lossy, through, direct string) {
	t.Helper()
	direct = engines.MongoDB(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	l = &lossy{server: u.Host, conns: map[net.Conn]bool{}}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.running.Go(l.accept)
	t.Cleanup(l.close)
	u.Host = l.listener.Addr().String()
	query := u.Query()
	query.Set("directConnection", "true") // a replica set would tell where its servers are
	u.RawQuery = query.Encode()
	return l, u.String(), direct
}

func (l *lossy) close() {
	_ = l.listener.Close()
	l.stateMu.Lock()
	for c := range l.conns {
		_ = c.Close()
	}
	l.stateMu.Unlock()
	l.running.Wait()
}

// loseAnswer has the answer to the next command of a name to a collection lost.
func (l *lossy) loseAnswer(command, collection string, then func()) {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	name := binary.LittleEndian.AppendUint32([]byte("\x02"+command+"\x00"), uint32(len(collection)+1))
	l.lose, l.then = append(name, collection+"\x00"...), then
}

func (l *lossy) count() int {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	return l.lost
}

func (l *lossy) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		l.stateMu.Lock()
		l.conns[client], l.conns[server] = true, true
		l.stateMu.Unlock()
		l.running.Go(func() {
			defer func() { _, _ = client.Close(), server.Close() }()
			for err := error(nil); err == nil; {
				err = l.exchange(client, server)
			}
		})
	}
}

// exchange passes on one command and its answer.
func (l *lossy) exchange(client, server net.Conn) error {
	command, err := frame(client)
	if err != nil {
		return err
	}
	if _, err := server.Write(command); err != nil {
		return err
	}
	answer, err := frame(server)
	if err != nil {
		return err
	}
	l.stateMu.Lock()
	losing, then := len(l.lose) > 0 && bytes.Contains(command, l.lose), l.then
	if losing {
		l.lose, l.then = nil, nil
		l.lost++
	}
	l.stateMu.Unlock()
	if losing {
		if then != nil {
			then()
		}
		return io.ErrClosedPipe
	}
	_, err = client.Write(answer)
	return err
}

// frame reads a message, which begins with its length.
func frame(c net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.LittleEndian.Uint32(size[:]))
	copy(message, size[:])
	_, err := io.ReadFull(c, message[len(size):])
	return message, err
}
