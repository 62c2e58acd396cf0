package licensing_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

type batchItems = []licensing.IssueLicenseInput

// batch issues licenses under an idempotency key, or none where it is empty.
func (s *shop) batch(t testing.TB, key string, items ...licensing.IssueLicenseInput) *licensing.IssueLicensesPayload {
	t.Helper()
	in := licensing.IssueLicensesInput{Licenses: items}
	if key != "" {
		in.IdempotencyKey = &key
	}
	got := must(s.IssueLicenses(as(ada), in))(t)
	if len(got.Results) != len(items) || got.Issued+got.Failed != len(items) {
		t.Fatalf("%d results of %d: %d issued, %d failed", len(got.Results), len(items), got.Issued, got.Failed)
	}
	return got
}

func external(text string) licensing.IssueLicenseInput {
	return proLicense(func(in *licensing.IssueLicenseInput) { in.ExternalID = &text })
}

// told sums a result up: the external id of what was issued, or the code and
// the field of the error.
func told(r *licensing.IssueLicenseResult) string {
	if r.Error == nil {
		return r.License.License.ExternalID
	}
	if r.License != nil || r.Key != nil || r.Error.Message == "" {
		return "an error with a license or without a message"
	}
	if r.Error.Field != nil {
		return r.Error.Code + " " + *r.Error.Field
	}
	return r.Error.Code
}

func tellings(p *licensing.IssueLicensesPayload) (all []string) {
	for _, r := range p.Results {
		all = append(all, told(r))
	}
	return all
}

func TestABatchOfAThousandComesBackInItsOrder(t *testing.T) {
	s := newShop(t)
	items := make(batchItems, 1000)
	for i := range items {
		items[i] = external(fmt.Sprint(i))
	}
	n := len(s.entries(t, 0))
	got := s.batch(t, "", items...)
	for i, r := range got.Results {
		if told(r) != fmt.Sprint(i) || s.leadsTo(t, *r.Key) != r.License.ID() {
			t.Fatalf("the result in place %d is %s", i, told(r))
		}
	}
	if entries := s.entries(t, n); got.Issued != 1000 || len(entries) != 1000 || len(s.all(t, storage.License)) != 1000 {
		t.Errorf("%d issued, %d entries", got.Issued, len(entries))
	}
}

func TestABatchHasFromOneToAThousandLicenses(t *testing.T) {
	s := newShop(t)
	before := s.dump(t)
	for _, size := range []int{0, 1001} {
		_, err := s.IssueLicenses(as(ada), licensing.IssueLicensesInput{Licenses: slices.Repeat(batchItems{external("x")}, size)})
		wantFields(t, err, "licenses")
	}
	s.wantUnchanged(t, before)
}

func TestEachOfABatchFailsForItself(t *testing.T) {
	s := newAcmeShop(t)
	taken := s.issue(t, func(in *licensing.IssueLicenseInput) { in.Key = ptr("TAKEN-KEY-MADE-ELSEWHERE") })
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "other/pro", Archived: ptr(true)}))(t)
	licensesBefore := len(s.all(t, storage.License))
	got := s.batch(t, "",
		external("first"),
		proLicense(func(in *licensing.IssueLicenseInput) { in.Customer = &licensing.CustomerInput{Email: ptr("nobody")} }),
		proLicense(func(in *licensing.IssueLicenseInput) { in.Plan = "acme/none" }),
		proLicense(func(in *licensing.IssueLicenseInput) { in.Plan = "other/pro" }),
		proLicense(func(in *licensing.IssueLicenseInput) { in.IdempotencyKey = ptr("") }),
		proLicense(func(in *licensing.IssueLicenseInput) { in.Key = ptr("TAKEN-KEY-MADE-ELSEWHERE") }),
		proLicense(func(in *licensing.IssueLicenseInput) { in.Domains = []string{"a.example", "a/b"} }),
		external("last"),
	)
	want := []string{
		"first", "INVALID_INPUT customer.email", "NOT_FOUND", "CONFLICT", "INVALID_INPUT idempotencyKey", "CONFLICT",
		"INVALID_INPUT domains.1", "last",
	}
	if diff := same(want, tellings(got)); diff != "" || got.Issued != 2 || got.Failed != 6 {
		t.Errorf("%d issued, %d failed: %s", got.Issued, got.Failed, diff)
	}
	if n := len(s.all(t, storage.License)); n != licensesBefore+2 {
		t.Errorf("%d licenses, were %d", n, licensesBefore)
	}
	if s.leadsTo(t, taken.Key) != taken.License.ID() {
		t.Error("the taken key leads elsewhere")
	}
}

