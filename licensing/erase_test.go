package licensing_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

var ofAdasMail = licensing.EraseCustomerInput{Email: ptr("ADA@example.com")}

// erased fails unless the call erases so many licenses.
func (s *shop) erased(t testing.TB, in licensing.EraseCustomerInput, want int) {
	t.Helper()
	if got := must(s.EraseCustomer(as(ben), in))(t).Licenses; got != want {
		t.Errorf("%d licenses are erased, want %d", got, want)
	}
}

// adas issues licenses of ada's: one of acme, and one of another product.
func (s *shop) adas(t testing.TB) (acme, other string) {
	t.Helper()
	s.product(t, "other", "OTHER")
	s.plan(t, "other", "pro")
	acme = s.issue(t, func(in *licensing.IssueLicenseInput) { ofAda(in); in.ExternalID = ptr("order-7") }).License.ID()
	other = s.issue(t, func(in *licensing.IssueLicenseInput) { ofAda(in); in.Plan = "other/pro" }).License.ID()
	return acme, other
}

func TestACustomerIsErasedFromEachLicenseAndTheRestStays(t *testing.T) {
	for name, in := range map[string]licensing.EraseCustomerInput{
		"by address": ofAdasMail, "by external id": {ExternalID: ptr("C-9")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			acme, other := s.adas(t)
			bens := s.issue(t, func(in *licensing.IssueLicenseInput) {
				in.Customer = &licensing.CustomerInput{Email: ptr("ben@example.com")}
			})
			before := must(s.License(as(ada), &acme, nil))(t)
			n := len(s.entries(t, 0))
			s.now = s.now.Add(time.Minute)
			s.erased(t, in, 2)
			after := must(s.License(as(ada), &acme, nil))(t)
			ignored := cmpopts.IgnoreFields(*after.License, "Customer", "Version", "Revision", "UpdatedAt")
			if diff := same(before.License, after.License, ignored); diff != "" || after.Customer() != nil || after.Revision() != 2 {
				t.Errorf("revision %d, customer %v; %s", after.Revision(), after.Customer(), diff)
			}
			if must(s.License(as(ada), &other, nil))(t).Customer() != nil {
				t.Error("the license of the other product has its customer still")
			}
			if id := bens.License.ID(); must(s.License(as(ada), &id, nil))(t).Customer() == nil {
				t.Error("another customer is erased")
			}
			for _, e := range s.entries(t, n) {
				if e.Type != journal.LicenseErased || e.Actor != ben || len(changesOf(e)) != 3 || changesOf(e)["customer.name"].To != nil {
					t.Errorf("an entry says %+v", e)
				}
				s.wantTrue(t, e)
			}
			again := s.dump(t)
			s.erased(t, in, 0)
			s.wantUnchanged(t, again)
		})
	}
}

func TestACustomerIsErasedFromOneLicenseAlone(t *testing.T) {
	s := newShop(t)
	acme, other := s.adas(t)
	s.erased(t, licensing.EraseCustomerInput{License: &acme}, 1)
	s.erased(t, licensing.EraseCustomerInput{License: &acme}, 0)
	if must(s.License(as(ada), &other, nil))(t).Customer() == nil {
		t.Error("the other license is erased as well")
	}
	s.erased(t, ofAdasMail, 1)
}

func TestWhoMayNotEraseOnOneProductErasesNothing(t *testing.T) {
	s := newShop(t)
	acme, other := s.adas(t)
	s.policy.allow([]authz.Action{authz.CustomerErase, authz.LicenseRead}, "acme")
	before := s.dump(t)
	for _, in := range []licensing.EraseCustomerInput{ofAdasMail, {ExternalID: ptr("C-9")}} {
		_, err := s.EraseCustomer(as(ben), in)
		wantDenied(t, err, authz.CustomerErase)
	}
	_, err := s.EraseCustomer(as(ben), licensing.EraseCustomerInput{License: &other})
	wantCode(t, err, fault.NotFound)
	s.wantUnchanged(t, before)
	s.erased(t, licensing.EraseCustomerInput{License: &acme}, 1)
}

func TestACustomerToEraseIsNamedInOneWay(t *testing.T) {
	s := newShop(t)
	acme, _ := s.adas(t)
	before := s.dump(t)
	for field, ins := range map[string][]licensing.EraseCustomerInput{
		"email": {
			{}, {Email: ptr("")}, {Email: ptr("ada@example.com"), License: &acme},
			{Email: ptr("ada@example.com"), ExternalID: ptr("C-9"), License: &acme}, {ExternalID: ptr("C-9"), License: &acme},
		},
		"externalId": {{ExternalID: ptr("")}},
	} {
		for _, in := range ins {
			_, err := s.EraseCustomer(as(ben), in)
			wantFields(t, err, field)
		}
	}
	_, err := s.EraseCustomer(as(ben), licensing.EraseCustomerInput{License: ptr("lic_none")})
	wantCode(t, err, fault.NotFound)
	_, err = s.EraseCustomer(as(ben), licensing.EraseCustomerInput{License: &s.acme.ID})
	wantCode(t, err, fault.NotFound)
	s.erased(t, licensing.EraseCustomerInput{Email: ptr("nobody@example.com")}, 0)
	s.wantUnchanged(t, before)
}

func TestACustomerOfManyPagesIsErasedAndAFailureIsMadeGoodByARetry(t *testing.T) {
	const licenses = 450
	s := newShop(t)
	for range licenses {
		s.issue(t, ofAda)
	}
	commits := 0
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if commits++; commits > 250 {
			return errBroken
		}
		return s.store.Model.Commit(ctx, c)
	}
	_, err := s.EraseCustomer(as(ben), ofAdasMail)
	wantCode(t, err, fault.Unavailable)
	s.store.commit = nil
	s.erased(t, ofAdasMail, licenses-250)
	if left := s.found(t, "ada", nil); len(left) != 0 {
		t.Errorf("%d licenses are left", len(left))
	}
}

func TestWhatIsIssuedMeanwhileIsErasedToo(t *testing.T) {
	s := newShop(t)
	s.issue(t, ofAda)
	left := 3
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		ours := s.store.commit
		s.store.commit = nil
		if left--; left > 0 {
			s.issue(t, ofAda)
		}
		s.store.commit = ours
		return s.store.Model.Commit(ctx, c)
	}
	s.erased(t, ofAdasMail, 3)

	s.store.commit = nil
	s.issue(t, ofAda)
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		ours := s.store.commit
		s.store.commit = nil
		s.issue(t, ofAda) // for ever
		s.store.commit = ours
		return s.store.Model.Commit(ctx, c)
	}
	_, err := s.EraseCustomer(as(ben), ofAdasMail)
	wantCode(t, err, fault.Unavailable)
}

// Between looking for a customer's licenses and erasing one it may have been
// given to somebody else.
func TestALicenseThatIsAnothersByNowIsLeftAlone(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, ofAda).License.ID()
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		s.store.commit = nil
		given := s.stored(t, id).Record
		given.Index.CustomerEmail = "ben@example.com"
		if err := s.store.Model.Commit(ctx, storage.Change{Record: given, Attempt: "another"}); err != nil {
			t.Error(err)
		}
		return s.store.Model.Commit(ctx, c)
	}
	s.erased(t, ofAdasMail, 0)
	if must(s.License(as(ada), &id, nil))(t).Customer() == nil {
		t.Error("the new customer is erased")
	}
}
