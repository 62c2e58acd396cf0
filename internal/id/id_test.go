package id_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/internal/id"
)

// vectors are what license/key/testdata/key.json holds of ids.
type vectors struct {
	Keys []struct {
		Lookup    string
		LicenseID string `json:"license_id"`
	}
	OtherIDs map[string]string `json:"other_ids"`
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("../../license/key/testdata/key.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Keys) == 0 {
		t.Fatal("the vectors have no keys")
	}
	return v
}

func TestIDsAreThoseOfTheVectors(t *testing.T) {
	v := load(t)
	for _, k := range v.Keys {
		lookup, err := hex.DecodeString(k.Lookup)
		if err != nil {
			t.Fatal(err)
		}
		if got := id.FromHash("lic", lookup); got != k.LicenseID || !id.Valid("lic", got) {
			t.Errorf("%s makes %s, want %s", k.Lookup, got, k.LicenseID)
		}
	}
	const event = "018f2c3e-5b7a-7c1d-8e9f-0123456789ab"
	if got, want := id.FromUUID("evt", uuid.MustParse(event)), v.OtherIDs["event "+event]; got != want {
		t.Errorf("%s makes %s, want %s", event, got, want)
	}
}

func TestNoBitOfThe130IsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.SliceOfN(rapid.Byte(), 17, 32).Draw(t, "hash")
		var bits []byte
		for _, value := range id.Values(hash) {
			for shift := 4; shift >= 0; shift-- {
				bits = append(bits, value>>shift&1)
			}
		}
		for i, bit := range bits {
			if want := hash[i/8] >> (7 - i%8) & 1; bit != want {
				t.Fatalf("bit %d of %x is %d", i, hash, bit)
			}
		}
	})
}

func TestUUIDsKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "one"))
		two := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "two"))
		if slices.Compare(one[:], two[:]) != strings.Compare(id.FromUUID("evt", one), id.FromUUID("evt", two)) {
			t.Fatalf("%x and %x change places", one, two)
		}
	})
}

func TestValidTakesIDsAlone(t *testing.T) {
	const good = "lic_1f5rch22sgbwm4rqtnrp6tr2fy"
	if !id.Valid("lic", good) {
		t.Errorf("%s is refused", good)
	}
	for _, text := range []string{
		"", "lic", "lic_", good[4:], good[:len(good)-1], good + "0", "LIC" + good[3:], "prod" + good[3:],
		"lic-" + good[4:], strings.ToUpper(good), "lic_" + strings.Repeat("u", id.Length), "lic_" + strings.Repeat("é", id.Length/2),
	} {
		if id.Valid("lic", text) {
			t.Errorf("%q is taken", text)
		}
	}
}
