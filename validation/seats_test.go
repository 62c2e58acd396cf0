package validation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/validation"
)

// floating is a plan of two floating seats with leases of ten minutes.
func floating(in *licensing.CreatePlanInput) {
	in.MaxMachines, in.LeaseDuration = new(2), lasting("PT10M")
}

func activate(t *testing.T, s *validation.Service, keyText, fingerprint string) *validation.ActivatePayload {
	t.Helper()
	p, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: &fingerprint})
	ok(t, err)
	return p
}

func heartbeat(t *testing.T, s *validation.Service, keyText, fingerprint string) *validation.HeartbeatPayload {
	t.Helper()
	p, err := s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: keyText, Fingerprint: &fingerprint})
	ok(t, err)
	return p
}

func deactivate(t *testing.T, s *validation.Service, keyText, fingerprint string) *validation.DeactivatePayload {
	t.Helper()
	p, err := s.Deactivate(t.Context(), validation.DeactivateInput{Key: keyText, Fingerprint: &fingerprint})
	ok(t, err)
	return p
}

// blocking tells the codes of the reasons that block.
func blocking(v *validation.Validation) string {
	var codes []string
	for _, r := range v.Reasons {
		if r.Blocking {
			codes = append(codes, string(r.Code))
		}
	}
	return strings.Join(codes, " ")
}

func TestActivateAnswersAsValidateDoesAfterIt(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	p, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: new("m-1"), Name: new("Ada's laptop"), Platform: new("linux")})
	ok(t, err)
	after := answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }))
	wantCode(t, p.Validation, license.CodeValid)
	if diff := differ(after, p.Validation); diff != "" {
		t.Errorf("validate differs (-validate +activate): %s", diff)
	}
	want := &validation.HeldSeat{
		ID: p.Activation.ID, Kind: license.Machine, Name: new("Ada's laptop"), Platform: new("linux"),
		CreatedAt: noon, LastSeenAt: noon, LeaseUntil: new(noon.Add(10 * time.Minute)),
	}
	if diff := cmp.Diff(want, p.Activation); diff != "" || !p.Created {
		t.Errorf("created %t: %s", p.Created, diff)
	}
	if !p.Validation.GoodUntil.Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("good until %v, want the end of the lease", p.Validation.GoodUntil)
	}
	if again := activate(t, s, keyText, "m-1"); again.Created || again.Activation.ID != p.Activation.ID || *again.Activation.Name != "Ada's laptop" {
		t.Errorf("again: created %t, %+v", again.Created, again.Activation)
	}
}

func TestARefusedActivationIsData(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	w.clock.advance(time.Minute)
	activate(t, s, keyText, "m-2")
	p := activate(t, s, keyText, "m-3")
	wantCode(t, p.Validation, license.CodeMachineLimitReached)
	if p.Activation != nil || p.Created {
		t.Errorf("m-3 has %+v", p.Activation)
	}
	reason := p.Validation.Reasons[0]
	if !reason.Blocking || reason.Until == nil || !reason.Until.Equal(noon.Add(10*time.Minute)) || *reason.Limit != 2 || *reason.Actual != 2 {
		t.Errorf("the reason is %+v", reason)
	}
	if want := noon.Add(2 * time.Minute); !p.Validation.RefreshAt.Equal(want) {
		t.Errorf("refresh at %v, want %v", p.Validation.RefreshAt, want)
	}
}

func TestASeatThatWasTakenValidates(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	ask := func(fingerprint string) *validation.Validation {
		return answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = &fingerprint }))
	}
	wantCode(t, ask("m-1"), license.CodeNotActivated)
	activate(t, s, keyText, "m-1")
	wantCode(t, ask("m-1"), license.CodeValid)
	if got := deactivate(t, s, keyText, "m-1"); !got.Removed || got.Validation.Code != string(license.CodeNotActivated) {
		t.Errorf("removed %t, %s", got.Removed, got.Validation.Code)
	}
	if got := deactivate(t, s, keyText, "m-1"); got.Removed {
		t.Error("removed again")
	}
	wantCode(t, ask("m-1"), license.CodeNotActivated)
}

func TestUsesOfSeatsAreCounted(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	heartbeat(t, s, keyText, "m-1")
	deactivate(t, s, keyText, "m-1") // ends the use, and is none
	flushed(s)
	if l := w.snapshot(t, keyText).License; l.ValidationCount != 2 || !l.ActivatedAt.Equal(noon) {
		t.Errorf("%d uses, activated at %v", l.ValidationCount, l.ActivatedAt)
	}
}

