package licensing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

func (s *shop) reveal(id string) (*licensing.RevealLicenseKeyPayload, error) {
	return s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: id, Reason: "lost"})
}

// rewrite changes what is stored of a license behind the program's back.
func (s *shop) rewrite(t testing.TB, id string, change func(*license.License)) {
	t.Helper()
	l := must(licensing.DecodeLicense(s.stored(t, id)))(t)
	change(l)
	record := must(licensing.EncodeLicense(l))(t)
	if err := s.store.Model.Commit(context.Background(), storage.Change{Record: record, Attempt: "tampered"}); err != nil {
		t.Fatal(err)
	}
}

func TestTheKeyThatWasIssuedIsRevealed(t *testing.T) {
	s := newShop(t)
	for name, way := range map[string]func(*licensing.IssueLicenseInput){
		"generated":  nil,
		"derived":    func(in *licensing.IssueLicenseInput) { in.IdempotencyKey = ptr("order 7") },
		"imported":   brought,
		"not ASCII":  func(in *licensing.IssueLicenseInput) { in.Key = ptr("schlüssel-für-größe") },
		"its spaces": func(in *licensing.IssueLicenseInput) { in.Key = ptr(" a key with a space behind ") },
		"ours, from elsewhere": func(in *licensing.IssueLicenseInput) {
			other := newShop(t)
			other.plan(t, "acme", "basic") // so that its randomness is not in step with ours
			in.Key = &other.issue(t, nil).Key
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.restart(t, oldSecret)
			made := s.issue(t, way)
			for _, secrets := range [][]string{{oldSecret}, {newSecret, oldSecret}} {
				s.restart(t, secrets...)
				if got := must(s.reveal(made.License.ID()))(t); got.Key != made.Key {
					t.Errorf("revealed %q, want %q", got.Key, made.Key)
				}
			}
		})
	}
}

func TestEachRevealingIsInTheJournalWithItsReason(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil)
	before := len(s.entries(t, 0))
	for range 2 {
		must(s.reveal(made.License.ID()))(t)
	}
	told := s.entries(t, before)
	if len(told) != 2 {
		t.Fatalf("two revealings made %d entries", len(told))
	}
	for _, e := range told {
		if e.Type != journal.LicenseKeyRevealed || len(changesOf(e)["revealReason"].To) == 0 {
			t.Errorf("a revealing is told as %+v", e)
		}
	}
}

func TestAKeyOfARevokedLicenseIsRevealed(t *testing.T) {
	s := newAcmeShop(t)
	if got := must(s.reveal(s.revoked.License.ID()))(t); got.Key != s.revoked.Key {
		t.Errorf("revealed %s", got.Key)
	}
}

func TestWhatWasSealedForAnotherLicenseIsNotShown(t *testing.T) {
	s := newShop(t)
	mine, theirs := s.issue(t, nil), s.issue(t, brought)
	source := must(licensing.DecodeLicense(s.stored(t, theirs.License.ID())))(t).Keys[0]
	own := must(licensing.DecodeLicense(s.stored(t, mine.License.ID())))(t).Keys[0]
	first := s.config.Secrets.First()
	seal := func(record string, bound []byte, text string) []byte {
		return must(first.Seal(s.config.Random, "license key", record, bound, []byte(text)))(t)
	}
	for name, change := range map[string]func(*license.Key){
		"the copy":            func(k *license.Key) { k.Sealed = source.Sealed },
		"the copy, as theirs": func(k *license.Key) { k.Sealed, k.Imported = source.Sealed, true },
		"copy and lookup":     func(k *license.Key) { k.Sealed, k.Lookup = source.Sealed, source.Lookup },
		"all of the key":      func(k *license.Key) { *k = source },
		"one bit less": func(k *license.Key) {
			k.Sealed = append([]byte(nil), own.Sealed...)
			k.Sealed[len(k.Sealed)-1] ^= 1
		},
		"another nonce": func(k *license.Key) {
			k.Sealed = append([]byte(nil), own.Sealed...)
			k.Sealed[8] ^= 1
		},
		"cut short":         func(k *license.Key) { k.Sealed = own.Sealed[:20] },
		"an unknown secret": func(k *license.Key) { k.Sealed = append(make([]byte, 8), own.Sealed[8:]...) },
		"another lookup":    func(k *license.Key) { k.Lookup = source.Lookup },
		"a key of ours taken for one of theirs": func(k *license.Key) {
			k.Imported = true
		},
		"well sealed, with another key": func(k *license.Key) {
			k.Sealed = seal(mine.License.ID(), own.Lookup, theirs.Key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.rewrite(t, mine.License.ID(), func(l *license.License) { l.Keys[0] = own; change(&l.Keys[0]) })
			before := s.dump(t)
			got, err := s.reveal(mine.License.ID())
			wantCode(t, err, fault.Internal)
			if got != nil {
				t.Errorf("shows %+v", got)
			}
			s.wantUnchanged(t, before)
		})
	}
	s.rewrite(t, mine.License.ID(), func(l *license.License) { l.Keys[0] = own })
	if got := must(s.reveal(mine.License.ID()))(t); got.Key != mine.Key {
		t.Errorf("as it was, %s is shown", got.Key)
	}
}

func TestAKeyThatWasNotKeptIsNotRevealed(t *testing.T) {
	s := newShop(t)
	s.config.KeepKeys = false
	s.restart(t, oldSecret)
	made := must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	s.config.KeepKeys = true
	s.restart(t, oldSecret)
	before := s.dump(t)
	_, err := s.reveal(made.License.ID())
	wantClash(t, err, fault.State, made.License.ID())
	s.wantUnchanged(t, before)
	if again := must(s.IssueLicense(as(ada), under("order 7", nil)))(t); again.Key != made.Key {
		t.Error("a retry shows another key")
	}
}

func TestNoKeyIsShownBeforeItsEntryIsCommitted(t *testing.T) {
	s := newShop(t)
	made := must(s.IssueLicense(as(ada), under("order 7", nil)))(t)
	for name, show := range map[string]func() (string, error){
		"reveal": func() (string, error) {
			got, err := s.reveal(made.License.ID())
			return shown(t, got), err
		},
		"retry": func() (string, error) {
			got, err := s.IssueLicense(as(ada), under("order 7", nil))
			return shown(t, got), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.store.commit = func(context.Context, storage.Change) error { return errBroken }
			text, err := show()
			wantCode(t, err, fault.Unavailable)
			if text != "null" {
				t.Errorf("shows %s", text)
			}
			s.store.commit = nil
			if _, err := show(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whoever reads the database finds no key in it.
func TestNoKeyIsStoredInTheClear(t *testing.T) {
	s := newShop(t)
	var keys []string
	for name, way := range ways {
		keys = append(keys, must(s.IssueLicense(as(ada), under("order "+name, way)))(t).Key)
	}
	for _, r := range s.dump(t).Records {
		text := shown(t, r.Record) + string(r.Body)
		for _, key := range keys {
			for _, form := range forms(key) {
				if strings.Contains(text, form) {
					t.Errorf("%s is stored in %s", form, text)
				}
			}
		}
	}
}
