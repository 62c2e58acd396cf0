package licensing_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// creator creates a product or a plan of this code under an idempotency key.
type creator func(s *shop, ctx context.Context, code, key string) (id string, err error)

func creators() map[string]creator {
	return map[string]creator{
		"createProduct": func(s *shop, ctx context.Context, code, key string) (string, error) {
			made, err := s.CreateProduct(ctx, licensing.CreateProductInput{Code: code, Name: "New", KeyPrefix: "NEW", IdempotencyKey: &key})
			if err != nil {
				return "", err
			}
			return made.Product.ID, nil
		},
		"createPlan": func(s *shop, ctx context.Context, code, key string) (string, error) {
			in := planOf("acme", code)
			in.IdempotencyKey = &key
			made, err := s.CreatePlan(ctx, in)
			if err != nil {
				return "", err
			}
			return made.Plan.ID, nil
		},
	}
}

func TestARetriedCreationGivesTheFirst(t *testing.T) {
	for name, create := range creators() {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			first := must(create(s, as(ada), "new", "k"))(t)
			before := s.dump(t)
			for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
				s.restart(t, secrets...)
				if again := must(create(s, as(ada), "new", "k"))(t); again != first {
					t.Errorf("a retry gives %s, want %s", again, first)
				}
				_, err := create(s, as(ada), "newer", "k")
				wantClash(t, err, fault.IdempotencyMismatch, first)
				_, err = create(s, as(ben), "new", "k")
				wantClash(t, err, fault.Taken, first)
				_, err = create(s, as(ben), "newer", "k")
				wantClash(t, err, fault.Taken, first)
			}
			s.wantUnchanged(t, before)
		})
	}
}

func TestACodeIsTakenOnce(t *testing.T) {
	for name, create := range creators() {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			first := must(create(s, as(ada), "new", "k"))(t)
			for range 2 {
				_, err := create(s, as(ada), "new", "l")
				wantClash(t, err, fault.Taken, first)
			}
		})
	}
	s := newShop(t)
	_, err := s.CreateProduct(as(ada), licensing.CreateProductInput{Code: "acme", Name: "A", KeyPrefix: "A1"})
	wantClash(t, err, fault.Taken, s.acme.ID)
	_, err = s.CreatePlan(as(ada), planOf("acme", "pro"))
	wantClash(t, err, fault.Taken, s.pro.ID)
}