// flushed has a service write its counts down.
func flushed(s *validation.Service) {
	ctx, end := context.WithCancel(context.Background())
	end()
	s.Run(ctx)
}

func TestAHeartbeatRenewsTheLeaseOnceAThirdIsGone(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	version := w.snapshot(t, keyText).License.Version
	for _, c := range []struct {
		after  time.Duration // since the beat before
		lease  time.Duration // since noon
		seenAt time.Duration
	}{
		{3 * time.Minute, 10 * time.Minute, 0},
		{time.Minute, 14 * time.Minute, 4 * time.Minute},
		{9 * time.Minute, 23 * time.Minute, 13 * time.Minute},
	} {
		w.clock.advance(c.after)
		got := heartbeat(t, s, keyText, "m-1")
		wantCode(t, got.Validation, license.CodeValid)
		end := noon.Add(c.lease)
		if got.LeaseUntil == nil || !got.LeaseUntil.Equal(end) || !got.Validation.GoodUntil.Equal(end) || !got.Validation.Activation.LeaseUntil.Equal(end) {
			t.Errorf("%v on: lease until %v, want %v", c.after, got.LeaseUntil, end)
		}
		l := w.snapshot(t, keyText).License
		if !l.Seats[0].LeaseUntil.Equal(end) || !l.Seats[0].LastSeenAt.Equal(noon.Add(c.seenAt)) || l.Version != version {
			t.Errorf("%v on: stored %+v", c.after, l.Seats[0])
		}
	}
}

func TestAHeartbeatOfALeaseThatRanOutIsNotActivated(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	w.clock.advance(10 * time.Minute)
	got := heartbeat(t, s, keyText, "m-1")
	wantCode(t, got.Validation, license.CodeNotActivated)
	if got.LeaseUntil != nil || got.Validation.Activation != nil {
		t.Errorf("lease until %v", got.LeaseUntil)
	}
}

// The seat is given away between the heartbeat's reading and its writing.
func TestAHeartbeatThatIsDelayedDoesNotGetItsSeatBack(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines, in.LeaseDuration = new(1), lasting("PT10M") })
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	w.clock.advance(9 * time.Minute)
	w.store.touch.set(func() error {
		w.store.touch.clear()
		w.clock.advance(time.Minute)
		if got := activate(t, s, keyText, "m-2"); !got.Created {
			t.Error("m-2 got no seat")
		}
		return nil
	})
	got := heartbeat(t, s, keyText, "m-1")
	wantCode(t, got.Validation, license.CodeMachineLimitReached)
	if got.LeaseUntil != nil {
		t.Errorf("m-1 was told until %v", got.LeaseUntil)
	}
}

func TestAHeartbeatKeepsTheSeatOfALicenseThatIsStopped(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	_, err := w.licensing.SuspendLicense(asStaff(t), licensing.SuspendLicenseInput{License: w.snapshot(t, keyText).License.ID})
	ok(t, err)
	w.clock.advance(5 * time.Minute)
	got := heartbeat(t, s, keyText, "m-1")
	wantCode(t, got.Validation, license.CodeSuspended)
	if got.LeaseUntil == nil || !got.LeaseUntil.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("lease until %v", got.LeaseUntil)
	}
	w.clock.advance(5 * time.Minute)
	wrong, err := s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: keyText, Fingerprint: new("m-1"), Product: new("other")})
	ok(t, err)
	if wrong.LeaseUntil != nil || !w.snapshot(t, keyText).License.Seats[0].LeaseUntil.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("another product's program renewed until %v", wrong.LeaseUntil)
	}
}

func TestAHeartbeatWithoutALeaseWritesNothing(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines = new(1) })
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	w.store.touch.set(func() error { t.Error("a heartbeat wrote"); return nil })
	w.clock.advance(time.Hour)
	if got := heartbeat(t, s, keyText, "m-1"); got.LeaseUntil != nil || !got.Validation.Valid {
		t.Errorf("lease until %v, %s", got.LeaseUntil, got.Validation.Code)
	}
}

