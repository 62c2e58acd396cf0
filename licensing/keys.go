package licensing

import (
	"fmt"
	"io"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/secret"
)

// keyPurpose is what copies of keys are sealed for.
const keyPurpose = "license key"

// issuedKey is the key that a license is issued with.
type issuedKey struct {
	text     string
	hint     string
	lookup   [32]byte
	imported bool
}

// ourKey is a key of our own shape, under a secret.
func ourKey(under *secret.Secret, k key.Key) issuedKey {
	return issuedKey{text: k.String(), hint: k.Hint(), lookup: under.Lookup(k.Data())}
}

// id is of the license whose first key this is.
func (k issuedKey) id() string { return license.LicenseID(k.lookup[:]) }

func (s *Service) randomKey(prefix string) (issuedKey, error) {
	var data [key.Length]byte
	if _, err := io.ReadFull(s.random, data[:]); err != nil {
		return issuedKey{}, fmt.Errorf("licensing: reading randomness: %w", err)
	}
	for i := range data {
		data[i] &= 31
	}
	k, err := key.New(prefix, data)
	if err != nil {
		return issuedKey{}, err
	}
	return ourKey(s.secrets.First(), k), nil
}

// derivedKey is the key that the idempotency key makes.
func (i issue) derivedKey(under *secret.Secret) (issuedKey, error) {
	data := under.Derive(issueOperation, i.plan.ProductID, "", i.making.key, i.making.position)
	k, err := key.New(i.plan.Product.KeyPrefix, data)
	if err != nil {
		return issuedKey{}, err
	}
	return ourKey(under, k), nil
}

// derivedKey is the key that a rotation makes under its idempotency key.
func (in RotateLicenseKeyInput) derivedKey(under *secret.Secret, product *license.Product) (issuedKey, error) {
	k, err := key.New(product.KeyPrefix, under.Derive(rotateOperation, product.ID, in.License, *in.IdempotencyKey, 0))
	if err != nil {
		return issuedKey{}, err
	}
	return ourKey(under, k), nil
}

// kept is a key as its license keeps it: with a sealed copy, unless keys are
// not to be revealed.
func (s *Service) kept(k issuedKey, licenseID string) (license.Key, error) {
	kept := license.Key{Lookup: k.lookup[:], Hint: k.hint, Imported: k.imported}
	if !s.keepKeys {
		return kept, nil
	}
	var err error
	kept.Sealed, err = s.secrets.First().Seal(s.random, keyPurpose, licenseID, kept.Lookup, []byte(k.text))
	return kept, err
}

// derivedID is the id that the license would have under a key that the
// idempotency key made. Under an imported key it is the alias that remembers
// the idempotency key: one id, so that the two cannot both be made.
func (i issue) derivedID(under *secret.Secret) (string, error) {
	k, err := i.derivedKey(under)
	return k.id(), err
}

// importedKey is a key that the vendor brought along. One of our own shape,
// from another server, is taken under its product's prefix only.
func (i issue) importedKey(under *secret.Secret, r key.Reading) (issuedKey, error) {
	switch r.Kind {
	case key.Ours:
		if prefix := i.plan.Product.KeyPrefix; r.Key.Prefix() != prefix {
			return issuedKey{}, fault.Invalid("key", "keys of this product start with %s", prefix)
		}
		return ourKey(under, r.Key), nil
	case key.Imported:
		return issuedKey{text: r.Text, hint: key.Hint(r.Text), lookup: under.LookupImported(r.Text), imported: true}, nil
	case key.Malformed:
		return issuedKey{}, fault.Invalid("key", "the key looks like one of ours, but is mistyped")
	default:
		return issuedKey{}, fault.Invalid("key", "a key of your own has %d to %d printable characters", key.MinImported, key.MaxImported)
	}
}

// Lookups gives what a key may be stored under: a lookup under each secret.
func Lookups(secrets *secret.List, r key.Reading) [][32]byte {
	all := secrets.All()
	lookups := make([][32]byte, len(all))
	for i, under := range all {
		if r.Kind == key.Ours {
			lookups[i] = under.Lookup(r.Key.Data())
		} else {
			lookups[i] = under.LookupImported(r.Text)
		}
	}
	return lookups
}

// Counts reports whether a key that led to a license is one of it: the
// license lists it, it has not ended, and its prefix is the product's. The
// check characters are under the prefix, but the lookup is not.
func Counts(l *license.License, p *license.Product, r key.Reading, lookup [32]byte, now time.Time) bool {
	return l.HasKey(lookup[:], now) && (r.Kind != key.Ours || r.Key.Prefix() == p.KeyPrefix)
}
