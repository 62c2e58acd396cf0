package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/keywright/keywright/storage"
)

// EncodeValues gives the text in which a day's values are kept, empty for none.
func EncodeValues(v storage.Values) (string, error) {
	if len(v) == 0 {
		return "", nil
	}
	encoded, err := json.Marshal(v)
	return string(encoded), err
}

// DecodeValues reads what EncodeValues made.
func DecodeValues(text string) (v storage.Values, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("the counts of a day: %w", err)
	}
	return v, nil
}

// EncodeDone gives the text in which a record's operations are kept, empty for
// none.
func EncodeDone(done []storage.Operation) (string, error) {
	if len(done) == 0 {
		return "", nil
	}
	encoded, err := json.Marshal(done)
	return string(encoded), err
}

// DecodeDone reads what EncodeDone made.
func DecodeDone(text string) (done []storage.Operation, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &done); err != nil {
		return nil, fmt.Errorf("the operations of a record: %w", err)
	}
	return done, nil
}
