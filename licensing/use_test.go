package licensing_test

import (
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// awaiting issues a license of a year from its first activation.
func (s *shop) awaiting(t testing.TB) string {
	t.Helper()
	in := planOf("acme", "first-use")
	in.ExpiryBasis = license.FromFirstActivation
	must(s.CreatePlan(as(ada), in))(t)
	return s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/first-use" }).License.ID()
}

func TestTheFirstUseStartsTheDurationOnce(t *testing.T) {
	s := newShop(t)
	id := s.awaiting(t)
	n := len(s.entries(t, 0))
	notedAt := make([]time.Time, 32)
	ends := make([]time.Time, 32)
	errs := make([]error, 32)
	var all sync.WaitGroup
	for i := range notedAt {
		all.Go(func() {
			l, err := s.NoteFirstUse(context.Background(), id, noon.Add(time.Duration(i)*time.Minute))
			if errs[i] = err; err == nil {
				notedAt[i], ends[i] = l.ActivatedAt, l.ExpiresAt
			}
		})
	}
	all.Wait()
	first := must(s.License(as(ada), &id, nil))(t)
	for i, err := range errs {
		if err != nil || !notedAt[i].Equal(*first.ActivatedAt()) || !ends[i].Equal(*first.ExpiresAt()) {
			t.Errorf("caller %d: %v until %v, %v", i, notedAt[i], ends[i], err)
		}
	}
	if want := first.ActivatedAt().AddDate(1, 0, 0); !first.ExpiresAt().Equal(want) {
		t.Errorf("ends at %v, want %v", first.ExpiresAt(), want)
	}
	if entries := s.entries(t, n); len(entries) != 1 || entries[0].Type != journal.LicenseActivated || !entries[0].At.Equal(*first.ActivatedAt()) {
		t.Errorf("the journal has %+v", entries)
	}
	if first.Revision() != 1 {
		t.Errorf("revision %d: staff changed nothing", first.Revision())
	}
}

func TestALaterUseChangesNothing(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	before := s.dump(t)
	if l := must(s.NoteFirstUse(context.Background(), id, noon.Add(time.Hour)))(t); !l.ActivatedAt.Equal(noon) {
		t.Errorf("activated at %v", l.ActivatedAt)
	}
	s.wantUnchanged(t, before)
}

func TestTheFirstUseOfWhatIsNotThereIsNotFound(t *testing.T) {
	s := newShop(t)
	for _, id := range []string{"", "lic_0", s.acme.ID} {
		_, err := s.NoteFirstUse(context.Background(), id, noon)
		wantCode(t, err, fault.NotFound)
	}
}

func TestALookupLeadsToItsLicense(t *testing.T) {
	s := newShop(t)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			made := must(s.IssueLicense(as(ada), under("order "+name, way)))(t)
			reading := must(s.ReadKey(context.Background(), made.Key))(t)
			s.restart(t, newSecret, oldSecret)
			lookups := licensing.Lookups(s.config.Secrets, reading)
			if _, err := s.ByLookup(context.Background(), lookups[0]); !fault.Is(err, fault.NotFound) {
				t.Errorf("under the new secret: %v", err)
			}
			got := must(s.ByLookup(context.Background(), lookups[1]))(t)
			if got.ID() != made.License.ID() || got.Plan.Code != "pro" || got.Product.Code != "acme" {
				t.Errorf("leads to %+v", got)
			}
			if !licensing.Counts(got.License, got.Product, reading, lookups[1], noon) {
				t.Error("the key does not count")
			}
			s.restart(t, oldSecret)
		})
	}
}

// The alias of an idempotency key leads to a license, but no key has its
// lookup: only what the license lists counts.
func TestAnAliasLeadsOnAndDoesNotMakeItsKeyCount(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	lookup := sha256.Sum256([]byte("any"))
	record := storage.Record{
		Kind: storage.Alias, ID: license.LicenseID(lookup[:]), Body: []byte(`{"target":"` + made.License.ID() + `"}`),
	}
	if err := s.store.Model.Commit(context.Background(), storage.Change{Record: record, Attempt: "a"}); err != nil {
		t.Fatal(err)
	}
	got := must(s.ByLookup(context.Background(), lookup))(t)
	if got.ID() != made.License.ID() {
		t.Errorf("leads to %s", got.ID())
	}
	reading := must(s.ReadKey(context.Background(), made.Key))(t)
	if licensing.Counts(got.License, got.Product, reading, lookup, noon) {
		t.Error("a key that the license does not list counts")
	}
}

func TestAKeyCountsUnderItsProductsPrefixOnly(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	reading := must(s.ReadKey(context.Background(), made.Key))(t)
	lookup := licensing.Lookups(s.config.Secrets, reading)[0]
	other := *made.License.Product
	other.KeyPrefix = "OTHER"
	if licensing.Counts(made.License.License, &other, reading, lookup, noon) {
		t.Error("the key counts for a product of another prefix")
	}
	ended := *made.License.License
	ended.Keys = []license.Key{{Lookup: lookup[:], EndsAt: noon}}
	if licensing.Counts(&ended, made.License.Product, reading, lookup, noon) {
		t.Error("a key counts at its end")
	}
}

func TestALookupThatLeadsNowhereIsNotFound(t *testing.T) {
	s := newShop(t)
	lookup := sha256.Sum256([]byte("any"))
	_, err := s.ByLookup(context.Background(), lookup)
	wantCode(t, err, fault.NotFound)
	record := storage.Record{Kind: storage.Alias, ID: license.LicenseID(lookup[:]), Body: []byte(`{"target":"lic_never_made"}`)}
	if err := s.store.Model.Commit(context.Background(), storage.Change{Record: record, Attempt: "a"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.ByLookup(context.Background(), lookup)
	wantCode(t, err, fault.NotFound)
}

func TestASubjectsHashIsOfItsLicenseAndKeepsToItsSecret(t *testing.T) {
	s := newShop(t)
	one, two := s.issue(t, nil).License.License, s.issue(t, nil).License.License
	machine, domain := license.Subject{Kind: license.Machine, Text: "a"}, license.Subject{Kind: license.Domain, Text: "a"}
	hash := s.SubjectHash(one, machine)
	seen := map[string]bool{
		hash: true, s.SubjectHash(two, machine): true, s.SubjectHash(one, domain): true,
		s.SubjectHash(one, license.Subject{Kind: license.Machine, Text: "b"}): true,
	}
	if len(seen) != 4 || len(hash) != 32 {
		t.Errorf("4 subjects have %d hashes, such as %s", len(seen), hash)
	}
	s.restart(t, newSecret, oldSecret)
	if got := s.SubjectHash(one, machine); got != hash {
		t.Errorf("under a new secret it is %s, was %s", got, hash)
	}
}
