package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers/wire"
)

const (
	dataEvent = "event: next\ndata: {\"data\":%v}\n\n"
	endEvent  = "event: complete\ndata:\n\n"
)

func TestAnEventStreamIsOfEvents(t *testing.T) {
	h := newHouse(t)
	answer, from := h.stream("Authorization", good)
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
	} {
		if got := answer.header.Get(name); answer.status != http.StatusOK || got != want {
			t.Errorf("%d, %s: %s", answer.status, name, got)
		}
	}
	o := h.next()
	if o.who != staff {
		t.Errorf("%v asks", o.who)
	}
	for n := range 3 {
		o.say(t, fmt.Sprintf(`{"data":%d}`, n))
		wantEvents(t, from, fmt.Sprintf(dataEvent, n))
	}
	o.say(t, "{\"data\"\r\n:\n1}") // white space of somebody's JSON is no end of a line
	wantEvents(t, from, "event: next\ndata: {\"data\"  : 1}\n\n")
	close(o.answers)
	wantEvents(t, from, endEvent)
	wantEnd(t, from)
	o.wantEnded(t)
}

func TestASingleAnswerIsAWholeStream(t *testing.T) {
	w := httptest.NewRecorder()
	wire.WriteEvents(w, []byte("{\"data\":\n1}"))
	if want := "event: next\ndata: {\"data\": 1}\n\n" + endEvent; w.Body.String() != want || w.Header().Get("Content-Length") != fmt.Sprint(len(want)) {
		t.Errorf("%q %v", w.Body, w.Header())
	}
}

func TestAStreamOfAnotherOriginIsRefused(t *testing.T) {
	h := newHouse(t)
	for origin, want := range map[string]int{
		h.url: http.StatusOK, "http://canary.example": http.StatusForbidden, "null": http.StatusForbidden, "": http.StatusForbidden,
		strings.Replace(h.url, "http:", "ftp:", 1): http.StatusForbidden,
	} {
		if answer, _ := h.stream("Origin", origin); answer.status != want {
			t.Errorf("%q: %d", origin, answer.status)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	for origin, good := range map[string]bool{"https://example.com": true, "https://EXAMPLE.com": true, "http://example.com": false} {
		r.Header.Set("Origin", origin)
		if err := wire.CheckOrigin(r); (err == nil) != good {
			t.Errorf("%q over TLS: %v", origin, err)
		}
	}
	r.Header.Add("Origin", "https://example.com")
	if wire.CheckOrigin(r) == nil {
		t.Error("two origins are one")
	}
}

func TestAStreamIsOverWithoutAWordAtAShutdown(t *testing.T) {
	h := newHouse(t)
	_, from := h.stream()
	o := h.next()
	h.transport.Streams.End()
	wantEnd(t, from) // a client takes complete for the end, and opens it no more
	o.wantEnded(t)
}

func TestAStreamEndsWithItsCredential(t *testing.T) {
	t.Run("which says why", func(t *testing.T) {
		for name, test := range map[string]struct {
			why  error
			want string
		}{
			"a reason": {fault.Errorf(fault.Unauthenticated, "the token has ended"),
				"event: next\ndata: {\"errors\":[{\"message\":\"the token has ended\",\"extensions\":{\"code\":\"UNAUTHENTICATED\"}}]}\n\n" + endEvent},
			"none": {context.Canceled, ""},
		} {
			transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
			ctx, end := context.WithCancelCause(t.Context())
			begun := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				err := transport.ServeEvents(w, r.WithContext(ctx), func(ctx context.Context) wire.Answers {
					close(begun)
					return func(context.Context) []byte {
						<-ctx.Done()
						return []byte(`{"data":"too late"}`)
					}
				})
				if err != nil {
					t.Error(err)
				}
			}))
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			<-begun
			end(test.why)
			text, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || string(text) != test.want {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			server.Close()
		}
	})
}

func TestAStreamThatBreaksSaysSo(t *testing.T) {
	log := &buffer{}
	h := newHouse(t)
	for name, begin := range map[string]func(context.Context) wire.Answers{
		"at once": func(context.Context) wire.Answers { panic("the cause of it") },
		"later":   func(context.Context) wire.Answers { return func(context.Context) []byte { panic("the cause of it") } },
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := h.transport.ServeEvents(w, r, begin); err != nil {
				t.Error(err)
			}
		}))
		answer, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		const want = "event: next\ndata: {\"errors\":[{\"message\":\"internal error\",\"extensions\":{\"code\":\"INTERNAL\"}}]}\n\n" + endEvent
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		server.Close()
	}
	if got := h.log.String(); strings.Count(got, "the cause of it") != 2 {
		t.Errorf("the log is %s%s", got, log)
	}
}

func TestAStreamEndsWhenItsClientIsGone(t *testing.T) {
	h := newHouse(t)
	answer, _ := h.stream()
	o := h.next()
	answer.close()
	o.wantEnded(t)
	if err := <-h.served; err != nil || h.transport.Streams.Open() != 0 {
		t.Errorf("%v, %d are open", err, h.transport.Streams.Open())
	}
}

