package licensing_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

var errBroken = fault.Errorf(fault.Unavailable, "storage is unavailable")

// writes holds one call of each kind of commit: what creates, what changes,
// what shows.
func writes(s *shop, id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"createProduct": func(ctx context.Context) error {
			_, err := s.CreateProduct(ctx, licensing.CreateProductInput{Code: "new", Name: "New", KeyPrefix: "NEW"})
			return err
		},
		"createPlan": func(ctx context.Context) error {
			_, err := s.CreatePlan(ctx, planOf("acme", "new"))
			return err
		},
		"issueLicense": func(ctx context.Context) error {
			_, err := s.IssueLicense(ctx, proLicense(nil))
			return err
		},
		"issueLicenses": func(ctx context.Context) error {
			got, err := s.IssueLicenses(ctx, licensing.IssueLicensesInput{Licenses: []licensing.IssueLicenseInput{proLicense(nil)}})
			if err == nil && got.Failed > 0 {
				err = fault.Errorf(fault.Code(got.Results[0].Error.Code), "%s", got.Results[0].Error.Message)
			}
			return err
		},
		"updateLicense": func(ctx context.Context) error {
			_, err := s.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, ExternalID: ptr("7")})
			return err
		},
		"renewLicense": func(ctx context.Context) error {
			_, err := s.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, Until: ptr(noon.AddDate(9, 0, 0))})
			return err
		},
		"suspendLicense": func(ctx context.Context) error {
			_, err := s.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id})
			return err
		},
		"revealLicenseKey": func(ctx context.Context) error {
			_, err := s.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: id, Reason: "lost"})
			return err
		},
		"eraseCustomer": func(ctx context.Context) error {
			_, err := s.EraseCustomer(ctx, licensing.EraseCustomerInput{License: &id})
			return err
		},
		"noteFirstUse": func(ctx context.Context) error {
			_, err := s.NoteFirstUse(ctx, id, noon)
			return err
		},
	}
}

// eachWrite runs a test for each of writes, on a shop with a license.
func eachWrite(t *testing.T, test func(t *testing.T, s *shop, write func(context.Context) error)) {
	t.Helper()
	for name := range writes(nil, "") {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			test(t, s, writes(s, s.issue(t, ofAda).License.ID())[name])
		})
	}
}

func TestAnAppliedCommitSucceedsThoughStorageSaidOtherwise(t *testing.T) {
	eachWrite(t, func(t *testing.T, s *shop, write func(context.Context) error) {
		n := len(s.entries(t, 0))
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			if err := s.store.Model.Commit(ctx, c); err != nil {
				return err
			}
			return errBroken
		}
		if err := write(as(ada)); err != nil {
			t.Error(err)
		}
		if got := len(s.entries(t, n)); got != 1 {
			t.Errorf("%d entries, want 1", got)
		}
	})
}

func TestACommitThatWasNotAppliedIsUnavailable(t *testing.T) {
	eachWrite(t, func(t *testing.T, s *shop, write func(context.Context) error) {
		before := s.dump(t)
		s.store.commit = func(context.Context, storage.Change) error { return errBroken }
		wantCode(t, write(as(ada)), fault.Unavailable)
		s.wantUnchanged(t, before)
	})
}

func TestWhatStorageRefusesAsMalformedIsNotLookedUp(t *testing.T) {
	eachWrite(t, func(t *testing.T, s *shop, write func(context.Context) error) {
		s.store.commit = func(context.Context, storage.Change) error {
			return fault.Errorf(fault.InvalidInput, "a change needs an attempt")
		}
		wantCode(t, write(as(ada)), fault.InvalidInput)
	})
}

func TestACommitThatNobodyCanTellOfIsUnavailable(t *testing.T) {
	eachWrite(t, func(t *testing.T, s *shop, write func(context.Context) error) {
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			s.store.get = func(context.Context, ...string) ([]*storage.Stored, error) { return nil, errBroken }
			if err := s.store.Model.Commit(ctx, c); err != nil {
				return err
			}
			return errors.New("the connection broke")
		}
		wantCode(t, write(as(ada)), fault.Unavailable)
	})
}

// A caller that goes away must not leave open what became of its commit.
func TestAnOutcomeIsLookedUpThoughTheCallerIsGone(t *testing.T) {
	eachWrite(t, func(t *testing.T, s *shop, write func(context.Context) error) {
		ctx, cancel := context.WithCancel(as(ada))
		defer cancel()
		lookedUp := false
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			if err := s.store.Model.Commit(ctx, c); err != nil {
				return err
			}
			cancel()
			s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
				s.store.get = nil
				_, bounded := ctx.Deadline()
				lookedUp = ctx.Err() == nil && bounded
				return s.store.Model.Get(ctx, ids...)
			}
			return ctx.Err()
		}
		_ = write(ctx) // what is read after the commit fails in this ctx
		if !lookedUp {
			t.Error("the outcome was not looked up")
		}
	})
}

