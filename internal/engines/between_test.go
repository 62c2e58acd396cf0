package engines_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/engines"
)

// echo is a server that answers what it is sent.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				io.Copy(client, client)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *engines.Proxy) net.Conn {
	t.Helper()
	client, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// say gives what is answered, at most as long as what was said, within 2 s.
func say(client net.Conn, words string) (string, error) {
	client.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := client.Write([]byte(words)); err != nil {
		return "", err
	}
	answer := make([]byte, len(words))
	n, err := io.ReadFull(client, answer)
	return string(answer[:n]), err
}

func wantEcho(t *testing.T, client net.Conn) {
	t.Helper()
	if got, err := say(client, "hello"); got != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatIsCutIsRefusedUntilItIsHealed(t *testing.T) {
	p := engines.Between(t, echo(t))
	client := dial(t, p)
	wantEcho(t, client)
	p.Cut()
	if got, err := say(client, "hello"); err == nil {
		t.Errorf("got %q", got)
	}
	if _, err := net.Dial("tcp", p.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	p.Heal()
	wantEcho(t, dial(t, p))
}

func TestAnswersAreDelayed(t *testing.T) {
	p := engines.Between(t, echo(t))
	client := dial(t, p)
	wantEcho(t, client)
	p.Delay(300 * time.Millisecond)
	began := time.Now()
	wantEcho(t, client)
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestABlackHoleSaysNothing(t *testing.T) {
	p := engines.Between(t, echo(t))
	before := dial(t, p)
	wantEcho(t, before)
	p.BlackHole()
	for _, client := range []net.Conn{before, dial(t, p)} {
		if got, err := say(client, "hello"); got != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	p.Heal()
	wantEcho(t, dial(t, p))
}

func TestConnectionsAreReset(t *testing.T) {
	p := engines.Between(t, echo(t))
	before := dial(t, p)
	wantEcho(t, before)
	p.Reset()
	if got, err := say(before, "hello"); err == nil {
		t.Errorf("got %q", got)
	}
	if _, err := say(dial(t, p), "hello"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
	p.Heal()
	wantEcho(t, dial(t, p))
}

func TestAConnectionIsCutAfterSoManyBytes(t *testing.T) {
	p := engines.Between(t, echo(t))
	client := dial(t, p)
	p.CutAfter(8)
	wantEcho(t, client)
	if got, err := say(client, "hello"); got != "hel" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestACommitSucceedsWhileItsAnswerIsLost(t *testing.T) {
	direct := engines.Postgres(t)
	exec(t, connect(t, direct), "CREATE TABLE added (id int)")
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	p := engines.Between(t, u.Host)
	connection := connect(t, p.In(direct))
	lost := p.LoseAnswers("COMMIT", 1)

	exec(t, connection, "BEGIN")
	exec(t, connection, "INSERT INTO added VALUES (1)")
	if lost() != 0 {
		t.Error("other answers were lost")
	}
	if _, err := connection.Exec(t.Context(), "COMMIT"); err == nil {
		t.Error("the answer came")
	}
	if got := ask(t, connect(t, direct), "SELECT count(*)::text FROM added"); got != "1" || lost() != 1 {
		t.Errorf("%s rows are there, %d answers were lost", got, lost())
	}

	again := connect(t, p.In(direct))
	exec(t, again, "BEGIN")
	exec(t, again, "COMMIT")
	if lost() != 1 {
		t.Errorf("%d answers were lost", lost())
	}
}