func TestAStreamShowsThatItLives(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) { w.Patience.Beat = time.Millisecond })
	_, from := h.stream()
	wantEvents(t, from, strings.Repeat(":\n\n", 20))
	h.next().say(t, `{"data":1}`)
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line != ":\n" && line != "\n" {
			if line != "event: next\n" {
				t.Errorf("the stream has %q", line)
			}
			break
		}
	}
	wantEvents(t, from, "data: {\"data\":1}\n\n")
}

// The limits of a server are for requests that it answers at once.
func TestAStreamOutlastsTheServersPatience(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
			transport.Patience.Beat = 50 * time.Millisecond
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				err := transport.ServeEvents(w, r, func(ctx context.Context) wire.Answers {
					return func(context.Context) []byte { <-ctx.Done(); return nil }
				})
				if err != nil {
					t.Error(err)
				}
			}))
			server.Config.ReadTimeout, server.Config.WriteTimeout = time.Second, time.Second // enough for TLS to begin
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			if (answer.ProtoMajor == 2) != http2 {
				t.Error(answer.Proto)
			}
			wantEvents(t, bufio.NewReader(answer.Body), strings.Repeat(":\n\n", 25)) // 1.25 s
			answer.Body.Close()
		})
	}
}

func TestAClientThatReadsNoEventsIsCutOff(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
			transport.Patience.Progress = 50 * time.Millisecond
			ended := make(chan struct{})
			page := []byte(`{"data":"` + strings.Repeat("x", 1<<20) + `"}`)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				if err := transport.ServeEvents(w, r, func(context.Context) wire.Answers { return func(context.Context) []byte { return page } }); err != nil {
					t.Error(err)
				}
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			<-ended
			answer.Body.Close()
		})
	}
}

func TestAStreamThatHasEndedWaitsForNobody(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
			transport.Patience.Farewell = 20 * time.Millisecond
			ended, asked := make(chan struct{}), make(chan struct{}, 1000)
			page := []byte(`{"data":"` + strings.Repeat("x", 1<<20) + `"}`)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				err := transport.ServeEvents(w, r, func(context.Context) wire.Answers {
					return func(context.Context) []byte { asked <- struct{}{}; return page }
				})
				if err != nil {
					t.Error(err)
				}
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			for stuck := false; !stuck; {
				select {
				case <-asked:
				case <-time.After(200 * time.Millisecond):
					stuck = true
				}
			}
			transport.Streams.End()
			<-ended
			answer.Body.Close()
		})
	}
}

// Slow is not the same as standing still.
func TestASlowClientIsWaitedFor(t *testing.T) {
	transport := &wire.Transport{Streams: wire.NewStreams(0), Patience: wire.DefaultPatience()}
	transport.Patience.Progress = 300 * time.Millisecond
	const size = 8 << 20
	page := []byte(`{"data":"` + strings.Repeat("x", size) + `"}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		only := page
		err := transport.ServeEvents(w, r, func(context.Context) wire.Answers {
			return func(context.Context) []byte {
				one := only
				only = nil
				return one
			}
		})
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	ticks := time.NewTicker(10 * time.Millisecond) // 128 KiB each: longer in all than the patience
	defer ticks.Stop()
	read := 0
	for part := make([]byte, 128<<10); ; <-ticks.C {
		n, err := io.ReadFull(answer.Body, part)
		read += n
		if err != nil {
			break
		}
	}
	if read < size {
		t.Errorf("%d bytes were read", read)
	}
}

func TestOnlySoManyStreamsAreOpen(t *testing.T) {
	ip := func(n int) string { return fmt.Sprintf("192.0.2.%d", n) }
	t.Run("in all", func(t *testing.T) {
		k := newKeeper(t, 3)
		for n := range 3 {
			k.open(staff, ip(1), 200)
			_ = n
		}
		k.open(staff, ip(2), 503)
		k.close(0)
		k.open(staff, ip(2), 200)
	})
	t.Run("without a credential", func(t *testing.T) {
		k := newKeeper(t, 40) // ten of them, one for each address
		for n := range 10 {
			k.open(actor.Actor{}, ip(n), 200)
		}
		k.open(actor.Actor{}, ip(11), 503)
		k.open(staff, ip(11), 200)
		k.close(0)
		k.open(actor.Actor{}, ip(11), 200)
	})
	t.Run("from an address", func(t *testing.T) {
		k := newKeeper(t, 80) // two for each
		for _, from := range []string{"2001:db8::1", "2001:db8::2"} {
			k.open(actor.Actor{}, from, 200)
		}
		k.open(actor.Actor{}, "2001:db8::3", 429)
		k.open(actor.Actor{}, "2001:db8:0:1::1", 200)
		k.open(staff, "2001:db8::3", 200)
		k.close(0)
		k.open(actor.Actor{}, "2001:db8::4", 200)
	})
}
