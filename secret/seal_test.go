package secret_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/secret"
)

const (
	purpose = "key"
	record  = "lic_1f5rch22sgbwm4rqtnrp6tr2fy"
)

var (
	bound = []byte("lookup")
	plain = []byte("KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW")
)

func TestSealedIsOpenedUnderAnySecretOfTheList(t *testing.T) {
	old, added := strings.Repeat("5a", 32), strings.Repeat("a5", 32)
	sealed := sealWith(t, parse(t, old).First())
	for _, text := range []string{old, added + "\n" + old} {
		got, err := parse(t, text).Open(purpose, record, bound, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Open = %q, %v", got, err)
		}
	}
	refuse(t, "another secret", parse(t, added), purpose, record, bound, sealed)
}

func TestSealingTwiceGivesTwoTexts(t *testing.T) {
	s := parse(t, strings.Repeat("5a", 32)).First()
	source := random()
	one, err := s.Seal(source, purpose, record, bound, plain)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Seal(source, purpose, record, bound, plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("the same nonce twice")
	}
	if sealed, err := s.Seal(iotest.ErrReader(errors.New("no entropy")), purpose, record, bound, plain); err == nil {
		t.Errorf("sealed without a nonce: %x", sealed)
	}
}

func TestWhatWasChangedDoesNotOpen(t *testing.T) {
	l := parse(t, strings.Repeat("5a", 32))
	sealed := sealWith(t, l.First())
	for bit := range 8 * len(sealed) {
		changed := bytes.Clone(sealed)
		changed[bit/8] ^= 1 << (bit % 8)
		refuse(t, "a changed bit", l, purpose, record, bound, changed)
	}
	for size := range sealed {
		refuse(t, "a part", l, purpose, record, bound, sealed[:size])
	}
	refuse(t, "a longer text", l, purpose, record, bound, append(bytes.Clone(sealed), 0))
}

func TestWhatWasMovedDoesNotOpen(t *testing.T) {
	l := parse(t, strings.Repeat("5a", 32))
	sealed := sealWith(t, l.First())
	refuse(t, "another purpose", l, "session", record, bound, sealed)
	refuse(t, "another record", l, purpose, "lic_nh1pbqgrs8hryq74f10eaj9fxz", bound, sealed)
	refuse(t, "another bound", l, purpose, record, []byte("lookuq"), sealed)
	refuse(t, "no bound", l, purpose, record, nil, sealed)
	refuse(t, "a character moved from record to purpose", l, purpose+record[:1], record[1:], bound, sealed)
	refuse(t, "a character moved from record to bound", l, purpose, record[:len(record)-1], append([]byte("y"), bound...), sealed)

	two := parse(t, strings.Repeat("5a", 32)+"\n"+strings.Repeat("a5", 32))
	other := sealWith(t, two.All()[1])
	copy(sealed[:8], other[:8])
	refuse(t, "the id of another secret of the list", two, purpose, record, bound, sealed)
}

func TestAnEmptyTextIsSealedToo(t *testing.T) {
	l := parse(t, strings.Repeat("5a", 32))
	sealed, err := l.First().Seal(random(), purpose, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.Open(purpose, "", nil, sealed); err != nil || len(got) != 0 {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func sealWith(t *testing.T, s *secret.Secret) []byte {
	t.Helper()
	sealed, err := s.Seal(random(), purpose, record, bound, plain)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func refuse(t *testing.T, what string, l *secret.List, purpose, record string, bound, sealed []byte) {
	t.Helper()
	got, err := l.Open(purpose, record, bound, sealed)
	if got != nil || !fault.Is(err, fault.Internal) {
		t.Errorf("%s: Open = %q, %v", what, got, err)
	}
}

func BenchmarkSeal(b *testing.B) {
	s := parse(b, strings.Repeat("5a", 32)).First()
	source := random()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Seal(source, purpose, record, bound, plain); err != nil {
			b.Fatal(err)
		}
	}
}