// What seems to have run out in memory is read anew.
func TestAHeartbeatAsksStorageBeforeItSaysNo(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	old := w.snapshot(t, keyText)
	w.clock.advance(9 * time.Minute)
	heartbeat(t, s, keyText, "m-1")
	w.clock.advance(2 * time.Minute)
	fresh := w.snapshot(t, keyText)
	asks := 0
	cached := w.from(func(_ context.Context, _ [32]byte, notOlderThan time.Time) (validation.Snapshot, time.Time, error) {
		if asks++; notOlderThan.Before(w.clock.now()) {
			return old, w.clock.now().Add(-time.Second), nil
		}
		return fresh, w.clock.now(), nil
	})
	got := heartbeat(t, cached, keyText, "m-1")
	wantCode(t, got.Validation, license.CodeValid)
	if asks != 2 || !got.LeaseUntil.Equal(noon.Add(19*time.Minute)) {
		t.Errorf("asked %d times, lease until %v", asks, got.LeaseUntil)
	}
}

func TestDeactivateByIdFreesOnesOwnSeatOnly(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	stranger := w.issueMore(t)
	s := w.service(nil)
	seat := activate(t, s, keyText, "m-1").Activation.ID
	for _, c := range []struct {
		key  string
		want bool
	}{{stranger, false}, {keyText, true}, {keyText, false}} {
		got, err := s.Deactivate(t.Context(), validation.DeactivateInput{Key: c.key, Activation: &seat})
		ok(t, err)
		if got.Removed != c.want {
			t.Errorf("removed %t, want %t", got.Removed, c.want)
		}
	}
}

func TestASeatThatIsCheckedOutIsNotFreedByItsHolder(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	seat := activate(t, s, keyText, "m-1").Activation.ID
	found, err := w.store.Get(t.Context(), w.snapshot(t, keyText).License.ID)
	ok(t, err)
	body := strings.TrimSuffix(string(found[0].Seats[0].Body), "}") + `,"offlineUntil":"2026-11-22T12:00:00Z"}`
	ok(t, w.store.Commit(t.Context(), storage.Change{
		Record: found[0].Record, Attempt: "checked out", Put: []storage.Seat{{ID: seat, Seen: noon, Body: []byte(body)}},
	}))
	got := deactivate(t, s, keyText, "m-1")
	if got.Removed || blocking(got.Validation) != string(license.CodeCheckedOut) || got.Validation.GoodUntil != nil {
		t.Errorf("removed %t, %s", got.Removed, blocking(got.Validation))
	}
	if until := got.Validation.Reasons[0].Until; until == nil || !until.Equal(noon.AddDate(0, 0, 1)) {
		t.Errorf("until %v", until)
	}
}

func TestExactlyOneSubjectIsAskedFor(t *testing.T) {
	w := newWorld(t)
	s := w.from(untouched(t))
	a, b := new("m-1"), new("example.com")
	_, err := s.Activate(t.Context(), validation.ActivateInput{Key: "x"})
	wantField(t, err, "fingerprint")
	_, err = s.Activate(t.Context(), validation.ActivateInput{Key: "x", Fingerprint: a, Domain: b})
	wantField(t, err, "fingerprint")
	_, err = s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: "x"})
	wantField(t, err, "fingerprint")
	_, err = s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: "x", Fingerprint: a, Domain: b})
	wantField(t, err, "fingerprint")
	_, err = s.Deactivate(t.Context(), validation.DeactivateInput{Key: "x"})
	wantField(t, err, "fingerprint")
	_, err = s.Deactivate(t.Context(), validation.DeactivateInput{Key: "x", Activation: a, Fingerprint: a})
	wantField(t, err, "fingerprint")
}

func TestSubjectsThatAreNone(t *testing.T) {
	w := newWorld(t)
	s := w.from(untouched(t))
	for _, fingerprint := range []string{"", strings.Repeat("x", 201), "a\x00b", "a\nb", "a\xff"} {
		_, err := s.Activate(t.Context(), validation.ActivateInput{Key: "x", Fingerprint: &fingerprint})
		wantField(t, err, "fingerprint")
	}
	for _, domain := range []string{"", strings.Repeat("a.", 150) + "de", "exa mple.com", "http://example.com", "example.com:port", "..", "*.example.com"} {
		_, err := s.Activate(t.Context(), validation.ActivateInput{Key: "x", Domain: &domain})
		wantField(t, err, "domain")
	}
	_, err := s.Activate(t.Context(), validation.ActivateInput{Key: "x", Fingerprint: new("m"), Name: new(strings.Repeat("x", 201))})
	wantField(t, err, "name")
	_, err = s.Activate(t.Context(), validation.ActivateInput{Key: "x", Fingerprint: new("m"), Platform: new(strings.Repeat("x", 65))})
	wantField(t, err, "platform")
}

