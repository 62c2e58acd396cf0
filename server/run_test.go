package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/server"
)

// running is a Server that answers.
type running struct {
	url, ops string
	end      func()     // asks it to end
	ended    chan error // what Run gave
}

func run(t *testing.T, c server.Config) *running {
	t.Helper()
	public, ops := listen(t), listen(t)
	ctx, end := context.WithCancel(t.Context())
	r := &running{
		url: "http://" + public.Addr().String(), ops: "http://" + ops.Addr().String(), end: end, ended: make(chan error, 1),
	}
	go func() { r.ended <- server.New(c).Run(ctx, public, ops) }()
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// blocking begins to answer, and ends once released.
type blocking struct{ begun, release chan struct{} }

func newBlocking() blocking {
	return blocking{begun: make(chan struct{}), release: make(chan struct{})}
}

func (b blocking) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	b.begun <- struct{}{}
	<-b.release
	fmt.Fprint(w, "whole")
}

func get(url string) (int, string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(body)), err
}

func TestAShutdownAnswersWhatIsInFlight(t *testing.T) {
	const callers = 32
	handler := newBlocking()
	s := run(t, config(handler, io.Discard))
	answers := make(chan string, callers)
	for range callers {
		go func() {
			status, body, err := get(s.url + "/graphql")
			answers <- fmt.Sprint(status, " ", body, " ", err)
		}()
	}
	for range callers {
		<-handler.begun
	}
	if status, body, err := get(s.ops + "/readyz"); status != http.StatusOK {
		t.Errorf("before: %d %s, %v", status, body, err)
	}

	s.end()
	for {
		status, body, err := get(s.ops + "/readyz")
		if status == http.StatusServiceUnavailable && body == "shutting down" {
			break
		}
		if err != nil {
			t.Fatalf("the probes ended first: %v", err)
		}
	}
	for refused := false; !refused; {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if refused = err != nil; !refused {
			connection.Close()
		}
	}
	select {
	case err := <-s.ended:
		t.Fatalf("ended with requests in flight: %v", err)
	default:
	}

	close(handler.release)
	for range callers {
		if answer := <-answers; answer != "200 whole <nil>" {
			t.Errorf("an answer is %s", answer)
		}
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

func TestAShutdownCutsOffWhatTakesTooLong(t *testing.T) {
	handler := newBlocking()
	c := config(handler, io.Discard)
	c.Drain = time.Millisecond
	s := run(t, c)
	cut := make(chan error, 1)
	go func() {
		_, _, err := get(s.url + "/graphql")
		cut <- err
	}()
	<-handler.begun
	s.end()
	if err := <-s.ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("Run: %v", err)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered")
	}
	close(handler.release)
}

func TestABrokenListenerEndsTheServer(t *testing.T) {
	public, ops := listen(t), listen(t)
	ops.Close()
	if err := server.New(config(answerCaller, io.Discard)).Run(t.Context(), public, ops); err == nil {
		t.Error("no error")
	}
	if connection, err := net.Dial("tcp", public.Addr().String()); err == nil {
		connection.Close()
		t.Error("the other listener is still open")
	}
}

func TestTLS(t *testing.T) {
	example := httptest.NewUnstartedServer(nil)
	example.StartTLS()
	defer example.Close()
	c := config(answerCaller, io.Discard)
	c.TLS = example.TLS.Clone()
	c.TLS.NextProtos = nil
	public := listen(t)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.New(c).Run(ctx, public, nil) }()

	client := example.Client()
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	answer, err := client.Get("https://" + public.Addr().String() + "/graphql")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("%s %s", answer.Proto, answer.Status)
	}
	client.CloseIdleConnections()
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAServerWhoseClockIsOffIsNotReadyAndGoesOnAnswering(t *testing.T) {
	storage := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const ahead, behind = "the clock of this server is %s s ahead of storage's", "the clock of this server is %s s behind storage's"
	for name, test := range map[string]struct {
		off, took time.Duration // of the server's clock halfway, and how long storage took
		want      string        // nothing where it is ready
	}{
		"not at all":              {0, 0, ""},
		"a second ahead":          {time.Second, 0, ""},
		"a second behind":         {-time.Second, 0, ""},
		"more than that":          {1_100 * time.Millisecond, 0, fmt.Sprintf(ahead, "1.1")},
		"or behind":               {-1_100 * time.Millisecond, 0, fmt.Sprintf(behind, "1.1")},
		"three seconds":           {3 * time.Second, 0, fmt.Sprintf(ahead, "3.0")},
		"a slow storage":          {0, 1_900 * time.Millisecond, ""},
		"a slow storage and more": {-3 * time.Second, 1_900 * time.Millisecond, fmt.Sprintf(behind, "3.0")},
	} {
		now := storage.Add(test.off - test.took/2)
		c := config(answerCaller, io.Discard)
		c.Now = func() time.Time { return now }
		c.Clock = func(context.Context) (time.Time, error) {
			now = now.Add(test.took)
			return storage, nil
		}
		s := server.New(c)
		status, want := http.StatusOK, "ready"
		if test.want != "" {
			status, want = http.StatusServiceUnavailable, test.want
		}
		w := ask(s.Ops(), httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if got := strings.TrimSpace(w.Body.String()); w.Code != status || got != want {
			t.Errorf("%s: /readyz is %d %s, want %d %s", name, w.Code, got, status, want)
		}
		if w := ask(s, post()); w.Code != http.StatusOK || w.Body.String() != "nobody" {
			t.Errorf("%s: /graphql is %d %s", name, w.Code, w.Body)
		}
	}
}

func TestAServerThatCannotReadStoragesClockIsNotReady(t *testing.T) {
	c := config(answerCaller, io.Discard)
	c.Clock = func(context.Context) (time.Time, error) {
		return time.Time{}, fault.Errorf(fault.Unavailable, "storage is unavailable")
	}
	w := ask(server.New(c).Ops(), httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusServiceUnavailable || got != "storage is unavailable" {
		t.Errorf("/readyz is %d %s", w.Code, got)
	}
}
