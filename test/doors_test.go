package test_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// wrongs are requests that are none, or come in another way than they should,
// each with a text where it does not belong.
type wrongs struct {
	text string
	all  []*http.Request
	err  error
}

const jsonType = "application/json"

// add adds a request with headers, names and values in turn.
func (w *wrongs) add(method, address, body string, headers ...string) {
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		w.err = errors.Join(w.err, err)
		return
	}
	request.Header.Set("Content-Type", jsonType)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	w.all = append(w.all, request)
}

const validated = "query($key: String!) { validate(input: {key: $key}) { code } }"

// right is a request that would be answered.
func (w *wrongs) right() string {
	return fmt.Sprintf(`{"query":%q,"variables":{"key":%q}}`, validated, w.text)
}

func (w *wrongs) addHeaders(door string) {
	text := w.text
	for _, credential := range []string{
		text, "Bearer " + text, "Bearer " + text + " x", "Basic " + text, text + " " + text, "Bearer\t" + text,
		"Bearer " + strings.Repeat(text, 2000), // more than all headers may be
	} {
		w.add(http.MethodPost, door, w.right(), "Authorization", credential)
	}
	w.add(http.MethodPost, door, w.right(), "Authorization", "Bearer "+text, "Authorization", "Bearer "+text)
	for _, name := range []string{
		"Cookie", "X-Api-Key", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "User-Agent", "Referer", "Origin",
		"Accept", "Accept-Language", "Content-Encoding", "Expect", "Upgrade", "Range", "Idempotency-Key", "Traceparent",
	} {
		w.add(http.MethodPost, door, w.right(), name, text)
	}
	for _, kind := range []string{
		text, "text/" + text, jsonType + "; charset=" + text, "text/plain", "application/x-www-form-urlencoded",
		"multipart/form-data; boundary=" + text, "application/graphql",
	} {
		w.add(http.MethodPost, door, w.right())
		w.all[len(w.all)-1].Header.Set("Content-Type", kind)
	}
	w.add(http.MethodPost, door, w.right())
	w.all[len(w.all)-1].Host = text + ".example"
}

func (w *wrongs) addAddresses(url, ops string) {
	text := w.text
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace,
		http.MethodConnect, bare(text),
	} {
		for _, path := range []string{"/graphql", "/", "/nowhere"} {
			w.add(method, url+path, w.right())
		}
	}
	asked := neturl.Values{"query": {validated}, "variables": {fmt.Sprintf(`{"key":%q}`, text)}, "token": {text}, "operationName": {text}}
	for _, query := range []string{
		asked.Encode(), "variables=" + text + "&query=" + text, "query={product(id:%22" + text + "%22){id}}", text + ";" + text, "%zz" + text,
	} {
		w.add(http.MethodGet, url+"/graphql?"+query, "")
		w.add(http.MethodPost, url+"/graphql?"+query, "")
		w.add(http.MethodGet, url+"/?"+query, "")
		w.add(http.MethodGet, url+"//graphql?"+query, "")
	}
	for _, path := range []string{
		"/" + text, "/graphql/" + text, "/api/v1/licenses/" + text, "//graphql/../" + text, "/" + text + "/../graphql", "/%2e%2e/" + text,
		"/.well-known/" + text,
	} {
		w.add(http.MethodGet, url+path, "")
		w.add(http.MethodPost, url+path, w.right())
		w.add(http.MethodGet, ops+path, "")
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/pprof/cmdline"} {
		w.add(http.MethodGet, ops+path+"?key="+text, "", "Authorization", text)
	}
}

