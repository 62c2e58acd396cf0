package resolvers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

const asksEvents = "text/event-stream"

// doEvents sends a request for an event stream and reads it to its end.
func doEvents(t testing.TB, r *http.Request) *answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ok(t, err)
	return &answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

// socket is a WebSocket to the handler.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (a *api) socket(t *testing.T, as string) *socket {
	t.Helper()
	conn, answer, err := websocket.Dial(t.Context(), a.url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	ok(t, err)
	if answer.Body != nil {
		answer.Body.Close()
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	s := &socket{t, conn}
	greeting := `{"type":"connection_init"}`
	if as != nobody {
		greeting = fmt.Sprintf(`{"type":"connection_init","payload":{"Authorization":%q}}`, as)
	}
	s.send(greeting)
	s.want(`{"type":"connection_ack"}`)
	return s
}

func (s *socket) send(text string) {
	s.t.Helper()
	ok(s.t, s.conn.Write(s.t.Context(), websocket.MessageText, []byte(text)))
}

func (s *socket) subscribe(id, request string) {
	s.t.Helper()
	s.send(`{"id":"` + id + `","type":"subscribe","payload":` + request + `}`)
}

func (s *socket) want(messages ...string) {
	s.t.Helper()
	for _, want := range messages {
		_, got, err := s.conn.Read(s.t.Context())
		if err != nil || string(got) != want {
			s.t.Fatalf("got %s %v, want %s", got, err, want)
		}
	}
}

func TestAWebSocketAnswersAsHTTPDoes(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	_, key := a.issue(t)
	for _, c := range []struct {
		as, request string
		executed    bool
	}{
		{nobody, typename, true},
		{nobody, asked(t, `query($k: String!) { validate(input: {key: $k, product: "acme"}) { code } }`, "k", key), true},
		{nobody, asked(t, `{ products { nodes { code } } }`), true}, // UNAUTHENTICATED
		{admin, asked(t, `{ products { nodes { code } } }`), true},
		{limited, asked(t, `{ products { nodes { code } } }`), true}, // DENIED
		{admin, asked(t, `mutation { updateProduct(input: {product: "acme", name: "Another"}) { product { name } } }`), true},
		{admin, asked(t, `mutation { updateProduct(input: {product: "acme", name: ""}) { product { name } } }`), true},
		{nobody, asked(t, `{ nothing }`), false},
		{nobody, asked(t, `{ `), false},
		{nobody, asked(t, `query($n: Int!) { products(first: $n) { nodes { code } } }`, "n", "canary"), false},
		{nobody, asked(t, `{`+strings.Repeat(" __typename", 601)+`}`), false},
		{admin, asked(t, `{`+strings.Repeat(" __typename", 601)+`}`), false}, // fields of one selection
		{nobody, asked(t, `{ product(id: "x") { plans(first: 200) { nodes { code } } } }`), false},
		{nobody, `{"query":"query a { __typename } query b { __typename }","operationName":"c"}`, false},
	} {
		over := do(t, a.request(t, c.as, c.request))
		s := a.socket(t, c.as)
		s.subscribe("1", c.request)
		if c.executed {
			s.want(`{"id":"1","type":"next","payload":`+over.body+`}`, `{"id":"1","type":"complete"}`)
			continue
		}
		s.want(`{"id":"1","type":"error","payload":` + string(over.members["errors"]) + `}`)
	}
	if strings.Contains(a.logs.String(), "canary") {
		t.Errorf("the log is %s", a.logs)
	}
}

func TestARequestThatIsNoneClosesTheWebSocket(t *testing.T) {
	a := newAPI(t)
	for request, reason := range map[string]string{
		`{}`:                                "the request lacks query, the text of a GraphQL document",
		`{"query":""}`:                      "the request lacks query, the text of a GraphQL document",
		`{"query":["canary"]}`:              "the request is one JSON object in UTF-8 with query, and where needed operationName, variables and extensions",
		`{"query":"canary","variables":[]}`: "the request is one JSON object in UTF-8 with query, and where needed operationName, variables and extensions",
		`{"query":"canary","variables":{"a":[` + strings.Repeat("1,", 2_000) + `1]}}`:                    "the request has more than 2000 values and names",
		`{"query":"canary","variables":{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}`: "a message has more than 33 levels of objects and arrays",
	} {
		s := a.socket(t, nobody)
		s.subscribe("1", request)
		_, text, err := s.conn.Read(t.Context())
		if code := websocket.CloseStatus(err); code != 4400 || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %s %v", request, text, err)
		}
	}
}

