package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
)

// Whoever calls has no deadline of its own, such as the journal.
func TestACallIsUnavailableWhoseServerIsGoneWithoutAWord(t *testing.T) {
	for name, before := range map[string]func(*testing.T, string, func()) func(){
		"before it has what it is asked": func(_ *testing.T, _ string, vanish func()) func() {
			vanish()
			return func() {}
		},
		"before it answers": func(t *testing.T, at string, vanish func()) func() {
			holder := lockLog(t, at)
			return func() {
				for waiting := false; !waiting; {
					if err := holder.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").Scan(&waiting); err != nil {
						t.Fatal(err)
					}
				}
				vanish()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := database(t)
			migrated(t, u)
			direct := u.String()
			road := newRoad(t, u.Host)
			u.Host = road.Addr().String()
			s, err := postgres.OpenNoticing(t.Context(), u, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			during := before(t, direct, road.block)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- s.AppendBlock(ctx, aBlock()) }()
			during()
			if err := <-ended; !fault.Is(err, fault.Unavailable) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func aBlock() storage.Block {
	return storage.Block{At: time.UnixMilli(1), Head: []byte("h"), Entries: license("lic_a").Entries}
}

// lockLog keeps statements waiting until the test ends.
func lockLog(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	holder, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Close(context.WithoutCancel(t.Context())) })
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE chunk"); err != nil {
		t.Fatal(err)
	}
	return holder
}

// road leads to a server until it is blocked: then the machine behind it does
// not even acknowledge what it is sent.
type road struct {
	net.Listener
	guard   sync.Mutex // guards what follows
	cars    []*net.TCPConn
	blocked chan struct{}
}

func newRoad(t *testing.T, to string) *road {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &road{Listener: listener, blocked: make(chan struct{})}
	t.Cleanup(func() { r.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			r.guard.Lock()
			r.cars = append(r.cars, client.(*net.TCPConn))
			r.guard.Unlock()
			go io.Copy(server, client)
			go r.back(client, server)
		}
	}()
	return r
}

// back carries answers as long as the road is not blocked.
func (r *road) back(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	bytes := make([]byte, 1<<16)
	for {
		n, err := server.Read(bytes)
		select {
		case <-r.blocked:
			return
		default:
		}
		if err != nil {
			return
		}
		if _, err := client.Write(bytes[:n]); err != nil {
			return
		}
	}
}

// block has the kernel drop whatever comes from clients.
func (r *road) block() {
	r.guard.Lock()
	defer r.guard.Unlock()
	r.Close()
	close(r.blocked)
	for _, car := range r.cars {
		raw, err := car.SyscallConn()
		if err != nil {
			panic(err)
		}
		if err := raw.Control(func(fd uintptr) {
			err = syscall.AttachLsf(int(fd), []syscall.SockFilter{*syscall.LsfStmt(syscall.BPF_RET|syscall.BPF_K, 0)}) //nolint:staticcheck // its successor is of another module
		}); err != nil {
			panic(err)
		}
	}
}
