package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/server"
)

const token = "kwa_of-the-admin"

var admin = actor.Actor{Kind: actor.User, ID: "dev|admin"}

// answerCaller answers who calls.
var answerCaller = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, actor.From(r.Context()))
})

func config(graphql http.Handler, log io.Writer) server.Config {
	return server.Config{
		GraphQL:      graphql,
		Ready:        func(context.Context) error { return nil },
		Log:          slog.New(server.LogHandler(slog.NewJSONHandler(log, nil))),
		Authenticate: server.AdminToken(token, admin),
	}
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func post(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8080/graphql", strings.NewReader("{}"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestACredentialTellsWhoCalls(t *testing.T) {
	s := server.New(config(answerCaller, io.Discard))
	tests := map[string]struct {
		headers []string
		want    string
	}{
		"none":             {nil, "nobody"},
		"the admin's":      {[]string{"Authorization", "Bearer " + token}, "USER dev|admin"},
		"in small letters": {[]string{"Authorization", "bearer " + token}, "USER dev|admin"},
	}
	for name, test := range tests {
		if w := ask(s, post(test.headers...)); w.Code != http.StatusOK || w.Body.String() != test.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestACredentialThatIsNoGoodIsRefusedEverywhere(t *testing.T) {
	open := config(answerCaller, io.Discard)
	closed := open
	closed.Authenticate = nil
	blank := open
	blank.Authenticate = server.AdminToken("", admin)
	tests := map[string]struct {
		config  server.Config
		path    string
		headers []string
	}{
		"another token":      {open, "/graphql", []string{"Authorization", "Bearer " + token + "x"}},
		"part of the token":  {open, "/graphql", []string{"Authorization", "Bearer " + token[:len(token)-1]}},
		"no token":           {open, "/graphql", []string{"Authorization", "Bearer"}},
		"an empty one":       {open, "/graphql", []string{"Authorization", "Bearer  "}},
		"an empty header":    {open, "/graphql", []string{"Authorization", ""}},
		"another scheme":     {open, "/graphql", []string{"Authorization", "Basic " + token}},
		"two":                {open, "/graphql", []string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}},
		"another path":       {open, "/nowhere", []string{"Authorization", "Bearer x"}},
		"where it is empty":  {blank, "/graphql", []string{"Authorization", "Bearer "}},
		"where none is good": {closed, "/graphql", []string{"Authorization", "Bearer " + token}},
	}
	for name, test := range tests {
		r := post(test.headers...)
		r.URL.Path = test.path
		w := ask(server.New(test.config), r)
		const want = `{"errors":[{"message":"the bearer token is not valid","extensions":{"code":"UNAUTHENTICATED"}}]}` + "\n"
		if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusUnauthorized || diff != "" {
			t.Errorf("%s: %d %s", name, w.Code, diff)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") {
			t.Errorf("%s: the challenge is %q", name, challenge)
		}
	}
}

func TestDevAnswersToLoopbackNamesOnly(t *testing.T) {
	c := config(answerCaller, io.Discard)
	c.Dev = true
	dev, other := server.New(c), server.New(config(answerCaller, io.Discard))
	tests := map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "127.0.0.1": true, "127.8.9.1:80": true, "[::1]": true, "[::1]:8080": true,
		"[::ffff:127.0.0.1]:1": true,
		"":                     false, "example.com": false, "localhost.example.com:8080": false, "127.0.0.1.example.com": false,
		"192.168.0.1:8080": false, "[2001:db8::1]:8080": false, "0.0.0.0": false, "localhost:8080:1": false,
	}
	for host, want := range tests {
		r := post()
		r.Host = host
		if w := ask(dev, r); (w.Code == http.StatusOK) != want || !want && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%q: %d", host, w.Code)
		}
		if w := ask(other, r); w.Code != http.StatusOK {
			t.Errorf("%q without --dev: %d", host, w.Code)
		}
	}
}

func TestTheIndexIsOfDevAlone(t *testing.T) {
	c := config(answerCaller, io.Discard)
	root := func() *http.Request { return httptest.NewRequest(http.MethodGet, "http://localhost/", nil) }
	if w := ask(server.New(c), root()); w.Code != http.StatusNotFound {
		t.Errorf("without --dev: %d", w.Code)
	}
	c.Dev = true
	if w := ask(server.New(c), root()); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/graphiql") {
		t.Errorf("with --dev: %d %s", w.Code, w.Body)
	}
}

