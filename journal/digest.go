package journal

import (
	"encoding/json"
	"fmt"

	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// Digest gives the keyed digest of a record's own fields: what its last entry
// says of it, so that a record that was changed behind the journal's back
// shows. Counters, leases and seats are not the record's own. The body is
// taken in canonical form (RFC 8785), because an engine may keep it in
// another than it was given.
func Digest(s *secret.Secret, r storage.Record) ([]byte, error) {
	plain, err := json.Marshal(struct {
		Kind     storage.Kind        `json:"kind"`
		ID       string              `json:"id"`
		Revision int64               `json:"revision"`
		Index    storage.Index       `json:"index"`
		Done     []storage.Operation `json:"done,omitempty"`
		Body     json.RawMessage     `json:"body"`
	}{r.Kind, r.ID, r.Revision, r.Index, r.Done, r.Body})
	if err != nil {
		return nil, fmt.Errorf("journal: the digest of %s: %w", r.ID, err)
	}
	text, err := canonical(plain)
	if err != nil {
		return nil, fmt.Errorf("journal: the digest of %s: %w", r.ID, err)
	}
	mac := s.Digest("record", string(text))
	return mac[:], nil
}

// Hidden stands for a personal value in an entry: a keyed digest, which
// confirms a value to whoever has the secrets and the value, and tells nothing
// to anybody else. The value is JSON, and taken in canonical form. The record's
// id is in it, so equal values of two records cannot be told to be equal.
func Hidden(s *secret.Secret, record, field string, value json.RawMessage) (json.RawMessage, error) {
	plain, err := json.Marshal(map[string]json.RawMessage{"value": value})
	if err != nil {
		return nil, fmt.Errorf("journal: the value of %s: %w", field, err)
	}
	text, err := canonical(plain)
	if err != nil {
		return nil, fmt.Errorf("journal: the value of %s: %w", field, err)
	}
	mac := s.Digest("hidden", record, field, string(text))
	return json.Marshal(map[string][]byte{"hmac": mac[:16]})
}
