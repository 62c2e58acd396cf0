package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/keywright/keywright/resolvers/wire"
)

const (
	greeting = `{"type":"connection_init"}`
	ack      = `{"type":"connection_ack"}`
	aNext    = `{"id":"a","type":"next","payload":{"data":%q}}`
	aEnd     = `{"id":"a","type":"complete"}`
	internal = `{"id":"a","type":"error","payload":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}`
)

func TestWhoGreetsIsTheCaller(t *testing.T) {
	for name, test := range map[string]struct {
		headers  []string
		greeting string
		want     string
	}{
		"nobody":                   {nil, greeting, "nobody"},
		"an empty payload":         {nil, `{"type":"connection_init","payload":{}}`, "nobody"},
		"a payload that is null":   {nil, `{"payload":null,"type":"connection_init"}`, "nobody"},
		"a payload without it":     {nil, `{"type":"connection_init","payload":{"token":"x"}}`, "nobody"},
		"by the payload":           {nil, `{"type":"connection_init","payload":{"Authorization":"` + good + `"}}`, "USER test|staff"},
		"in small letters":         {nil, `{"type":"connection_init","payload":{"authorization":"` + good + `"}}`, "USER test|staff"},
		"by the header":            {[]string{"Authorization", good}, greeting, "USER test|staff"},
		"by both":                  {[]string{"Authorization", good}, `{"type":"connection_init","payload":{"Authorization":"` + good + `"}}`, "USER test|staff"},
		"with what nobody asks of": {nil, `{"type":"connection_init","id":"x","more":[1]}`, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newHouse(t).dial(test.headers...)
			c.send(test.greeting)
			c.want(ack)
			c.subscribe("a", whoami)
			c.want(fmt.Sprintf(aNext, test.want), aEnd)
		})
	}
}

func TestABadCredentialIsForbidden(t *testing.T) {
	for name, payload := range map[string]string{
		"unknown":  `{"Authorization":"` + bad + `"}`,
		"no text":  `{"Authorization":{"a":1}}`,
		"a number": `{"authorization":1}`,
		"two":      `{"Authorization":"` + good + `","authorization":"` + good + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newHouse(t).dial()
			c.send(`{"type":"connection_init","payload":` + payload + `}`)
			c.wantClosed(4403, "Forbidden")
		})
	}
}

func TestMessagesOutOfOrderCloseTheConnection(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	c.subscribe("a", whoami)
	c.wantClosed(4401, "Unauthorized")

	c = h.greeted()
	c.send(greeting)
	c.wantClosed(4429, "Too many initialisation requests")

	c = h.greeted()
	c.subscribe("a", lasting)
	running := h.next()
	c.subscribe("a", lasting)
	c.wantClosed(4409, "Subscriber for this id already exists")
	running.wantEnded(t)
}

func TestWhoDoesNotGreetIsClosed(t *testing.T) {
	h := newHouse(t, func(w *wire.Transport) { w.Patience.Greeting = 500 * time.Millisecond })
	c := h.dial()
	c.wantClosed(4408, "Connection initialisation timeout")

	// Who has, is not.
	c = h.greeted()
	c.subscribe("a", lasting)
	h.next().say(t, `{"data":1}`)
	c.want(`{"id":"a","type":"next","payload":{"data":1}}`)
}

// No reason repeats what the client sent.
func TestAMessageThatIsNoneClosesTheConnection(t *testing.T) {
	const secret = "canary"
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	for message, reason := range map[string]string{
		`canary`:            "a message is one JSON object with the texts type and id, and a payload",
		``:                  "a message is one JSON object with the texts type and id, and a payload",
		`[]`:                "a message is one JSON object with the texts type and id, and a payload",
		`"canary"`:          "a message is one JSON object with the texts type and id, and a payload",
		`null`:              "a message is one JSON object with the texts type and id, and a payload",
		`{}`:                "there is no such type of message",
		`{"type":"canary"}`: "there is no such type of message",
		`{"type":"start","id":"a","payload":{"query":"canary"}}`: "there is no such type of message",
		`{"Type":"ping"}`:                                           "there is no such type of message",
		`{"type":1}`:                                                "a message is one JSON object with the texts type and id, and a payload",
		`{"type":"ping"} {}`:                                        "a message is one JSON object with the texts type and id, and a payload",
		`{"type":"ping","payload":"canary"}`:                        "the payload of this message is an object, or there is none",
		`{"type":"ping","type":"pong"}`:                             "a message has an object with one name twice",
		`{"type":"ping","payload":{"a":1,"a":2}}`:                   "a message has an object with one name twice",
		`{"type":"ping","payload":{"a":` + deep + `}}`:              "a message has more than 33 levels of objects and arrays",
		"{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}":          "a message must be in UTF-8",
		`{"type":"subscribe","payload":{"query":"canary"}}`:         "an operation has an id of 1 to 128 bytes",
		`{"type":"subscribe","id":"","payload":{"query":"canary"}}`: "an operation has an id of 1 to 128 bytes",
		`{"type":"subscribe","id":"` + strings.Repeat("x", 129) + `","payload":{"query":"canary"}}`: "an operation has an id of 1 to 128 bytes",
		`{"type":"subscribe","id":1,"payload":{"query":"canary"}}`:                                  "a message is one JSON object with the texts type and id, and a payload",
		`{"type":"subscribe","id":"a"}`:                                                             "the payload of subscribe is an object",
		`{"type":"subscribe","id":"a","payload":null}`:                                              "the payload of subscribe is an object",
		`{"type":"subscribe","id":"a","payload":["canary"]}`:                                        "the payload of subscribe is an object",
		`{"type":"subscribe","id":"a","payload":{"query":1}}`:                                       "the request is none",
		`{"type":"subscribe","id":"a","payload":` + malformed + `}`:                                 "the request lacks something",
		`{"type":"complete"}`:                     "complete names the id of an operation",
		`{"type":"connection_init","payload":[]}`: "the payload of this message is an object, or there is none",
	} {
		h := newHouse(t)
		c := h.greeted()
		c.send(message)
		c.wantClosed(4400, reason)
		if strings.Contains(reason+h.log.String(), secret) {
			t.Errorf("%q: %s", message, h.log)
		}
	}
}

