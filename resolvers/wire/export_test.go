package wire

// ParseMessage reads a message of a client.
func ParseMessage(text []byte) (kind, id string, payload []byte, problem string) {
	m, problem := parseMessage(text)
	return m.kind, m.id, m.payload, problem
}

// Credential reads what the payload of connection_init brings.
func Credential(payload []byte) (header string, plain bool) { return credential(payload) }