func (w *wrongs) addBodies(door string) {
	text, right := w.text, w.right()
	quoted := `\"` + text + `\"`
	for _, body := range []string{
		"", text, `"` + text + `"`, `["` + text + `"]`, `{"` + text + `":1}`,
		right + text, text + right, right[:len(right)-4], "[" + right + "]", "\xff\xfe" + right,
		`{"query":"` + text, `{"query":"` + text + `"}`, `{"query":"\u00zz` + text + `"}`, `{"query":["` + text + `"]}`,
		`{"query":"{ __typename }","operationName":"` + text + `"}`,
		`{"query":"{ __typename }","variables":"` + text + `"}`,
		`{"query":"{ __typename }","extensions":"` + text + `"}`,
		`{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":{"` + text + `":1}}}`,
		`{"query":"query($i: [ValidateInput!]! = ` + quoted + `) { __typename }"}`,
		`{"query":"{ validate(input: {key: \"` + text + `}) { code } }"}`,
		`{"query":"{ validate(input: {key: ` + text + `}) { code } }"}`,
		`{"query":"{ validate(input: {key: \"\"` + quoted + `) { code } }"}`,
		`{"query":"{ validate(input: {key: ` + quoted + `, key: ` + quoted + `}) { code nope } }"}`,
		strings.Repeat("[", 50_000) + text,
		`{"query":"# ` + strings.Repeat(text, 4_000) + `"}`,
		`{"query":"` + strings.Repeat(text, 60_000) + `"}`,
	} {
		w.add(http.MethodPost, door, body)
		w.add(http.MethodPost, door, body, "Authorization", "Bearer "+knownToken)
		w.add(http.MethodPost, door, body, "Accept", "text/event-stream")
	}
}

// noRequests are bytes that are no HTTP, or end too early.
func noRequests(text string) []string {
	const get, post = "GET / HTTP/1.1\r\nHost: localhost\r\n", "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	const host = " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	return []string{
		text + "\r\n\r\n", "GET /" + text + "\r\n\r\n", "GET /" + text + " HTTP/9.9\r\nHost: localhost\r\n\r\n",
		"GET " + text + host, "GET http://" + text + "@localhost/" + text + host, text + " /" + host,
		"GET / HTTP/1.1\r\nHost: " + text + "/\r\n\r\n", "GET / HTTP/1.1\r\n" + text + "\r\n\r\n",
		get + text + " x: 1\r\n\r\n", get + "X: \x00" + text + "\r\n\r\n", get + "Host: " + text + "\r\n\r\n",
		get + "X: " + strings.Repeat(text, 3000) + "\r\n\r\n",
		post + "Content-Length: " + text + "\r\n\r\n", post + "Transfer-Encoding: " + text + "\r\n\r\n",
		post + "Content-Length: 500\r\n\r\n{\"query\":\"" + text,
		post + "Transfer-Encoding: chunked\r\n\r\n" + text + "\r\n" + text,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + text, "\x16\x03\x01\x02\x00" + text,
	}
}

// knock sends bytes to an address, ends its side, and gives all that comes
// back.
func knock(address, bytes string) (string, error) {
	connection, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(readyWithin)); err != nil {
		return "", err
	}
	// It may hang up at any time.
	_, _ = io.WriteString(connection, bytes)
	_ = connection.(*net.TCPConn).CloseWrite()
	back, _ := io.ReadAll(connection)
	return string(back), nil
}

// tryDoors asks in every wrong way there is.
func (a *aviary) tryDoors(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		w := wrongs{text: text}
		w.addHeaders(a.URL + "/graphql")
		w.addAddresses(a.URL, a.ops)
		w.addBodies(a.URL + "/graphql")
		if w.err != nil {
			t.Fatal(w.err)
		}
		for _, request := range w.all {
			where := fmt.Sprintf("an answer to %s %s", request.Method, request.URL)
			told, err := a.send(request)
			if err != nil && !errors.Is(err, errNoAnswer) {
				t.Fatal(err)
			}
			a.wantSilent(t, where, told)
		}
		for _, bytes := range slices.Concat(noRequests(text), noStreams(text)) {
			for _, address := range []string{a.URL, a.ops} {
				told, err := knock(address, bytes)
				if err != nil {
					t.Fatal(err)
				}
				a.wantSilent(t, fmt.Sprintf("an answer to %.100q", bytes), told)
			}
		}
	}
}
