package license

import (
	"crypto/sha256"

	"github.com/keywright/keywright/internal/id"
)

// The prefixes of ids.
const (
	ProductPrefix    = "prod"
	PlanPrefix       = "plan"
	LicensePrefix    = "lic"
	ActivationPrefix = "act"
)

// ProductID gives the id of the product of this code.
func ProductID(code string) string {
	sum := sha256.Sum256([]byte("keywright product v1\n" + code))
	return id.FromHash(ProductPrefix, sum[:])
}

// PlanID gives the id of the plan of this code in the product of this id.
func PlanID(productID, code string) string {
	sum := sha256.Sum256([]byte("keywright plan v1\n" + productID + "\n" + code))
	return id.FromHash(PlanPrefix, sum[:])
}

// LicenseID gives the id that the lookup of a license's first key makes: a
// key finds its license by primary key.
func LicenseID(lookup []byte) string { return id.FromHash(LicensePrefix, lookup) }

// ActivationID gives the id of a seat; mac is the keyed digest of the
// license's id, the kind and the subject (secret.Secret.Digest).
func ActivationID(mac []byte) string { return id.FromHash(ActivationPrefix, mac) }
