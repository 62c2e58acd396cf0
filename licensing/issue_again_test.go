package licensing_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// brought makes the input one of a key that was made elsewhere.
func brought(in *licensing.IssueLicenseInput) { in.Key = ptr("A-KEY-MADE-ELSEWHERE") }

// ways are the two ways to issue.
var ways = map[string]func(*licensing.IssueLicenseInput){"generated": nil, "imported": brought}

// wantOneLicense fails unless storage holds exactly this license.
func (s *shop) wantOneLicense(t testing.TB, id string) {
	t.Helper()
	found := s.all(t, storage.License)
	if len(found) != 1 || found[0].ID != id {
		t.Errorf("%d licenses are stored, want %s alone", len(found), id)
	}
}

func TestARetriedIssueGivesTheSameLicenseAndKey(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			first := must(s.IssueLicense(as(ada), under("order 7", way)))(t)
			must(s.SuspendLicense(as(ben), licensing.SuspendLicenseInput{License: first.License.ID()}))(t)
			for range 2 {
				n := len(s.entries(t, 0))
				again := must(s.IssueLicense(as(ada), under("order 7", way)))(t)
				if again.Key != first.Key || again.License.ID() != first.License.ID() {
					t.Errorf("got %s, want %s", again.License.ID(), first.License.ID())
				}
				if got := again.License; got.Revision() != 2 || got.Status() != "SUSPENDED" {
					t.Errorf("revision %d, %s: not the license as it is now", got.Revision(), got.Status())
				}
				entries := s.entries(t, n)
				if len(entries) != 1 || entries[0].Type != journal.LicenseKeyRevealed || entries[0].Subject != first.License.ID() || entries[0].Actor != ada {
					t.Errorf("a key was shown again, and the journal says %+v", entries)
				}
			}
			s.wantOneLicense(t, first.License.ID())
		})
	}
}

func TestAPlanByItsCodesOrItsIDIsTheSameInput(t *testing.T) {
	s := newShop(t)
	first := must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	for _, ref := range []string{s.pro.ID, s.acme.ID + "/pro"} {
		again := must(s.IssueLicense(as(ada), under("order 7", func(in *licensing.IssueLicenseInput) { in.Plan = ref })))(t)
		if again.Key != first.Key {
			t.Errorf("%s made another license", ref)
		}
	}
}

func TestARetryOfAnIssueFindsItWhateverChangedSince(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *shop){
		"the plan is archived": func(t *testing.T, s *shop) {
			must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Archived: ptr(true)}))(t)
		},
		"the product is archived": func(t *testing.T, s *shop) {
			must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "acme", Archived: ptr(true)}))(t)
		},
		"the plan leaves no room for its limit": func(t *testing.T, s *shop) {
			must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", OveragePercent: ptr(100)}))(t)
		},
		"its end has passed": func(_ *testing.T, s *shop) { s.now = noon.Add(23 * time.Hour) },
		"a secret is added": func(t *testing.T, s *shop) {
			s.restart(t, newSecret, oldSecret)
		},
	} {
		for way, imported := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				s := newShop(t)
				in := under("order 7", imported)
				in.MaxMachines, in.ExpiresAt = &licensing.LimitInput{Max: ptr(9000)}, ptr(noon.Add(time.Hour))
				first := must(s.IssueLicense(as(ada), in))(t)
				change(t, s)
				if again := must(s.IssueLicense(as(ada), in))(t); again.Key != first.Key {
					t.Errorf("another key: %s", again.License.ID())
				}
				s.wantOneLicense(t, first.License.ID())
			})
		}
	}
}

