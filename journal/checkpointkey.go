package journal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// keyName is the name of the key in each note. Which log a note is of stands
// in its origin, so one key may sign for several.
const keyName = "keywright/journal"

// CheckpointKey signs checkpoints. It is safe for concurrent use.
type CheckpointKey struct {
	private  ed25519.PrivateKey
	verifier *Verifier
}

var _ note.Signer = (*CheckpointKey)(nil)

// Verifier tells which notes a CheckpointKey has signed.
type Verifier struct {
	note.Verifier
	text string
}

// NewCheckpointKey makes a key, and gives it as ParseCheckpointKey reads it.
func NewCheckpointKey() (string, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// ParseCheckpointKey reads a private key as openssl genpkey -algorithm ed25519
// writes it: PKCS#8 in PEM. Its errors hold nothing of the text.
func ParseCheckpointKey(text []byte) (*CheckpointKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("it must hold one private key in PEM, PKCS#8 and not encrypted, as openssl genpkey -algorithm ed25519 makes it")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil { // its text may quote the key
		return nil, errors.New("its private key is damaged")
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("its private key is none of Ed25519")
	}
	public, _ := private.Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(keyName, public)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	v, err := ParseVerifier(verifier)
	if err != nil {
		return nil, err
	}
	return &CheckpointKey{private, v}, nil
}

// Verifier gives the key's public half.
func (k *CheckpointKey) Verifier() *Verifier { return k.verifier }

// Name implements note.Signer.
func (k *CheckpointKey) Name() string { return k.verifier.Name() }

// KeyHash implements note.Signer.
func (k *CheckpointKey) KeyHash() uint32 { return k.verifier.KeyHash() }

// Sign implements note.Signer.
func (k *CheckpointKey) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(k.private, message), nil
}

// Note signs a checkpoint.
func (k *CheckpointKey) Note(c Checkpoint) (string, error) {
	text, err := note.Sign(&note.Note{Text: c.text()}, k)
	return string(text), err
}

// ParseVerifier reads what Verifier.String gives.
func ParseVerifier(text string) (*Verifier, error) {
	v, err := note.NewVerifier(text)
	if err != nil || v.Name() != keyName {
		return nil, fmt.Errorf("it must be a verifier key as keywright journal checkpoint --public prints it: %s+, 8 digits, + and base64", keyName)
	}
	return &Verifier{v, text}, nil
}

// String gives the verifier key in text, for verifiers to pin.
func (v *Verifier) String() string { return v.text }
