package licensing_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// rotation is the input of a rotation with an overlap of a day.
func rotation(id string) licensing.RotateLicenseKeyInput {
	return licensing.RotateLicenseKeyInput{License: id, Overlap: *lasting("P1D")}
}

// leadsTo gives the license that staff find by a key, empty where none.
func (s *shop) leadsTo(t testing.TB, text string) string {
	t.Helper()
	v, err := s.License(as(ada), nil, &text)
	if fault.Is(err, fault.NotFound) {
		return ""
	}
	return must(v, err)(t).ID()
}

func TestARotationGivesANewKeyAndLeavesTheOldOneForAWhile(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			made := s.issue(t, way)
			id := made.License.ID()
			rotated := must(s.RotateLicenseKey(as(ada), rotation(id)))(t)
			if read := key.Read(rotated.Key, nil); read.Kind != key.Ours || read.Key.Prefix() != "ACME" || rotated.Key == made.Key {
				t.Errorf("the new key is %s", rotated.Key)
			}
			if got := rotated.License; got.KeyHint() != rotated.Key[len(rotated.Key)-5:] || got.ID() != id || got.Revision() != 2 {
				t.Errorf("hint %s, id %s, revision %d", got.KeyHint(), got.ID(), got.Revision())
			}
			s.restart(t, newSecret, oldSecret)
			for _, step := range []struct {
				at        time.Time
				old, next string
			}{{noon, id, id}, {noon.Add(24*time.Hour - 1e6), id, id}, {noon.Add(24 * time.Hour), "", id}} {
				s.now = step.at
				if old, next := s.leadsTo(t, made.Key), s.leadsTo(t, rotated.Key); old != step.old || next != step.next {
					t.Errorf("at %v the old key leads to %q, the new one to %q", step.at, old, next)
				}
			}
			if got := must(s.reveal(id))(t); got.Key != rotated.Key {
				t.Errorf("revealed is %s", got.Key)
			}
		})
	}
}

func TestALicenseIsSearchedByTheHintOfItsCurrentKey(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	rotated := must(s.RotateLicenseKey(as(ada), rotation(made.License.ID())))(t)
	for hint, want := range map[string]int{made.License.KeyHint(): 0, rotated.License.KeyHint(): 1} {
		if found := must(s.SearchLicenses(as(ada), hint, nil))(t); len(found) != want {
			t.Errorf("%s finds %d licenses, want %d", hint, len(found), want)
		}
	}
}

func TestWithoutOverlapTheOldKeyIsNotFoundAtOnce(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	rotated := must(s.RotateLicenseKey(as(ada), licensing.RotateLicenseKeyInput{License: made.License.ID()}))(t)
	if s.leadsTo(t, made.Key) != "" || s.leadsTo(t, rotated.Key) != made.License.ID() {
		t.Error("the old key leads on, or the new one does not")
	}
}

func TestARotatedKeyThatIsNotKeptIsShownOnce(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	s.config.KeepKeys = false
	s.restart(t, oldSecret)
	in := rotation(made.License.ID())
	in.IdempotencyKey = ptr("k")
	rotated := must(s.RotateLicenseKey(as(ada), in))(t)
	if again := must(s.RotateLicenseKey(as(ada), in))(t); again.Key != rotated.Key {
		t.Error("a retry shows another key")
	}
	_, err := s.reveal(made.License.ID())
	wantClash(t, err, fault.State, made.License.ID())
}

func TestARetriedRotationShowsTheSameKey(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	in := rotation(id)
	in.IdempotencyKey, in.Revision = ptr("k"), ptr(1)
	first := must(s.RotateLicenseKey(as(ada), in))(t)
	aliases := len(s.all(t, storage.Alias))
	for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
		s.restart(t, secrets...)
		n := len(s.entries(t, 0))
		if again := must(s.RotateLicenseKey(as(ada), in))(t); again.Key != first.Key || again.License.Revision() != 2 {
			t.Errorf("the retry shows %s, revision %d", again.Key, again.License.Revision())
		}
		if told := s.entries(t, n); len(told) != 1 || told[0].Type != journal.LicenseKeyRevealed || told[0].Actor != ada {
			t.Errorf("a key was shown again, and the journal says %+v", told)
		}
	}
	if got := len(s.all(t, storage.Alias)); got != aliases {
		t.Errorf("%d aliases, were %d", got, aliases)
	}
	_, err := s.RotateLicenseKey(as(ben), in)
	wantClash(t, err, fault.Taken, id)
	in.Overlap = *lasting("P2D")
	_, err = s.RotateLicenseKey(as(ada), in)
	wantClash(t, err, fault.IdempotencyMismatch, id)
}

func TestARotatedKeyIsMadeOfItsIdempotencyKey(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	in := rotation(id)
	in.IdempotencyKey = ptr("k")
	want := must(key.New("ACME", s.config.Secrets.First().Derive("rotateLicenseKey", s.acme.ID, id, "k", 0)))(t)
	if got := must(s.RotateLicenseKey(as(ada), in))(t); got.Key != want.String() {
		t.Errorf("the key is %s, want %s", got.Key, want.String())
	}
}

