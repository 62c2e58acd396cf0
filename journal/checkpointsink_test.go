package journal_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/journal"
)

// sink is a server that keeps what is sent to it.
type sink struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	bodies []string
	types  []string
}

func newSink(t *testing.T, answer http.HandlerFunc) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies, s.types = append(s.bodies, r.Method+" "+string(body)), append(s.types, r.Header.Get("Content-Type"))
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// runOnce runs a Checkpointer that signs at once and then ends.
func runOnce(t *testing.T, c *checkpointing) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Run(ctx)
}

func TestANoteIsSentToItsURL(t *testing.T) {
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := newCheckpointer(t, newLog(t, 10), func(c *journal.CheckpointerConfig) { c.URL = s.URL + "/notes" })
	runOnce(t, c)
	if diff := cmp.Diff([]string{"POST " + c.Latest()}, s.bodies); diff != "" || s.types[0] != "text/plain; charset=utf-8" {
		t.Error(diff, s.types)
	}
	if strings.Contains(c.said.String(), "could not be sent") {
		t.Errorf("said %s", &c.said)
	}
}

func TestANoteThatCannotBeSentIsToldOfWithoutTheSecretsOfItsURL(t *testing.T) {
	elsewhere := newSink(t, func(http.ResponseWriter, *http.Request) {})
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hunter2", http.StatusForbidden) }, "127.0.0.1 answers 403"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "127.0.0.1 answers 307"},
		"broken":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "127.0.0.1: EOF"},
		"not there": {nil, "connection refused"},
	} {
		answer := test.answer
		s := newSink(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
		if answer == nil {
			s.Close()
		}
		c := newCheckpointer(t, newLog(t, 10), func(c *journal.CheckpointerConfig) {
			c.URL = strings.Replace(s.URL, "http://", "http://user:hunter1@", 1) + "/hunter2?token=hunter3"
		})
		runOnce(t, c)
		if said := c.said.String(); !strings.Contains(said, test.want) || strings.Contains(said, "hunter") || c.Latest() == "" {
			t.Errorf("%s: said %s", name, said)
		}
	}
	if len(elsewhere.bodies) > 0 {
		t.Errorf("a redirect was followed: %q", elsewhere.bodies)
	}
}

func TestAURLThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, 10)
		sent := make(chan string, 100)
		c := newCheckpointer(t, log, func(c *journal.CheckpointerConfig) {
			c.URL = "https://slow.example"
			c.Client = &http.Client{Transport: slow(sent)}
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Run(ctx)
		}()
		for range 5 {
			log.grow(1000)
			time.Sleep(time.Second) //nolint:forbidigo // the clock of synctest
			synctest.Wait()
			if got, err := c.Key.Verifier().Checkpoint(c.Latest()); err != nil || got != log.checkpoint() {
				t.Errorf("%+v, %v", got, err)
			}
		}
		cancel()
		<-ended
		close(sent)
		var sizes []string
		for note := range sent {
			sizes = append(sizes, strings.Split(note, "\n")[1])
		}
		if diff := cmp.Diff([]string{"1010", "5010"}, sizes); diff != "" {
			t.Error(diff)
		}
	})
}

// slow takes requests and answers none.
type slow chan<- string

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s <- string(body)
	<-r.Context().Done()
	return nil, r.Context().Err()
}
