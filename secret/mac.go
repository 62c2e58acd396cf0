package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strconv"
	"sync"

	"github.com/keywright/keywright/internal/id"
)

// The labels keep a key that was made elsewhere from having the lookup of one
// of ours: no text with the one begins with the other.
const (
	lookupLabel   = "keywright lookup v1\n"
	importedLabel = "keywright imported key v1\n"
)

// Lookup gives what a key of ours is stored and found under; data is its 26
// characters between prefix and check. Who has the database but not the
// secrets can neither find a key's record nor test a guess.
func (s *Secret) Lookup(data string) [sha256.Size]byte {
	return s.lookup.of(lookupLabel, data)
}

// LookupImported gives what a key that was made elsewhere is stored and found
// under; text is all of it, as it came.
func (s *Secret) LookupImported(text string) [sha256.Size]byte {
	return s.lookup.of(importedLabel, text)
}

// Derive gives the data of the key (26 values of 5 bits) that an operation
// makes under an idempotency key. A retry makes the same one, and so the same
// id; nobody without the secret can foresee it. Record is what the operation
// changes, empty where it creates; position counts within a batch.
func (s *Secret) Derive(operation, product, record, idempotencyKey string, position int) [id.Length]byte {
	sum := s.derive.ofParts(operation, product, record, idempotencyKey, strconv.Itoa(position))
	return id.Values(sum[:])
}

// Digest gives a keyed digest of parts: equal for equal parts and, to who has
// not the secret, no way to test a guess. Which parts make what is the
// caller's to keep apart: two kinds of digest must differ in their number of
// parts, or in one that says which kind it is.
func (s *Secret) Digest(parts ...string) [sha256.Size]byte {
	return s.digest.ofParts(parts...)
}

// mac is HMAC-SHA256 under one key. It keeps states that have hashed the key
// already: half the work of a short message.
type mac struct {
	fresh  func() hash.Hash
	states sync.Pool // of *macState
}

type macState struct {
	hmac   hash.Hash
	buffer [256]byte // lets text be hashed without a copy on the heap
}

func newMAC(key []byte) *mac {
	return &mac{fresh: func() hash.Hash { return hmac.New(sha256.New, key) }}
}

func (m *mac) begin() *macState {
	if state, ok := m.states.Get().(*macState); ok {
		return state
	}
	return &macState{hmac: m.fresh()}
}

// of gives the MAC of the texts, one behind the other.
func (m *mac) of(texts ...string) [sha256.Size]byte {
	state := m.begin()
	for _, text := range texts {
		state.write(text)
	}
	return m.finish(state)
}

// ofParts gives the MAC of the parts, each behind its length in 4 bytes,
// big-endian. So no two lists of parts are the same message.
func (m *mac) ofParts(parts ...string) [sha256.Size]byte {
	state := m.begin()
	for _, part := range parts {
		size := binary.BigEndian.AppendUint32(state.buffer[:0], uint32(len(part)))
		state.hmac.Write(size)
		state.write(part)
	}
	return m.finish(state)
}

func (m *mac) finish(state *macState) (sum [sha256.Size]byte) {
	copy(sum[:], state.hmac.Sum(state.buffer[:0]))
	state.hmac.Reset()
	m.states.Put(state)
	return sum
}

func (s *macState) write(text string) {
	for len(text) > 0 {
		n := copy(s.buffer[:], text)
		s.hmac.Write(s.buffer[:n])
		text = text[n:]
	}
}