func TestACreationWithAnotherInputIsAMismatch(t *testing.T) {
	s := newShop(t)
	in := planOf("acme", "new")
	in.IdempotencyKey = ptr("k")
	first := must(s.CreatePlan(as(ada), in))(t)
	for name, change := range map[string]func(*licensing.CreatePlanInput){
		"a name":              func(in *licensing.CreatePlanInput) { in.Name = "Newer" },
		"a flag":              func(in *licensing.CreatePlanInput) { in.RequireProduct = false },
		"no, where it was so": func(in *licensing.CreatePlanInput) { in.RequireFingerprint = ptr(false) },
		"none, where it was":  func(in *licensing.CreatePlanInput) { in.MaxMachines = nil },
		"0, where it was so":  func(in *licensing.CreatePlanInput) { in.MaxDomains = ptr(0) },
		"metadata":            func(in *licensing.CreatePlanInput) { in.Metadata = license.Metadata(`{"a":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			other := in
			change(&other)
			_, err := s.CreatePlan(as(ada), other)
			wantClash(t, err, fault.IdempotencyMismatch, first.Plan.ID)
		})
	}
}

func TestARetriedPlanIsFoundAfterItsProductIsArchived(t *testing.T) {
	s := newShop(t)
	create := creators()["createPlan"]
	first := must(create(s, as(ada), "new", "k"))(t)
	must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Archived: ptr(true)}))(t)
	if again := must(create(s, as(ada), "new", "k"))(t); again != first {
		t.Errorf("a retry gives %s, want %s", again, first)
	}
	_, err := create(s, as(ada), "newer", "l")
	wantClash(t, err, fault.State, s.acme.ID)
}

func TestOneKeyForTwoCodesAtOnceMakesOneRecord(t *testing.T) {
	for name, create := range creators() {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				s := newShop(t)
				ids, errs := make([]string, 4), make([]error, 4)
				var all sync.WaitGroup
				for i := range ids {
					all.Go(func() { ids[i], errs[i] = create(s, as(ada), fmt.Sprintf("new-%d", i%2), "k") })
				}
				all.Wait()
				made := map[string]bool{}
				for i, id := range ids {
					if errs[i] == nil {
						made[id] = true
					}
				}
				if len(made) != 1 {
					t.Fatalf("made %v: %v", made, errs)
				}
				for i, err := range errs {
					if err != nil && !made[idOf(err)] {
						t.Errorf("call %d: %v names %s", i, err, idOf(err))
					}
				}
			}
		})
	}
}

// idOf gives what stands in the way, as a Conflict says.
func idOf(err error) string {
	var e *fault.Error
	errors.As(err, &e)
	return e.ID
}

// updates holds each change of a record, on whatever it is given.
func updates(s *shop, id, key string) map[string]func(context.Context) (int, error) {
	revision := func(v *licensing.LicenseView) int { return v.Revision() }
	return map[string]func(context.Context) (int, error){
		"updateProduct": func(ctx context.Context) (int, error) {
			made, err := s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: "acme", Name: ptr("A"), IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return made.Product.Revision, nil
		},
		"updatePlan": func(ctx context.Context) (int, error) {
			made, err := s.UpdatePlan(ctx, licensing.UpdatePlanInput{Plan: "acme/pro", Name: ptr("A"), IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return made.Plan.Revision, nil
		},
		"updateLicense": func(ctx context.Context) (int, error) {
			made, err := s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, Plan: ptr("acme/pro"), Grace: lasting("P1D"), IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return revision(made.License), nil
		},
		"renewLicense": func(ctx context.Context) (int, error) {
			made, err := s.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return revision(made.License), nil
		},
		"suspendLicense": func(ctx context.Context) (int, error) {
			made, err := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id, IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return revision(made.License), nil
		},
		"revokeLicense": func(ctx context.Context) (int, error) {
			made, err := s.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: id, IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return revision(made.License), nil
		},
		"reinstateLicense": func(ctx context.Context) (int, error) {
			made, err := s.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: id, IdempotencyKey: &key})
			if err != nil {
				return 0, err
			}
			return revision(made.License), nil
		},
	}
}

func TestARetriedChangeGivesTheRecordAsItIsNow(t *testing.T) {
	for name := range updates(nil, "", "") {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			id := s.issue(t, nil).License.ID()
			if name == "reinstateLicense" {
				must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
			}
			update := updates(s, id, "k")[name]
			first := must(update(as(ada)))(t)
			s.now = noon.Add(24*time.Hour - time.Millisecond)
			before := s.dump(t)
			if again := must(update(as(ada)))(t); again != first {
				t.Errorf("revision %d after the retry, %d before", again, first)
			}
			_, err := update(as(ben))
			wantCode(t, err, fault.Conflict)
			s.restart(t, newSecret, oldSecret)
			must(update(as(ada)))(t)
			s.wantUnchanged(t, before)
		})
	}
}

func TestARetriedChangeWithAnotherInputIsAMismatch(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	in := licensing.SuspendLicenseInput{License: id, Reason: ptr("unpaid"), IdempotencyKey: ptr("k")}
	must(s.SuspendLicense(as(ada), in))(t)
	must(s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id}))(t)
	before := s.dump(t)
	if got := must(s.SuspendLicense(as(ada), in))(t); got.License.Status() != license.StatusActive {
		t.Errorf("the retry gives %s, not the license as it is now", got.License.Status())
	}
	in.Reason = nil
	_, err := s.SuspendLicense(as(ada), in)
	wantClash(t, err, fault.IdempotencyMismatch, id)
	_, err = s.SuspendLicense(as(ben), in)
	wantClash(t, err, fault.Taken, id)
	s.wantUnchanged(t, before)
}

func TestAnotherOperationOrRecordUnderTheSameKeyIsAnother(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	all := updates(s, id, "k")
	for _, name := range []string{"updateLicense", "renewLicense", "suspendLicense", "reinstateLicense", "revokeLicense", "updatePlan", "updateProduct"} {
		must(all[name](as(ada)))(t)
	}
	must(updates(s, s.issue(t, nil).License.ID(), "k")["suspendLicense"](as(ada)))(t)
	if got := s.stored(t, id); got.Revision != 6 || got.Index.State != string(license.Revoked) {
		t.Errorf("revision %d, %s", got.Revision, got.Index.State)
	}
}

func TestAStaleRevisionIsNoMatterToARetry(t *testing.T) {
	s := newShop(t)
	in := licensing.SuspendLicenseInput{License: s.issue(t, nil).License.ID(), Revision: ptr(1), IdempotencyKey: ptr("k")}
	must(s.SuspendLicense(as(ada), in))(t)
	must(s.SuspendLicense(as(ada), in))(t)
}

func TestARecordTakes256IdempotencyKeysADay(t *testing.T) {
	s := newShop(t)
	rename := func(key string) error {
		_, err := s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Name: &key, IdempotencyKey: &key})
		return err
	}
	for i := range 256 {
		s.now = noon.Add(time.Duration(i) * time.Second)
		if err := rename(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	s.now = noon.Add(time.Hour)
	before := s.dump(t)
	err := rename("one more")
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.RateLimited || e.RetryAfter != 23*time.Hour {
		t.Errorf("the 257th: %s %+v", fault.CodeOf(err), e)
	}
	if err := rename("0"); err != nil {
		t.Errorf("a retry of the first: %v", err)
	}
	s.wantUnchanged(t, before)
	must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Name: ptr("without")}))(t)

	s.now = noon.Add(24 * time.Hour)
	if err := rename("one more"); err != nil {
		t.Errorf("after a day: %v", err)
	}
	if kept := len(s.stored(t, s.acme.ID).Done); kept != 256 {
		t.Errorf("%d are kept, want 255 of the day and one more", kept)
	}
}

func TestAShownKeyAndAFirstUseKeepWhatIsRemembered(t *testing.T) {
	s := newShop(t)
	id := must(s.IssueLicense(as(ada), under("order 7", nil)))(t).License.ID()
	must(updates(s, id, "k")["suspendLicense"](as(ada)))(t)
	must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	must(s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: id, Reason: "lost"}))(t)
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	if got := s.stored(t, id); len(got.Done) != 1 || got.Revision != 2 || got.Version != 5 {
		t.Errorf("after them: %+v", got.Record)
	}
}

func TestAnIdempotencyKeyHas1To200Characters(t *testing.T) {
	s := newShop(t)
	before := s.dump(t)
	for _, bad := range []string{"", string(make([]byte, 201))} {
		_, err := s.IssueLicense(as(ada), under(bad, nil))
		wantFields(t, err, "idempotencyKey")
		for _, create := range creators() {
			_, err := create(s, as(ada), "new", bad)
			wantFields(t, err, "idempotencyKey")
		}
		for _, update := range updates(s, "lic_0", bad) {
			_, err := update(as(ada))
			wantFields(t, err, "idempotencyKey")
		}
	}
	s.wantUnchanged(t, before)
}
