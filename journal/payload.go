package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Payload gives the data, or what is shown of it, as the Go type of an event's
// type: a *LicenseCreatedData for license.created.
func (t Type) Payload(data json.RawMessage) (any, error) {
	to := t.newData()
	if to == nil {
		return nil, fmt.Errorf("journal: %q is no type of an entry", t)
	}
	if len(data) == 0 {
		return to, nil
	}
	if err := json.Unmarshal(data, to); err != nil {
		return nil, fmt.Errorf("journal: the data of %s: %w", t, err)
	}
	return to, nil
}

// Changed is what a field of a known type was and what it became; see Change.
type Changed[T any] struct {
	From *T `json:"from,omitempty"`
	To   *T `json:"to,omitempty"`
}

// Personal is a personal value: as it is shown, or as the journal holds it.
type Personal[T any] struct {
	Value    *T     // as it is shown, where the record holds it
	Withheld bool   // as it is shown, where the record does not
	HMAC     []byte // as the journal holds it
}

type withheld struct {
	Withheld bool `json:"withheld"`
}

type hidden struct {
	HMAC []byte `json:"hmac"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Personal[T]) UnmarshalJSON(text []byte) error {
	*p = Personal[T]{}
	if IsHidden(text) {
		var h hidden
		err := json.Unmarshal(text, &h)
		p.HMAC = h.HMAC
		return err
	}
	if bytes.Equal(text, []byte(`{"withheld":true}`)) {
		p.Withheld = true
		return nil
	}
	p.Value = new(T)
	return json.Unmarshal(text, p.Value)
}

// MarshalJSON implements json.Marshaler.
func (p Personal[T]) MarshalJSON() ([]byte, error) {
	switch {
	case p.Withheld:
		return json.Marshal(withheld{true})
	case p.HMAC != nil:
		return json.Marshal(hidden{p.HMAC})
	}
	return json.Marshal(p.Value)
}