func TestALateRetryOfARotationNeedsToReveal(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	in := rotation(id)
	in.IdempotencyKey = ptr("k")
	first := must(s.RotateLicenseKey(as(ada), in))(t)
	s.policy.allow([]authz.Action{authz.LicenseRotateKey}, "acme")
	s.now = noon.Add(24*time.Hour - time.Millisecond)
	must(s.RotateLicenseKey(as(ada), in))(t)
	for _, later := range []time.Duration{24 * time.Hour, 1000 * time.Hour} {
		s.now = noon.Add(later)
		before := s.dump(t)
		_, err := s.RotateLicenseKey(as(ada), in)
		wantDenied(t, err, authz.LicenseRevealKey)
		s.wantUnchanged(t, before)
	}
	s.policy.allow([]authz.Action{authz.LicenseRotateKey, authz.LicenseRevealKey}, "acme")
	if again := must(s.RotateLicenseKey(as(ada), in))(t); again.Key != first.Key {
		t.Errorf("shows %s", again.Key)
	}
	_, err := s.RotateLicenseKey(as(ben), in)
	wantClash(t, err, fault.Taken, id)
	in.Overlap = *lasting("P2D")
	_, err = s.RotateLicenseKey(as(ada), in)
	wantClash(t, err, fault.IdempotencyMismatch, id)
}

// Whoever repeats a call is not given a key that works no longer.
func TestARetryShowsNoKeyThatHasEnded(t *testing.T) {
	for _, later := range []time.Duration{0, 25 * time.Hour} {
		s := newShop(t)
		in := under("order 7", nil)
		made := must(s.IssueLicense(as(ada), in))(t)
		id := made.License.ID()
		first := rotation(id)
		first.IdempotencyKey = ptr("k")
		must(s.RotateLicenseKey(as(ada), first))(t)
		if again := must(s.IssueLicense(as(ada), in))(t); again.Key != made.Key {
			t.Errorf("within the overlap a retry shows %s", again.Key)
		}
		must(s.RotateLicenseKey(as(ada), licensing.RotateLicenseKeyInput{License: id}))(t)
		s.now = noon.Add(later)
		before := s.dump(t)
		_, err := s.IssueLicense(as(ada), in)
		wantClash(t, err, fault.State, id)
		_, err = s.RotateLicenseKey(as(ada), first)
		wantClash(t, err, fault.State, id)
		s.wantUnchanged(t, before)
	}
}

// A server that dies between the alias and the license leaves a rotation that
// its retry makes.
func TestARotationThatWasBegunIsMadeByItsRetry(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	in := rotation(made.License.ID())
	in.IdempotencyKey = ptr("k")
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if c.Record.Kind == storage.License {
			return errBroken
		}
		return s.store.Model.Commit(ctx, c)
	}
	_, err := s.RotateLicenseKey(as(ada), in)
	wantCode(t, err, fault.Unavailable)
	s.store.commit = nil
	if s.leadsTo(t, made.Key) != made.License.ID() || len(s.all(t, storage.Alias)) != 1 {
		t.Fatal("the rotation was not begun, or was made")
	}
	s.restart(t, newSecret, oldSecret)
	rotated := must(s.RotateLicenseKey(as(ada), in))(t)
	if s.leadsTo(t, rotated.Key) != made.License.ID() || len(s.all(t, storage.Alias)) != 1 {
		t.Errorf("the retry made %s", rotated.Key)
	}
}

func TestAKeyOfARotationIsTakenForGood(t *testing.T) {
	s := newAcmeShop(t)
	rotated := must(s.RotateLicenseKey(as(ada), rotation(s.id())))(t)
	s.now = noon.AddDate(1, 0, 0)
	must(s.RotateLicenseKey(as(ada), licensing.RotateLicenseKeyInput{License: s.id()}))(t)
	for _, idempotencyKey := range []*string{nil, ptr("order 7")} {
		in := licensing.IssueLicenseInput{Plan: "acme/pro", Key: &rotated.Key, IdempotencyKey: idempotencyKey}
		_, err := s.IssueLicense(as(ada), in)
		wantClash(t, err, fault.Taken, s.id())
	}
	if s.leadsTo(t, rotated.Key) != "" {
		t.Error("a key that has ended leads on")
	}
}

func TestRotationsAtOnceLeaveOneCurrentKey(t *testing.T) {
	for range 30 {
		s := newShop(t)
		made := s.issue(t, nil)
		keys, errs := make([]string, 4), make([]error, 4)
		var all sync.WaitGroup
		for i := range keys {
			in := licensing.RotateLicenseKeyInput{License: made.License.ID()}
			if i >= 2 {
				in.IdempotencyKey = ptr("k")
			}
			all.Go(func() {
				got, err := s.RotateLicenseKey(as(ada), in)
				if errs[i] = err; err == nil {
					keys[i] = got.Key
				}
			})
		}
		all.Wait()
		l := must(licensing.DecodeLicense(s.stored(t, made.License.ID())))(t)
		if len(l.Keys) != 1 || l.Revision != 4 {
			t.Fatalf("%d keys, revision %d: %v", len(l.Keys), l.Revision, errs)
		}
		leading := map[string]bool{}
		for i, text := range keys {
			if errs[i] != nil { // its retry came after a further rotation
				wantClash(t, errs[i], fault.State, l.ID)
			} else if s.leadsTo(t, text) != "" {
				leading[text] = true
			}
		}
		if len(leading) > 1 || s.leadsTo(t, made.Key) != "" {
			t.Fatalf("%d keys lead on: %v", len(leading), errs)
		}
	}
}

func TestAnUnkeptOverlapIsAConflict(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	for range 99 {
		must(s.RotateLicenseKey(as(ada), rotation(id)))(t)
	}
	before := s.dump(t)
	_, err := s.RotateLicenseKey(as(ada), rotation(id))
	wantClash(t, err, fault.State, "")
	s.wantUnchanged(t, before)
	must(s.RotateLicenseKey(as(ada), licensing.RotateLicenseKeyInput{License: id}))(t)
}
