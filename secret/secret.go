// Package secret holds the server's secrets and all that is made with them:
// the lookups by which keys are found, the keys and ids that a retry makes
// again, digests, and sealed values. Nothing of a secret leaves the package
// but what cannot be turned back into it.
//
// Each use has a key of its own, HKDF-SHA256 of the secret under the label
// "keywright <use> v1", so what one use gives out says nothing about another,
// and no output of one can be passed off as another's.
package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Size is the number of bytes of a secret.
const Size = 32

const idSize = 8

// Secret is one 256-bit secret of the server's. It is safe for concurrent
// use, and shows nothing but its id, however it is printed.
//
// Its keys stand in closures. Where a Secret is an unexported field of what is
// printed, fmt asks none of its methods and follows pointers, but not these.
type Secret struct {
	id     [idSize]byte
	name   string // the id in hexadecimal
	lookup *mac
	derive *mac
	digest *mac
	seal   func(info string) []byte // gives the key of one purpose and record
}

// New makes the text of a secret, for a line of its own in the file that
// Parse reads.
func New(random io.Reader) (string, error) {
	var secret [Size]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return hex.EncodeToString(secret[:]), nil
}

func fromBytes(secret []byte) *Secret {
	id, seal := [idSize]byte(use(secret, "id")), use(secret, "seal")
	return &Secret{
		id:     id,
		name:   hex.EncodeToString(id[:]),
		lookup: newMAC(use(secret, "lookup")),
		derive: newMAC(use(secret, "derive")),
		digest: newMAC(use(secret, "digest")),
		seal:   func(info string) []byte { return expand(seal, info) },
	}
}

// use gives the key of one use of a secret. The salt is empty: a secret is
// uniformly random already, and the label is what has to tell uses apart.
func use(secret []byte, name string) []byte {
	return expand(secret, "keywright "+name+" v1")
}

func expand(key []byte, info string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, info, Size)
	if err != nil {
		panic(err) // of a length out of bounds alone, and it is constant
	}
	return out
}

// ID names the secret, in what is stored and in logs. It is a hash of a use of
// its own and tells nothing of the others.
func (s *Secret) ID() string { return s.name }

// String gives the id.
func (s *Secret) String() string { return "secret " + s.name }

// Format writes the id, whatever the verb.
func (s *Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalJSON gives the id.
func (s *Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// LogValue gives the id.
func (s *Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