const newLicenses = `subscription { events(filter: {types: ["license.created"]}) { type licenseId } }`

func TestASubscriptionOverAWebSocket(t *testing.T) {
	a := newAPI(t)
	a.running(t)
	a.catalog(t)
	s, denied := a.socket(t, admin), a.socket(t, nobody)
	denied.subscribe("1", asked(t, newLicenses))
	denied.want(`{"id":"1","type":"next","payload":{"errors":[{"message":"log in first: event:read needs a credential","path":["events"],"locations":[{"line":1,"column":16}],`+
		`"extensions":{"code":"UNAUTHENTICATED"}}]}}`, `{"id":"1","type":"complete"}`)
	s.subscribe("1", asked(t, a.newLicensesSince(t)))
	s.subscribe("2", asked(t, `subscription { events(after: "never given") { id } }`))
	s.want(`{"id":"2","type":"next","payload":{"errors":[{"message":"after is not a cursor of the journal","path":["events"],`+
		`"locations":[{"line":1,"column":16}],"extensions":{"code":"INVALID_INPUT","field":"after"}}]}}`, `{"id":"2","type":"complete"}`)
	for range 3 {
		id, _ := a.issue(t)
		s.want(fmt.Sprintf(`{"id":"1","type":"next","payload":{"data":{"events":{"type":"license.created","licenseId":%q}}}}`, id))
	}
	s.send(`{"id":"1","type":"complete"}`)
	a.issue(t)
	s.subscribe("1", typename)
	s.want(`{"id":"1","type":"next","payload":{"data":{"__typename":"Query"}}}`, `{"id":"1","type":"complete"}`)
}

// newLicensesSince is newLicenses from here on, whenever it begins.
func (a *api) newLicensesSince(t *testing.T) string {
	t.Helper()
	last := a.must(t, `{ events(first: 1) { nodes { cursor } } }`)["events"].(map[string]any)["nodes"].([]any)[0].(map[string]any)
	return strings.Replace(newLicenses, "events(", `events(after: "`+last["cursor"].(string)+`", `, 1)
}

func TestASubscriptionByAnEventStream(t *testing.T) {
	a := newAPI(t)
	a.running(t)
	a.catalog(t)
	document := a.newLicensesSince(t)
	id, _ := a.issue(t)
	want := fmt.Sprintf("event: next\ndata: {\"data\":{\"events\":{\"type\":\"license.created\",\"licenseId\":%q}}}\n\n", id)
	for _, accept := range []string{asksEvents, asksGraphQL + ", " + asksJSON + ", text/event-stream", asksJSON + ", text/event-stream;q=0.1"} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			ctx, cancel := context.WithCancel(t.Context())
			r := a.request(t, admin, asked(t, document)).WithContext(ctx)
			if method == http.MethodGet {
				r = a.byGet(t, document).WithContext(ctx)
			}
			r.Header.Set("Accept", accept)
			response, err := http.DefaultClient.Do(r)
			ok(t, err)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(bufio.NewReader(response.Body), got); err != nil || string(got) != want || response.Header.Get("Content-Type") != asksEvents+"; charset=utf-8" {
				t.Errorf("%s, %s: %d %q %v", method, accept, response.StatusCode, got, err)
			}
			response.Body.Close()
			cancel()
		}
	}
}