// A record that somebody else has changed in between does not pass for ours.
func TestAnotherCallersCommitDoesNotPassForThis(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	s.store.commit = func(context.Context, storage.Change) error {
		s.store.commit = nil
		must(s.SuspendLicense(as(ben), licensing.SuspendLicenseInput{License: id}))(t)
		return errBroken
	}
	_, err := s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id})
	wantCode(t, err, fault.Unavailable)
}

func TestALostRaceIsReadAndDecidedAgain(t *testing.T) {
	s := newShop(t)
	raced := 0
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if raced++; raced <= 3 { // another comes first
			ours := s.store.commit
			s.store.commit = nil
			must(s.UpdateProduct(as(ben), licensing.UpdateProductInput{Product: "acme", Metadata: license.Metadata(`{"by":"ben"}`)}))(t)
			s.store.commit = ours
			return fault.Errorf(fault.Conflict, "changed meanwhile")
		}
		return s.store.Model.Commit(ctx, c)
	}
	got := must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Name: ptr("Renamed")}))(t).Product
	if got.Name != "Renamed" || string(got.Metadata) != `{"by":"ben"}` || got.Revision != 5 {
		t.Errorf("after all changes: %+v", got)
	}
}

func TestACrowdIsUnavailableInTheEnd(t *testing.T) {
	for _, name := range []string{"suspendLicense", "revealLicenseKey", "noteFirstUse"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				write := writes(s, s.issue(t, nil).License.ID())[name]
				commits := 0
				s.store.commit = func(context.Context, storage.Change) error {
					commits++
					return fault.Errorf(fault.Conflict, "changed meanwhile")
				}
				start := time.Now()
				err := write(as(ada))
				var e *fault.Error
				if !errors.As(err, &e) || e.Code != fault.Unavailable || e.RetryAfter <= 0 {
					t.Errorf("got %s %+v", fault.CodeOf(err), e)
				}
				if took := time.Since(start); commits != 12 || took < time.Second/2 || took > 4*time.Second {
					t.Errorf("gave up after %d commits and %v", commits, took)
				}
			})
		})
	}
}

func TestACallerThatGivesUpIsNotTriedForAnyLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		commits := 0
		s.store.commit = func(context.Context, storage.Change) error {
			commits++
			return fault.Errorf(fault.Conflict, "changed meanwhile")
		}
		ctx, cancel := context.WithTimeout(as(ada), 20*time.Millisecond)
		defer cancel()
		_, err := s.UpdateProduct(ctx, licensing.UpdateProductInput{Product: "acme"})
		wantCode(t, err, fault.Unavailable)
		if commits > 8 {
			t.Errorf("%d commits within 20 ms", commits)
		}
	})
}

func TestOfTwoSuspensionsAtOnceOneWins(t *testing.T) {
	for range 100 {
		s := newShop(t)
		id := s.issue(t, nil).License.ID()
		var all sync.WaitGroup
		errs := make([]error, 2)
		for i, who := range []actor.Actor{ada, ben} {
			all.Go(func() { _, errs[i] = s.SuspendLicense(as(who), licensing.SuspendLicenseInput{License: id}) })
		}
		all.Wait()
		if errs[0] != nil {
			errs[0], errs[1] = errs[1], errs[0]
		}
		if errs[0] != nil {
			t.Fatalf("both lost: %v", errs)
		}
		wantClash(t, errs[1], fault.State, "")
		if got := s.stored(t, id).Revision; got != 2 {
			t.Fatalf("revision %d", got)
		}
	}
}

func TestManyChangesAtOnceAllCount(t *testing.T) {
	s := newShop(t)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Archived: ptr(i%2 == 0)})
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := s.stored(t, s.acme.ID).Revision; got != 9 {
		t.Errorf("revision %d after 8 changes", got)
	}
}

func TestAStaleRevisionIsRefused(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id, Revision: ptr(1)}))(t)
	before := s.dump(t)
	for _, stale := range []int{1, 3, 0, -1} {
		_, err := s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id, Revision: &stale})
		wantClash(t, err, fault.RevisionStale, id)
		_, err = s.RevokeLicense(as(ada), licensing.RevokeLicenseInput{License: id, Revision: &stale})
		wantClash(t, err, fault.RevisionStale, id)
		_, err = s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: id, Revision: &stale})
		wantClash(t, err, fault.RevisionStale, id)
		_, err = s.RenewLicense(as(ada), licensing.RenewLicenseInput{License: id, Revision: &stale})
		wantClash(t, err, fault.RevisionStale, id)
		_, err = s.RotateLicenseKey(as(ada), licensing.RotateLicenseKeyInput{License: id, Revision: &stale})
		wantClash(t, err, fault.RevisionStale, id)
		_, err = s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Revision: ptr(stale - 7)})
		wantClash(t, err, fault.RevisionStale, s.pro.ID)
		_, err = s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Revision: ptr(stale + 5)})
		wantClash(t, err, fault.RevisionStale, s.acme.ID)
	}
	s.wantUnchanged(t, before)
}
