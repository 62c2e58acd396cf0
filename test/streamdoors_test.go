package test_test

import "strings"

// noStreams are bytes of WebSockets that are none, or speak as nobody should.
// Pings and farewells are not among them: to these a WebSocket answers with
// their own text.
func noStreams(text string) []string {
	const (
		ask   = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		right = ask + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
		greet = `{"type":"connection_init"}`
		begin = `{"id":"1","type":"subscribe","payload":`
	)
	quoted := `\"` + text + `\"`
	all := []string{
		ask + "Sec-WebSocket-Version: " + text + "\r\n\r\n", ask + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + text + "\r\n\r\n",
		strings.Replace(right, "graphql-transport-ws", text, 1) + "\r\n", right + "Origin: https://" + text + ".example\r\n\r\n",
		right + "Sec-WebSocket-Extensions: " + text + "\r\n\r\n", right + "Authorization: " + text + "\r\n\r\n",
		right + "\r\n" + text, right + "\r\n\x88\x80" + text, right + "\r\n" + masked(0x82, text), right + "\r\n" + masked(0x88, text),
	}
	for _, messages := range [][]string{
		{text}, {`"` + text + `"`}, {`{"type":"` + text + `"}`}, {`{"` + text + `":1}`}, {`{"type":"ping","payload":"` + text + `"}`},
		{`{"type":"ping","payload":{"a":"` + text + `"}}`}, {`{"type":"connection_init","payload":{"Authorization":"` + text + `"}}`},
		{`{"type":"connection_init","payload":{"Authorization":"Bearer ` + text + `x"}}`}, {`{"type":"complete","id":"` + text + `"}`},
		{begin + `{"query":"` + text + `"}}`},
		{greet, begin + `{"query":"` + text + `"}}`}, {greet, begin + `"` + text + `"}`}, {greet, begin + `{"` + text + `":1}}`},
		{greet, begin + `{"query":["` + text + `"]}}`}, {greet, begin + `{"query":"{ __typename }","operationName":"` + text + `"}}`},
		{greet, begin + `{"query":"{ __typename }","variables":"` + text + `"}}`},
		{greet, begin + `{"query":"{ validate(input: {key: ` + quoted + `, key: ` + quoted + `}) { code nope } }"}}`},
		{greet, begin + `{"query":"query($i: ValidateInput!) { validate(input: $i) { code } }","variables":{"i":{"` + text + `":1}}}}`},
		{greet, begin + `{"query":"subscription { events(after: ` + quoted + `) { id } }"}}`},
	} {
		sent := right + "\r\n"
		for _, message := range messages {
			sent += masked(0x81, message)
		}
		all = append(all, sent)
	}
	return all
}

// masked is a frame of a client, masked with zeros.
func masked(kind byte, payload string) string {
	if len(payload) < 126 {
		return string([]byte{kind, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
	}
	return string([]byte{kind, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}) + payload
}
