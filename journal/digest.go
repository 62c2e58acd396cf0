package journal

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"time"

	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// digestSize is the length of a record's digest, and hiddenSize that of a
// value's. Both are keyed, so nobody who lacks the secrets can look for two
// that are equal.
const (
	digestSize = 16
	hiddenSize = 12
)

// Digest gives the keyed digest of a record's own fields: what its last entry
// says of it, so that a record that was changed behind the journal's back
// shows. Counters, leases and seats are not the record's own, and neither is
// Index.Due: a note of when to look at it next, which moves without an entry.
// The body is taken in canonical form (RFC 8785), because an engine may keep
// it in another than it was given.
func Digest(s *secret.Secret, r storage.Record) ([]byte, error) {
	r.Index.Due = time.Time{}
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
	return mac[:digestSize], nil
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
	return json.Marshal(map[string][]byte{"hmac": mac[:hiddenSize]})
}

// IsHidden reports whether a value in an entry stands for another.
func IsHidden(value json.RawMessage) bool {
	return bytes.HasPrefix(value, []byte(`{"hmac":`))
}

// Confirms reports whether a hidden value of a record's field is this one,
// under any secret of the list.
func Confirms(secrets *secret.List, hidden json.RawMessage, record, field string, value json.RawMessage) (bool, error) {
	for _, s := range secrets.All() {
		again, err := Hidden(s, record, field, value)
		if err != nil {
			return false, err
		}
		if hmac.Equal(again, hidden) {
			return true, nil
		}
	}
	return false, nil
}