func TestABatchIsOfProductsThatTheCallerMayIssue(t *testing.T) {
	s := newAcmeShop(t)
	s.policy.allow([]authz.Action{authz.LicenseIssue}, "acme")
	got := s.batch(t, "", external("mine"), proLicense(func(in *licensing.IssueLicenseInput) { in.Plan = "other/pro" }))
	if diff := same([]string{"mine", "NOT_FOUND"}, tellings(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameImportedKeyTwiceInOneBatchIsIssuedOnce(t *testing.T) {
	for _, key := range []string{"", "k"} {
		for range 20 {
			s := newShop(t)
			items := batchItems{proLicense(brought), external("between"), proLicense(brought)}
			got := tellings(s.batch(t, key, items...))
			slices.Sort(got)
			if diff := same([]string{"", "CONFLICT", "between"}, got); diff != "" {
				t.Fatal(diff)
			}
			if key != "" { // and a retry does not give it twice
				if again := s.batch(t, key, items...); again.Issued != 2 || again.Failed != 1 {
					t.Fatalf("the retry: %q", tellings(again))
				}
			}
			if n := len(s.all(t, storage.License)); n != 2 {
				t.Fatalf("%d licenses", n)
			}
		}
	}
}

func TestTheSameIdempotencyKeyTwiceInOneBatchIsARetry(t *testing.T) {
	s := newShop(t)
	got := s.batch(t, "", under("order 7", nil), under("order 7", nil))
	if got.Issued != 2 || *got.Results[0].Key != *got.Results[1].Key {
		t.Errorf("%q", tellings(got))
	}
	s.wantOneLicense(t, got.Results[0].License.ID())
	other := s.batch(t, "", under("order 8", nil), under("order 8", func(in *licensing.IssueLicenseInput) { in.NeverExpires = true }))
	if got := tellings(other); other.Issued != 1 || !slices.Contains(got, "CONFLICT") {
		t.Errorf("with another input: %q", got)
	}
}

func TestARetriedBatchGivesTheSameLicenses(t *testing.T) {
	s := newShop(t)
	items := batchItems{external("0"), under("order 7", nil), external("2"), proLicense(brought)}
	first := s.batch(t, "k", items...)
	for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
		s.restart(t, secrets...)
		n := len(s.entries(t, 0))
		again := s.batch(t, "k", items...)
		for i, r := range again.Results {
			if r.Error != nil || *r.Key != *first.Results[i].Key {
				t.Errorf("in place %d: %s", i, told(r))
			}
		}
		revealed := s.entries(t, n)
		if len(revealed) != len(items) || slices.ContainsFunc(revealed, func(e journal.Entry) bool { return e.Type != journal.LicenseKeyRevealed }) {
			t.Errorf("showing them again is told as %+v", revealed)
		}
	}
	if n := len(s.all(t, storage.License)); n != len(items) {
		t.Errorf("%d licenses", n)
	}
}

// An item's own key counts at position 0, and else the batch's at its place:
// so a call for one license under either makes the same.
func TestABatchAndASingleIssueShareTheirKeys(t *testing.T) {
	s := newShop(t)
	got := s.batch(t, "k", external("0"), external("1"), under("own", nil))
	for key, c := range map[string]struct {
		in   licensing.IssueLicenseInput
		want *licensing.IssueLicenseResult
	}{"k": {external("0"), got.Results[0]}, "own": {proLicense(nil), got.Results[2]}} {
		c.in.IdempotencyKey = &key
		if one := must(s.IssueLicense(as(ada), c.in))(t); one.Key != *c.want.Key {
			t.Errorf("under %s one alone is another", key)
		}
	}
	moved := s.batch(t, "k", external("1"), external("0"))
	if diff := same([]string{"CONFLICT", "CONFLICT"}, tellings(moved)); diff != "" {
		t.Errorf("in another order: %s", diff)
	}
}

func TestALateRetryOfABatchNeedsToReveal(t *testing.T) {
	s := newShop(t)
	items := batchItems{external("0"), external("1")}
	s.batch(t, "k", items...)
	s.now = noon.Add(24 * time.Hour)
	s.policy.allow([]authz.Action{authz.LicenseIssue}, "acme")
	if diff := same([]string{"DENIED", "DENIED"}, tellings(s.batch(t, "k", items...))); diff != "" {
		t.Error(diff)
	}
}

// What was committed is told though the caller gave up, and nothing more is
// begun.
func TestABatchEndsWithItsCaller(t *testing.T) {
	s := newShop(t)
	ctx, cancel := context.WithCancel(as(ada))
	defer cancel()
	var commits atomic.Int64
	s.store.commit = func(_ context.Context, c storage.Change) error {
		err := s.store.Model.Commit(context.WithoutCancel(ctx), c)
		if commits.Add(1) == 300 {
			cancel()
		}
		return err
	}
	got := must(s.IssueLicenses(ctx, licensing.IssueLicensesInput{Licenses: slices.Repeat(batchItems{external("x")}, 1000)}))(t)
	if stored := len(s.all(t, storage.License)); got.Issued != stored || stored < 300 || stored > 300+256 {
		t.Errorf("%d are told to be issued, %d are stored", got.Issued, stored)
	}
	for i, r := range got.Results {
		if r.Error != nil && r.Error.Code != string(fault.Unavailable) {
			t.Fatalf("in place %d: %s", i, told(r))
		}
	}
}

func TestAPanicFailsOneOfABatchAndIsLogged(t *testing.T) {
	s := newShop(t)
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if c.Record.Index.ExternalID == "bad" {
			panic("index out of range")
		}
		return s.store.Model.Commit(ctx, c)
	}
	got := s.batch(t, "", external("good"), external("bad"), external("too"))
	if diff := same([]string{"good", "INTERNAL", "too"}, tellings(got)); diff != "" {
		t.Error(diff)
	}
	if got.Results[1].Error.Message != "internal error" || !strings.Contains(s.log.text.String(), "index out of range") {
		t.Errorf("%s is told, and the log has %s", got.Results[1].Error.Message, s.log.text.String())
	}
}

// A plan is read once, however many licenses are issued under it.
func TestABatchReadsEachPlanOnce(t *testing.T) {
	s := newAcmeShop(t)
	var reads atomic.Int64
	s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
		reads.Add(1)
		return s.store.Model.Get(ctx, ids...)
	}
	items := slices.Repeat(batchItems{external("x"), proLicense(func(in *licensing.IssueLicenseInput) { in.Plan = "other/pro" })}, 100)
	if got := s.batch(t, "", items...); got.Issued != 200 || reads.Load() != 4 {
		t.Errorf("%d issued with %d reads, want 4: two plans with their products", got.Issued, reads.Load())
	}
}