func TestGraphiQLIsOfDevAlone(t *testing.T) {
	c := config(answerCaller, io.Discard)
	for _, path := range []string{"/graphiql", "/graphiql/", "/graphiql/index.html"} {
		page := func(host string) *http.Request {
			return httptest.NewRequest(http.MethodGet, "http://"+host+path, nil)
		}
		c.Dev = false
		if w := ask(server.New(c), page("localhost:8080")); w.Code != http.StatusNotFound {
			t.Errorf("%s without --dev: %d", path, w.Code)
		}
		c.Dev = true
		if w := ask(server.New(c), page("localhost:8080")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<title>") {
			t.Errorf("%s with --dev: %d %s", path, w.Code, w.Body)
		}
		if w := ask(server.New(c), page("example.com")); w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%s of another host: %d", path, w.Code)
		}
		r := page("localhost:8080")
		r.Method = http.MethodPost
		if w := ask(server.New(c), r); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
}

func TestARequestIsOneLineWithoutWhatItCarried(t *testing.T) {
	var log bytes.Buffer
	c := config(nil, &log)
	c.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.Log.With("part", "graphql").WarnContext(r.Context(), "inside")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "hidden answer")
	})
	r := post("Authorization", "Bearer "+token, "Cookie", "hidden", "X-Forwarded-For", "hidden")
	r.URL.RawQuery = "query=hidden"
	r.Body = io.NopCloser(strings.NewReader("hidden"))
	w := ask(server.New(c), r)

	if text := log.String(); strings.Contains(text, "hidden") || strings.Contains(text, token) {
		t.Errorf("the log shows what is hidden: %s", text)
	}
	lines := decode(t, &log)
	if len(lines) != 2 || lines[0]["msg"] != "inside" {
		t.Fatalf("the log is %v", lines)
	}
	id := w.Header().Get("X-Request-Id")
	if id == "" || lines[0]["request"] != id || lines[1]["request"] != id {
		t.Errorf("the request %q is %v and %v in the log", id, lines[0]["request"], lines[1]["request"])
	}
	line := lines[1]
	if ms, ok := line["ms"].(float64); !ok || ms < 0 {
		t.Errorf("ms is %v", line["ms"])
	}
	for _, key := range []string{"ms", "time", "request"} {
		delete(line, key)
	}
	want := map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "path": "/graphql", "status": 418.0, "bytes": 13.0,
		"actor": "USER dev|admin", "client": "192.0.2.1",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}

// A key may stand in a path, as whoever writes a client's first lines knows.
func TestTheLogNamesKnownPathsAndMethodsOnly(t *testing.T) {
	for _, test := range []struct{ method, path, wantMethod, wantPath string }{
		{"GET", "/graphql", "GET", "/graphql"},
		{"GET", "/", "GET", "/"},
		{"GET", "/ACME-KEY", "GET", "other"},
		{"GET", "/graphql/ACME-KEY", "GET", "other"},
		{"GET", "/ACME-KEY/../graphql", "GET", "/graphql"},
		{"DELETE", "/", "DELETE", "other"},
		{"ACME-KEY", "/graphql", "other", "/graphql"},
	} {
		var log bytes.Buffer
		c := config(answerCaller, &log)
		c.Dev = true
		ask(server.New(c), httptest.NewRequest(test.method, "http://localhost"+test.path, nil))
		line := decode(t, &log)[0]
		if line["method"] != test.wantMethod || line["path"] != test.wantPath {
			t.Errorf("%s %s is logged as %v %v", test.method, test.path, line["method"], line["path"])
		}
	}
}

func TestNobodyIsSentOnToThePathThatWasMeant(t *testing.T) {
	c := config(answerCaller, io.Discard)
	s := server.New(c)
	for path, status := range map[string]int{
		"/graphql": http.StatusOK, "//graphql": http.StatusNotFound, "/x/../graphql": http.StatusNotFound, "//": http.StatusNotFound, "/graphql/": http.StatusNotFound,
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/?key=ACME-KEY", nil)
		r.URL.Path = path
		if w := ask(s, r); w.Code != status || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if w := ask(s.Ops(), r); w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
			t.Errorf("%s of the operators' address: %d %v", path, w.Code, w.Header())
		}
	}
}