func TestAnotherInputUnderTheSameKeyIsAMismatch(t *testing.T) {
	elsewhere := func(in *licensing.IssueLicenseInput) { in.Key = ptr("ANOTHER-KEY-MADE-ELSEWHERE") }
	for name, tt := range map[string]struct {
		first, second func(*licensing.IssueLicenseInput)
	}{
		"another field":            {nil, func(in *licensing.IssueLicenseInput) { in.NeverExpires = true }},
		"a bad field":              {nil, func(in *licensing.IssueLicenseInput) { in.ExternalID = ptr("a\x00b") }},
		"another field, imported":  {brought, func(in *licensing.IssueLicenseInput) { brought(in); in.ExternalID = ptr("7") }},
		"generated, then imported": {nil, brought},
		"imported, then generated": {brought, nil},
		"another imported key":     {brought, elsewhere},
	} {
		for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
			s := newShop(t)
			first := must(s.IssueLicense(as(ada), under("order 7", tt.first)))(t)
			s.restart(t, secrets...)
			before := s.dump(t)
			_, err := s.IssueLicense(as(ada), under("order 7", tt.second))
			t.Run(name, func(t *testing.T) { wantClash(t, err, fault.IdempotencyMismatch, first.License.ID()) })
			s.wantUnchanged(t, before)
		}
	}
}

func TestAnotherCallerUnderTheSameKeyIsTold(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			first := must(s.IssueLicense(as(ada), under("order 7", way)))(t)
			before := s.dump(t)
			for _, input := range ways {
				_, err := s.IssueLicense(as(ben), under("order 7", input))
				wantClash(t, err, fault.Taken, first.License.ID())
			}
			s.wantUnchanged(t, before)
		})
	}
}

func TestAnIdempotencyKeyIsOfItsProduct(t *testing.T) {
	s := newShop(t)
	s.product(t, "other", "OTHER")
	s.plan(t, "other", "pro")
	first := must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	second := must(s.IssueLicense(as(ben), under("order 7", func(in *licensing.IssueLicenseInput) { in.Plan = "other/pro" })))(t)
	if first.Key == second.Key || first.License.ID() == second.License.ID() {
		t.Error("two products share a license")
	}
}

func TestARetryAfterADayNeedsTheRightToReveal(t *testing.T) {
	s := newShop(t)
	issue := []authz.Action{authz.LicenseIssue}
	s.policy.allow(issue, "acme")
	first := must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	s.now = noon.Add(24*time.Hour - time.Millisecond)
	must(s.IssueLicense(as(ada), under("order 7", nil)))(t)

	s.now = noon.Add(24 * time.Hour)
	before := s.dump(t)
	_, err := s.IssueLicense(as(ada), under("order 7", nil))
	wantDenied(t, err, authz.LicenseRevealKey)
	s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
		if action == authz.LicenseRevealKey {
			return authz.Products("other")
		}
		return authz.Products("acme")
	}
	_, err = s.IssueLicense(as(ada), under("order 7", nil))
	wantDenied(t, err, authz.LicenseRevealKey)
	s.wantUnchanged(t, before)

	s.policy.allow(append(issue, authz.LicenseRevealKey), "acme")
	if again := must(s.IssueLicense(as(ada), under("order 7", nil)))(t); again.Key != first.Key {
		t.Error("another key")
	}
}

func TestARetryAfterACrashBetweenCommitAndAnswer(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			down := fault.Errorf(fault.Unavailable, "storage is unavailable")
			s.store.commit = func(ctx context.Context, c storage.Change) error {
				if err := s.store.Model.Commit(ctx, c); err != nil || c.Record.Kind != storage.License {
					return err
				}
				s.store.get = func(context.Context, ...string) ([]*storage.Stored, error) { return nil, down }
				return down
			}
			_, err := s.IssueLicense(as(ada), under("order 7", way))
			wantCode(t, err, fault.Unavailable)
			stored := s.all(t, storage.License)
			s.store.commit, s.store.get = nil, nil
			s.restart(t, oldSecret)
			again := must(s.IssueLicense(as(ada), under("order 7", way)))(t)
			s.wantOneLicense(t, again.License.ID())
			if len(stored) != 1 || stored[0].ID != again.License.ID() {
				t.Errorf("the first call made %v", stored)
			}
			revealed := must(s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: again.License.ID(), Reason: "r"}))(t)
			if revealed.Key != again.Key {
				t.Error("the retry shows another key than the license has")
			}
		})
	}
}