func TestADomainHoldsOneSeatInAnySpelling(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxDomains = new(1) })
	s := w.service(nil)
	for i, domain := range []string{"bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "bücher.example:8443", "bücher.example."} {
		p, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Domain: &domain})
		ok(t, err)
		if p.Created != (i == 0) || !p.Validation.Valid {
			t.Errorf("%s: created %t, %s", domain, p.Created, p.Validation.Code)
		}
	}
}

func TestAKeyThatLeadsNowhereIsAnswered(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	broken := keyText[:len(keyText)-1] + map[bool]string{true: "0", false: "1"}[keyText[len(keyText)-1] != '0']
	for text, code := range map[string]license.Code{
		broken: license.CodeKeyMalformed, "a key made elsewhere": license.CodeNotFound,
		underPrefix(t, keyText, "OTHER"): license.CodeNotFound,
	} {
		wantCode(t, activate(t, s, text, "m-1").Validation, code)
		wantCode(t, heartbeat(t, s, text, "m-1").Validation, code)
		wantCode(t, deactivate(t, s, text, "m-1").Validation, code)
	}
}

func TestSeatsThatCannotBeStoredAreUnavailable(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	w.clock.advance(5 * time.Minute)
	down := errors.New("SECRET: disk I/O error")
	w.store.commit.set(func(storage.Change) error { return down })
	w.store.touch.set(func() error { return down })
	_, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: new("m-2")})
	wantUnavailable(t, nil, err)
	_, err = s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: new("m-1")})
	wantUnavailable(t, nil, err)
	_, err = s.Heartbeat(t.Context(), validation.HeartbeatInput{Key: keyText, Fingerprint: new("m-1")})
	wantUnavailable(t, nil, err)
	_, err = s.Deactivate(t.Context(), validation.DeactivateInput{Key: keyText, Fingerprint: new("m-1")})
	wantUnavailable(t, nil, err)
}

func TestExplainSaysWhatValidateWould(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	activate(t, s, keyText, "m-1")
	flushed(s)
	id := w.snapshot(t, keyText).License.ID
	before := w.snapshot(t, keyText).License
	now := answer(t, w.service(nil), asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }))
	got, err := s.Explain(asStaff(t), id, &validation.ExplainInput{Fingerprint: new("m-1")})
	ok(t, err)
	if diff := differ(now, got); diff != "" {
		t.Errorf("(-validate +explain): %s", diff)
	}
	later, err := s.Explain(asStaff(t), id, &validation.ExplainInput{At: new(noon.AddDate(2, 0, 0)), Fingerprint: new("m-1")})
	ok(t, err)
	if diff := cmp.Diff("EXPIRED NOT_ACTIVATED", blocking(later)); diff != "" || !later.At.Equal(noon.AddDate(2, 0, 0)) || !later.AsOf.Equal(noon) {
		t.Errorf("in two years, at %v as of %v: %s", later.At, later.AsOf, diff)
	}
	if _, err = s.Explain(asStaff(t), id, nil); err != nil {
		t.Error(err)
	}
	flushed(s)
	if after := w.snapshot(t, keyText).License; after.ValidationCount != before.ValidationCount {
		t.Error("explaining is counted")
	}
	_, err = s.Explain(asStaff(t), id, &validation.ExplainInput{Domain: new("a b")})
	wantField(t, err, "domain")
	for _, c := range []struct {
		ctx  context.Context
		id   string
		want fault.Code
	}{{t.Context(), id, fault.Unauthenticated}, {asStaff(t), "lic_x", fault.NotFound}} {
		if _, err := s.Explain(c.ctx, c.id, nil); !fault.Is(err, c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// Many at once, over two servers on one store.
func TestRacersNeverHoldASeatTooMany(t *testing.T) {
	for _, seats := range []int{1, 10} {
		w := newWorld(t)
		keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.MaxMachines = &seats })
		a, b := w.service(nil), w.anotherServer().service(nil)
		var mu sync.Mutex
		created := 0
		var all sync.WaitGroup
		for i := range 64 {
			s := a
			if i%2 == 1 {
				s = b
			}
			all.Go(func() {
				// Each machine asks both servers' doors: it is one seat, created once.
				p, err := s.Activate(t.Context(), validation.ActivateInput{Key: keyText, Fingerprint: new(fmt.Sprint("m-", i/2))})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case p.Created:
					created++
				case p.Activation == nil && p.Validation.Code != string(license.CodeMachineLimitReached):
					t.Errorf("refused as %s", p.Validation.Code)
				}
			})
		}
		all.Wait()
		if held := len(w.snapshot(t, keyText).License.Seats); created != seats || held != seats {
			t.Errorf("of %d seats %d were created and %d are held", seats, created, held)
		}
	}
}
