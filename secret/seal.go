package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/keywright/keywright/fault"
)

const (
	nonceSize = 12
	tagSize   = 16
)

// Seal encrypts plain for a purpose (such as "key") and the record of an id.
// Open gives it back only for the same purpose, record and bound, so whoever
// writes to the database can neither put a sealed value into another record
// nor use it for another purpose; bound is whatever else it must stay with, as
// a key's copy with its lookup.
//
// The nonce may be random: each purpose and record has a key of its own, which
// seals a handful of values in its life, and 96 random bits are safe for 2^32.
//
// Sealed is the secret's id, the nonce, and the ciphertext with its tag.
func (s *Secret) Seal(random io.Reader, purpose, record string, bound, plain []byte) ([]byte, error) {
	sealed := make([]byte, idSize+nonceSize, idSize+nonceSize+len(plain)+tagSize)
	copy(sealed, s.id[:])
	nonce := sealed[idSize:]
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("read a random nonce: %w", err)
	}
	return s.aead(purpose, record).Seal(sealed, nonce, plain, s.sealedFor(purpose, record, bound)), nil
}

// Open gives what was sealed for purpose, record and bound under any secret
// of the list. Its errors are of the code Internal: what is stored was changed,
// or the secret it was sealed under is not in the list.
func (l *List) Open(purpose, record string, bound, sealed []byte) ([]byte, error) {
	if len(sealed) < idSize+nonceSize+tagSize {
		return nil, fault.Errorf(fault.Internal, "a sealed value is cut short")
	}
	under := hex.EncodeToString(sealed[:idSize])
	s := l.ByID(under)
	if s == nil {
		return nil, fault.Errorf(fault.Internal, "a value is sealed under the secret %s, which is not in the list", under)
	}
	nonce, text := sealed[idSize:idSize+nonceSize], sealed[idSize+nonceSize:]
	plain, err := s.aead(purpose, record).Open(nil, nonce, text, s.sealedFor(purpose, record, bound))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a sealed value was changed, or belongs elsewhere")
	}
	return plain, nil
}

func (s *Secret) aead(purpose, record string) cipher.AEAD {
	info := appendPart(appendPart([]byte("keywright sealed value v1\n"), purpose), record)
	block, err := aes.NewCipher(s.seal(string(info)))
	if err != nil {
		panic(err) // of a key's length alone
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // of a block's size alone
	}
	return aead
}

// sealedFor is the associated data. The key depends on purpose, record and
// secret too; here they are bound by the tag as well, so that no reading of
// the one construction has to trust the other.
func (s *Secret) sealedFor(purpose, record string, bound []byte) []byte {
	data := appendPart(nil, purpose)
	data = appendPart(data, record)
	data = appendPart(data, s.id[:])
	return appendPart(data, bound)
}

// appendPart appends a part behind its length, so that no two lists of parts
// have the same bytes.
func appendPart[T string | []byte](to []byte, part T) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(part)))
	return append(to, part...)
}