func TestAMessageIsAText(t *testing.T) {
	c := newHouse(t).greeted()
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	c.wantClosed(4400, "a message is a text")
}

func TestAMessageHas64KiBAtMost(t *testing.T) {
	c := newHouse(t).greeted()
	const around = `{"type":"ping","payload":{"a":""}}`
	fill := func(size int) string {
		return strings.Replace(around, `""`, `"`+strings.Repeat("x", size-len(around))+`"`, 1)
	}
	c.send(fill(64 << 10))
	c.want(`{"type":"pong"}`)
	c.send(fill(64<<10 + 1))
	c.wantClosed(websocket.StatusMessageTooBig, "read limited at 65537 bytes")
}

func TestPingsAreAnswered(t *testing.T) {
	c := newHouse(t).dial()
	c.send(`{"type":"ping"}`)
	c.want(`{"type":"pong"}`)
	c.send(greeting)
	c.want(ack)
	c.send(`{"type":"pong"}`)
	c.send(`{"type":"pong","payload":{"a":1}}`)
	c.send(`{"type":"complete","id":"never begun"}`)
	c.send(`{"type":"ping","payload":{"a":1}}`)
	c.want(`{"type":"pong"}`)
}

func TestRequestsThatNoWebSocketIsMadeOf(t *testing.T) {
	const key = "AAAAAAAAAAAAAAAAAAAAAA=="
	h := newHouse(t)
	for name, test := range map[string]struct {
		change  map[string]string
		status  int
		message string
	}{
		"no subprotocol":         {map[string]string{"Sec-Websocket-Protocol": ""}, 400, "a WebSocket has to ask for the subprotocol graphql-transport-ws"},
		"the older subprotocol":  {map[string]string{"Sec-Websocket-Protocol": "graphql-ws"}, 400, "a WebSocket has to ask for the subprotocol graphql-transport-ws"},
		"another version":        {map[string]string{"Sec-Websocket-Version": "8"}, 400, "a WebSocket needs one Sec-WebSocket-Key, and Sec-WebSocket-Version 13"},
		"no key":                 {map[string]string{"Sec-Websocket-Key": ""}, 400, "the Sec-WebSocket-Key is not 16 bytes in base64"},
		"a short key":            {map[string]string{"Sec-Websocket-Key": "canary"}, 400, "the Sec-WebSocket-Key is not 16 bytes in base64"},
		"another origin":         {map[string]string{"Origin": "https://canary.example"}, 403, "a page of another origin may not open streams"},
		"an opaque origin":       {map[string]string{"Origin": "null"}, 403, "a page of another origin may not open streams"},
		"another port":           {map[string]string{"Origin": "http://localhost:1"}, 403, "a page of another origin may not open streams"},
		"an extension":           {map[string]string{"Origin": "chrome-extension://HOST"}, 403, "a page of another origin may not open streams"},
		"its own origin":         {map[string]string{"Origin": "http://HOST"}, 101, ""},
		"the same behind TLS":    {map[string]string{"Origin": "https://HOST"}, 101, ""},
		"no origin":              {nil, 101, ""},
		"several subprotocols":   {map[string]string{"Sec-Websocket-Protocol": "x, graphql-transport-ws"}, 101, ""},
		"compression is offered": {map[string]string{"Sec-Websocket-Extensions": "permessage-deflate; client_max_window_bits"}, 101, ""},
	} {
		header := http.Header{
			"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key},
			"Sec-Websocket-Protocol": {wire.Subprotocol},
		}
		host := strings.TrimPrefix(h.url, "http://")
		for name, value := range test.change {
			header.Set(name, strings.Replace(value, "HOST", host, 1))
		}
		var text strings.Builder
		if err := header.Write(&text); err != nil {
			t.Fatal(err)
		}
		from, answer := h.raw("GET / HTTP/1.1\r\nHost: " + host + "\r\n" + text.String() + "\r\n")
		if answer.status != test.status {
			t.Errorf("%s: the status is %d", name, answer.status)
		}
		if test.status == http.StatusSwitchingProtocols {
			if got := answer.header.Get("Sec-WebSocket-Protocol"); got != wire.Subprotocol || answer.header.Get("Sec-WebSocket-Extensions") != "" {
				t.Errorf("%s: %v", name, answer.header)
			}
			continue
		}
		line, err := from.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != test.message {
			t.Errorf("%s: %q, %v", name, line, err)
		}
	}
}

func TestARequestThatIsNoUpgrade(t *testing.T) {
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = http.MethodPost },
		func(r *http.Request) { r.Header.Del("Upgrade") },
		func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
		func(r *http.Request) { r.Header.Set("Connection", "close") },
		func(r *http.Request) { r.ProtoMinor = 0 },
	} {
		r := &http.Request{Method: http.MethodGet, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}}
		if !wire.IsUpgrade(r) {
			t.Fatal("an upgrade is none")
		}
		if change(r); wire.IsUpgrade(r) {
			t.Errorf("%v is an upgrade", r)
		}
	}
}
