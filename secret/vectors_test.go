package secret_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/secret"
)

// vectors are what license/key/testdata/key.json holds of secrets. They were
// made by another implementation.
type vectors struct {
	Secret   string
	SecretID string `json:"secret_id"`
	Uses     map[string]string
	Derived  []struct {
		Operation      string
		Product        string
		Record         string
		IdempotencyKey string `json:"idempotency_key"`
		Position       int
		Data           [id.Length]byte
		Key            string
	}
	Keys []struct {
		Prefix    string
		Data      [id.Length]byte
		Lookup    string
		LicenseID string `json:"license_id"`
	}
	Imported []struct{ Text, Lookup string }
	OtherIDs map[string]string `json:"other_ids"`
}

func load(t testing.TB) (vectors, *secret.List) {
	t.Helper()
	text, err := os.ReadFile("../license/key/testdata/key.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Uses) == 0 || len(v.Derived) == 0 || len(v.Keys) == 0 || len(v.Imported) == 0 {
		t.Fatal("a list of the vectors is empty")
	}
	l, err := secret.Parse([]byte(v.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return v, l
}

func TestUsesAndIDAreThoseOfTheVectors(t *testing.T) {
	v, l := load(t)
	if l.First().ID() != v.SecretID {
		t.Errorf("the id is %s, want %s", l.First().ID(), v.SecretID)
	}
	raw, err := hex.DecodeString(v.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range v.Uses {
		if got := hex.EncodeToString(secret.Use(raw, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestLookupsAreThoseOfTheVectors(t *testing.T) {
	v, l := load(t)
	for _, want := range v.Keys {
		k, err := key.New(want.Prefix, want.Data)
		if err != nil {
			t.Fatal(err)
		}
		lookup := l.First().Lookup(k.Data())
		if got := hex.EncodeToString(lookup[:]); got != want.Lookup {
			t.Errorf("the lookup of %s is %s, want %s", k, got, want.Lookup)
		}
		if got := id.FromHash("lic", lookup[:]); got != want.LicenseID {
			t.Errorf("the license of %s is %s, want %s", k, got, want.LicenseID)
		}
	}
	for _, want := range v.Imported {
		lookup := l.First().LookupImported(want.Text)
		if got := hex.EncodeToString(lookup[:]); got != want.Lookup {
			t.Errorf("the lookup of %s is %s, want %s", want.Text, got, want.Lookup)
		}
	}
}

func TestDerivedKeysAreThoseOfTheVectors(t *testing.T) {
	v, l := load(t)
	for _, want := range v.Derived {
		data := l.First().Derive(want.Operation, want.Product, want.Record, want.IdempotencyKey, want.Position)
		if diff := cmp.Diff(want.Data, data); diff != "" {
			t.Errorf("%s at %d: %s", want.Operation, want.Position, diff)
		}
		k, err := key.New("KW", data)
		if err != nil {
			t.Fatal(err)
		}
		if k.String() != want.Key {
			t.Errorf("%s at %d makes %s, want %s", want.Operation, want.Position, k, want.Key)
		}
	}
}

func TestActivationIDIsThatOfTheVectors(t *testing.T) {
	v, l := load(t)
	digest := l.First().Digest(v.Keys[0].LicenseID, "MACHINE", "m-1")
	want := v.OtherIDs["activation MACHINE m-1 of the first key's license"]
	if got := id.FromHash("act", digest[:]); got != want {
		t.Errorf("the activation is %s, want %s", got, want)
	}
}