// byGet asks by GET as the admin.
func (a *api) byGet(t *testing.T, document string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"?query="+url.QueryEscape(document), nil)
	ok(t, err)
	r.Header.Set("Authorization", admin)
	return r
}

func TestWhatIsAskedForAsEventsIsAnsweredByThem(t *testing.T) {
	a := newAPI(t)
	events := func(answer string) string { return "event: next\ndata: " + answer + "\n\nevent: complete\ndata:\n\n" }
	for name, c := range map[string]struct {
		as, request string
		status      int
		want        string
	}{
		"a query":    {nobody, typename, 200, events(`{"data":{"__typename":"Query"}}`)},
		"a mutation": {admin, asked(t, `mutation { createProduct(input: {code: "acme", name: "Acme", keyPrefix: "ACME"}) { product { code } } }`), 200, events(`{"data":{"createProduct":{"product":{"code":"acme"}}}}`)},
		"a document that is none": {nobody, asked(t, `{ nothing }`), 200,
			events(`{"errors":[{"message":"Cannot query field \"nothing\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"INVALID_INPUT"}}]}`)},
		"a subscription of nobody's": {nobody, asked(t, newLicenses), 200,
			events(`{"errors":[{"message":"log in first: event:read needs a credential","path":["events"],"locations":[{"line":1,"column":16}],"extensions":{"code":"UNAUTHENTICATED"}}]}`)},
		"no request": {nobody, `{}`, 400, `{"errors":[{"message":"the request lacks query, the text of a GraphQL document","extensions":{"code":"INVALID_INPUT"}}]}`},
	} {
		r := a.request(t, c.as, c.request)
		r.Header.Set("Accept", asksEvents)
		got := doEvents(t, r)
		if diff := cmp.Diff(c.want, got.body); got.status != c.status || diff != "" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", name, got.status, got.header, diff)
		}
	}
}

func TestASubscriptionNeedsAStream(t *testing.T) {
	a := newAPI(t)
	for _, accept := range []string{"", asksJSON, "*/*", asksJSON + ", text/*", asksJSON + ", text/event-stream;q=0"} {
		r := a.request(t, admin, asked(t, newLicenses))
		r.Header.Set("Accept", accept)
		if accept == "" {
			r.Header.Del("Accept")
		}
		got := do(t, r)
		wantRefusal(t, accept, got, http.StatusNotAcceptable)
	}
	r := a.byGet(t, `mutation { createProduct(input: {code: "acme", name: "Acme", keyPrefix: "ACME"}) { product { code } } }`)
	r.Header.Set("Accept", asksEvents)
	if got := do(t, r); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" {
		t.Errorf("a mutation by GET: %d", got.status)
	}
}

func TestAPageOfAnotherOriginOpensNoStream(t *testing.T) {
	a := newAPI(t)
	for name, c := range map[string]struct {
		document, accept string
		status           int
	}{
		"a subscription":    {newLicenses, asksEvents, 403},
		"among others":      {newLicenses, asksJSON + ", text/event-stream", 403},
		"a query as events": {`{ __typename }`, asksEvents, 403},
		"a query":           {`{ __typename }`, asksJSON + ", text/event-stream", 200},
	} {
		r := a.request(t, nobody, asked(t, c.document))
		r.Header.Set("Accept", c.accept)
		r.Header.Set("Origin", "https://canary.example")
		if got := do(t, r); got.status != c.status || strings.Contains(got.body+a.logs.String(), "canary") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	response, err := http.DefaultClient.Do(a.upgrade(t, "https://canary.example"))
	ok(t, err)
	defer response.Body.Close()
	var got struct{ Errors []problem }
	ok(t, json.NewDecoder(response.Body).Decode(&got))
	if response.StatusCode != http.StatusForbidden || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "DENIED" {
		t.Errorf("a WebSocket: %d %v", response.StatusCode, got)
	}
}

func (a *api) upgrade(t *testing.T, origin string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url, nil)
	ok(t, err)
	r.Header.Set("Origin", origin)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	return r
}
