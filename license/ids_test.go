package license_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
)

func TestIDsAreThoseOfTheVectors(t *testing.T) {
	raw, err := os.ReadFile("key/testdata/key.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Secret   string            `json:"secret"`
		OtherIDs map[string]string `json:"other_ids"`
		Keys     []struct {
			Lookup    string `json:"lookup"`
			LicenseID string `json:"license_id"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Keys) == 0 {
		t.Fatal("the vectors have no keys")
	}
	secrets, err := secret.Parse([]byte(vectors.Secret))
	if err != nil {
		t.Fatal(err)
	}
	mac := secrets.First().Digest(vectors.Keys[0].LicenseID, string(license.Machine), "m-1")
	acme := license.ProductID("acme")
	got := map[string]string{
		"product acme":                                      acme,
		"plan professional of product acme":                 license.PlanID(acme, "professional"),
		"activation MACHINE m-1 of the first key's license": license.ActivationID(mac[:]),
	}
	for name, id := range got {
		if want := vectors.OtherIDs[name]; want == "" || id != want {
			t.Errorf("%s has the id %s, want %q", name, id, want)
		}
	}
	for _, k := range vectors.Keys {
		lookup, err := hex.DecodeString(k.Lookup)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(k.LicenseID, license.LicenseID(lookup)); diff != "" {
			t.Error(diff)
		}
	}
}
