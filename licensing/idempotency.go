package licensing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// What is done to a record under an idempotency key is remembered with the
// record for a day, and none is dropped early: one more is refused.
const (
	rememberFor   = 24 * time.Hour
	maxRemembered = 256
)

// MaxIdempotencyKey bounds an idempotency key, in bytes.
const MaxIdempotencyKey = 200

// checkIdempotencyKey gives the key, empty where none was given.
func checkIdempotencyKey(given *string) (string, error) {
	if given == nil {
		return "", nil
	}
	if *given == "" || len(*given) > MaxIdempotencyKey {
		return "", fault.Invalid("idempotencyKey", "idempotencyKey must have 1 to %d characters", MaxIdempotencyKey)
	}
	return *given, nil
}

// inputDigest tells one input of an operation from another. It is keyed, since
// an input may hold an imported key, and names its secret, since a record may
// outlive the place of that in the list. Zero fields do not count, so an input
// that gains an optional field keeps its digest; a pointer to false is not
// zero.
func inputDigest(s *secret.Secret, operation string, input any) (string, error) {
	given := map[string]any{}
	for field, value := range reflect.ValueOf(input).Fields() {
		if field.Name != "IdempotencyKey" && !value.IsZero() {
			given[field.Name] = value.Interface()
		}
	}
	text, err := json.Marshal(given)
	if err != nil {
		return "", fmt.Errorf("licensing: encoding an input: %w", err)
	}
	mac := s.Digest("input", operation, string(text))
	return s.ID() + "." + base64.RawURLEncoding.EncodeToString(mac[:16]), nil
}

// sameInput reports whether a stored digest is of this input.
func (s *Service) sameInput(stored, operation string, input any) (bool, error) {
	name, _, _ := strings.Cut(stored, ".")
	made := s.secrets.ByID(name)
	if made == nil {
		return false, nil
	}
	digest, err := inputDigest(made, operation, input)
	return hmac.Equal([]byte(digest), []byte(stored)), err
}

// operation is a change that is asked for under an idempotency key; the zero
// one is asked for without.
type operation struct {
	name   string
	key    string
	input  any
	record string
}

// storedKey is how a record remembers an idempotency key.
func storedKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// making is what tells the making of one record from another's: an idempotency
// key, and the place of the record where a call makes several under one. The
// zero making is of a call without a key.
type making struct {
	key      string
	position int
}

// stored is how a record remembers its making.
func (m making) stored() string {
	if m.position == 0 {
		return storedKey(m.key)
	}
	return storedKey(m.key) + "." + strconv.Itoa(m.position)
}

// madeBy tells a record of its making and of the input, since the same input
// under another key is another call. It is empty without a key.
func (s *Service) madeBy(m making, operation string, input any) (string, error) {
	if m.key == "" {
		return "", nil
	}
	digest, err := inputDigest(s.secrets.First(), operation, input)
	return digest + "." + m.stored(), err
}

// madeAgain judges a call that finds what it would make: nil if it repeats the
// call that made it. Errors: Conflict Taken, IdempotencyMismatch, with the id.
func (s *Service) madeAgain(who caller, creator actor.Actor, made string, by making, operation string, input any, id string) error {
	digest, same := strings.CutSuffix(made, "."+by.stored())
	if by.key == "" || !same {
		return fault.Clash(fault.Taken, id, "this exists already")
	}
	same, err := s.sameInput(digest, operation, input)
	if err != nil {
		return err
	}
	return compare(creator == who.Actor, same, id)
}

// wasDone reports whether the operation is among those that were done to its
// record. Errors: Conflict Taken where another actor used its key,
// IdempotencyMismatch where it came with another input.
func (s *Service) wasDone(done []storage.Operation, o operation, who actor.Actor) (bool, error) {
	if o.key == "" {
		return false, nil
	}
	key := storedKey(o.key)
	for _, d := range done {
		if d.Name != o.name || d.Key != key {
			continue
		}
		same, err := s.sameInput(d.Digest, o.name, o.input)
		if err != nil {
			return false, err
		}
		return true, compare(d.Actor == who.String(), same, o.record)
	}
	return false, nil
}

// compare judges a repeated idempotency key; id is what it led to.
func compare(sameActor, sameInput bool, id string) error {
	switch {
	case !sameActor:
		return fault.Clash(fault.Taken, id, "another caller has used this idempotency key")
	case !sameInput:
		return fault.Clash(fault.IdempotencyMismatch, id, "this idempotency key was used with another input")
	}
	return nil
}

// remember adds the operation to those that were done, without those that are
// older than a day. Errors: RateLimited where there are too many.
func (s *Service) remember(done []storage.Operation, o operation, who actor.Actor, now time.Time) ([]storage.Operation, error) {
	kept := slices.DeleteFunc(slices.Clone(done), func(d storage.Operation) bool {
		return !d.At.Add(rememberFor).After(now)
	})
	if o.key == "" {
		return kept, nil
	}
	if len(kept) >= maxRemembered {
		full := fault.Errorf(fault.RateLimited, "%d changes of this record were made under idempotency keys within a day", len(kept))
		full.RetryAfter = kept[0].At.Add(rememberFor).Sub(now)
		return nil, full
	}
	digest, err := inputDigest(s.secrets.First(), o.name, o.input)
	if err != nil {
		return nil, err
	}
	return append(kept, storage.Operation{
		Name: o.name, Key: storedKey(o.key), Actor: who.String(), Digest: digest, At: now,
	}), nil
}