func TestAClientIsBelievedPastTrustedProxiesOnly(t *testing.T) {
	tests := map[string]struct {
		from      string
		forwarded []string
		want      string
	}{
		"no proxy":             {"192.0.2.9:1", []string{"203.0.113.1"}, "192.0.2.9"},
		"a proxy":              {"10.0.0.1:1", []string{"203.0.113.1"}, "203.0.113.1"},
		"a claim left of it":   {"10.0.0.1:1", []string{"198.51.100.1, 203.0.113.1"}, "203.0.113.1"},
		"two proxies":          {"10.0.0.1:1", []string{"203.0.113.1", "10.9.9.9"}, "203.0.113.1"},
		"proxies all the way":  {"10.0.0.1:1", []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		"no address":           {"10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		"nothing":              {"10.0.0.1:1", nil, "10.0.0.1"},
		"an address in IPv6":   {"[2001:db8::1]:1", []string{"203.0.113.1"}, "2001:db8::1"},
		"a proxy mapped to v6": {"[::ffff:10.0.0.1]:1", []string{"203.0.113.1"}, "203.0.113.1"},
		"with ports":           {"10.0.0.1:1", []string{"203.0.113.1:80, 10.1.1.1:80"}, "203.0.113.1"},
		"IPv6 with a port":     {"10.0.0.1:1", []string{"[2001:DB8::1]:80"}, "2001:db8::1"},
		"with a zone":          {"10.0.0.1:1", []string{"fe80::1%hidden"}, "fe80::1"},
	}
	for name, test := range tests {
		var log bytes.Buffer
		var from netip.Addr
		c := config(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from = actor.AddressFrom(r.Context()) }), &log)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		r := post()
		r.RemoteAddr = test.from
		r.Header["X-Forwarded-For"] = test.forwarded
		ask(server.New(c), r)
		if got := decode(t, &log)[0]["client"]; got != test.want || from.String() != test.want {
			t.Errorf("%s: %v in the log and %v in the context, want %s", name, got, from, test.want)
		}
	}
}

func TestAPanicIsAnInternalErrorWithItsStackInTheLog(t *testing.T) {
	var log bytes.Buffer
	s := server.New(config(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the cause") }), &log))
	w := ask(s, post())
	const want = `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusInternalServerError || diff != "" {
		t.Errorf("%d %s", w.Code, diff)
	}
	lines := decode(t, &log)
	if stack, _ := lines[0]["stack"].(string); lines[0]["panic"] != "the cause" || !strings.Contains(stack, "server_test.go") {
		t.Errorf("the log is %v", lines[0])
	}
	if lines[1]["status"] != 500.0 || lines[1]["request"] != lines[0]["request"] {
		t.Errorf("the log is %v", lines[1])
	}
}

func TestAPanicBreaksAnAnswerThatHasBegun(t *testing.T) {
	var log lockedBuffer
	over := httptest.NewServer(server.New(config(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("the cause")
	}), &log)))
	answer, err := http.Post(over.URL+"/graphql", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	over.Close()
	if string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", body, err)
	}
	if lines := decode(t, &log.Buffer); len(lines) != 2 || lines[0]["panic"] != "the cause" || lines[1]["msg"] != "request" {
		t.Errorf("the log is %v", lines)
	}
}

func TestProbes(t *testing.T) {
	var problem error
	c := config(answerCaller, io.Discard)
	c.Ready = func(context.Context) error { return problem }
	ops := server.New(c).Ops()
	probe := func(path string) (int, string) {
		w := ask(ops, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	if status, body := probe("/readyz"); status != http.StatusOK || body != "ready" {
		t.Errorf("/readyz: %d %s", status, body)
	}
	problem = fault.Wrap(fault.Unavailable, errors.New("dial tcp: hidden"), "storage is unavailable")
	if status, body := probe("/readyz"); status != http.StatusServiceUnavailable || body != "storage is unavailable" {
		t.Errorf("/readyz without storage: %d %s", status, body)
	}
	if status, body := probe("/healthz"); status != http.StatusOK || body != "ok" {
		t.Errorf("/healthz without storage: %d %s", status, body)
	}
	if status, _ := probe("/graphql"); status != http.StatusNotFound {
		t.Errorf("/graphql: %d", status)
	}
}

// decode takes the lines of a log.
func decode(t *testing.T, log *bytes.Buffer) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for dec := json.NewDecoder(log); dec.More(); {
		var line map[string]any
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

type lockedBuffer struct {
	mu sync.Mutex // guards Buffer, which may be read by itself once nobody writes
	bytes.Buffer
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
