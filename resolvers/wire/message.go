package wire

import (
	"encoding/json"

	"github.com/keywright/keywright/resolvers/strict"
)

// The kinds of messages of graphql-transport-ws.
const (
	kindInit      = "connection_init"
	kindAck       = "connection_ack"
	kindPing      = "ping"
	kindPong      = "pong"
	kindSubscribe = "subscribe"
	kindNext      = "next"
	kindError     = "error"
	kindComplete  = "complete"
)

const (
	maxMessage = 64 << 10 // bytes
	maxID      = 128      // bytes of an operation's id
)

// message is one of a client.
type message struct {
	kind, id string
	payload  json.RawMessage
}

// parseMessage reads a message of a client. The problem is empty where it is
// one of the protocol; it repeats nothing of the text.
func parseMessage(text []byte) (m message, problem string) {
	// The request within is held to its caller's own bounds when it is opened.
	if wrong := strict.Check(text, strict.Bounds{Values: maxMessage, Levels: strict.MaxLevels + 1}); wrong != "" {
		return message{}, "a message " + wrong
	}
	var payload json.RawMessage
	err := strict.Members(text, map[string]any{"type": &m.kind, "id": &m.id, "payload": &payload})
	if err != nil {
		return message{}, "a message is one JSON object with the texts type and id, and a payload"
	}
	if string(payload) != "null" {
		m.payload = payload
	}
	return m, m.problem()
}

func (m message) problem() string {
	isObject := len(m.payload) > 0 && m.payload[0] == '{'
	switch m.kind {
	case kindInit, kindPing, kindPong:
		if m.payload != nil && !isObject {
			return "the payload of this message is an object, or there is none"
		}
	case kindSubscribe:
		if m.id == "" || len(m.id) > maxID {
			return "an operation has an id of 1 to 128 bytes"
		}
		if !isObject {
			return "the payload of subscribe is an object"
		}
	case kindComplete:
		if m.id == "" {
			return "complete names the id of an operation"
		}
	default:
		return "there is no such type of message"
	}
	return ""
}

// credential gives what the payload of connection_init has under
// Authorization, empty if nothing. It reports false for more than one text.
func credential(payload []byte) (header string, plain bool) {
	if payload == nil {
		return "", true
	}
	var upper, lower *string
	err := strict.Members(payload, map[string]any{"Authorization": &upper, "authorization": &lower})
	switch {
	case err != nil || upper != nil && lower != nil:
		return "", false
	case upper != nil:
		return *upper, true
	case lower != nil:
		return *lower, true
	}
	return "", true
}

// encode gives a message to a client. id and payload are JSON, or empty.
func encode(kind, id string, payload []byte) []byte {
	text := make([]byte, 0, len(`{"id":,"type":"","payload":}`)+len(id)+len(kind)+len(payload))
	text = append(text, '{')
	if id != "" {
		text = append(text, `"id":`...)
		text = append(text, id...)
		text = append(text, ',')
	}
	text = append(text, `"type":"`...)
	text = append(text, kind...)
	text = append(text, '"')
	if len(payload) > 0 {
		text = append(text, `,"payload":`...)
		text = append(text, payload...)
	}
	return append(text, '}')
}