func TestARetryAfterACrashBeforeAnyOfItsCommits(t *testing.T) {
	s := newShop(t)
	for fails := range 2 { // the alias of the idempotency key, then the license
		commits := 0
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			if commits++; commits > fails {
				return fault.Errorf(fault.Unavailable, "storage is unavailable")
			}
			return s.store.Model.Commit(ctx, c)
		}
		_, err := s.IssueLicense(as(ada), under("order 7", brought))
		wantCode(t, err, fault.Unavailable)
		if n := len(s.all(t, storage.License)); n != 0 {
			t.Errorf("%d licenses are stored", n)
		}
	}
	s.store.commit = nil
	made := must(s.IssueLicense(as(ada), under("order 7", brought)))(t)
	s.wantOneLicense(t, made.License.ID())
}

func TestAnImportedKeyIsTakenOnce(t *testing.T) {
	ours := newShop(t).issue(t, nil).Key // of another server
	for name, key := range map[string]string{"foreign": "A-KEY-MADE-ELSEWHERE", "ours": ours} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			bring := func(in *licensing.IssueLicenseInput) { in.Key = &key }
			first := must(s.IssueLicense(as(ada), under("order 6", bring)))(t)
			if first.Key != key {
				t.Errorf("the key %s became %s", key, first.Key)
			}
			for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
				s.restart(t, secrets...)
				_, err := s.IssueLicense(as(ada), proLicense(bring))
				wantClash(t, err, fault.Taken, first.License.ID())
				_, err = s.IssueLicense(as(ada), under("order 7", bring))
				wantClash(t, err, fault.Taken, first.License.ID())
			}
			s.wantOneLicense(t, first.License.ID())
		})
	}
}

func TestOneKeyUsedInBothWaysAtOnceMakesOneLicense(t *testing.T) {
	for round := range 200 {
		s := newShop(t)
		inputs := []licensing.IssueLicenseInput{
			under("order 7", nil), under("order 7", brought), under("order 7", nil), under("order 7", brought),
		}
		if round%2 == 1 {
			slices.Reverse(inputs)
		}
		made := make([]*licensing.IssueLicensePayload, len(inputs))
		errs := make([]error, len(inputs))
		var all sync.WaitGroup
		for i, in := range inputs {
			all.Go(func() { made[i], errs[i] = s.IssueLicense(as(ada), in) })
		}
		all.Wait()
		var first *licensing.IssueLicensePayload
		for i, m := range made {
			switch {
			case m == nil:
				wantCode(t, errs[i], fault.Conflict)
			case first == nil:
				first = m
			case m.Key != first.Key:
				t.Fatalf("round %d: two keys", round)
			}
		}
		if first == nil {
			t.Fatalf("round %d: no license: %v", round, errs)
		}
		s.wantOneLicense(t, first.License.ID())
		for i, m := range made {
			if m == nil {
				wantClash(t, errs[i], fault.IdempotencyMismatch, first.License.ID())
			}
		}
	}
}

func TestABadImportLeavesTheIdempotencyKeyAlone(t *testing.T) {
	s := newShop(t)
	taken := s.issue(t, brought)
	before := s.dump(t)
	_, err := s.IssueLicense(as(ada), under("order 7", brought))
	wantClash(t, err, fault.Taken, taken.License.ID())
	s.wantUnchanged(t, before)
	_, err = s.IssueLicense(as(ada), under("order 7", func(in *licensing.IssueLicenseInput) {
		in.Key, in.ExternalID = ptr("ANOTHER-KEY-MADE-ELSEWHERE"), ptr("a\x00b")
	}))
	wantFields(t, err, "externalId")
	s.wantUnchanged(t, before)
	must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
}
