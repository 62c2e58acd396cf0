package journal_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
)

// uuidOf reads the 128 bits of an event's id back.
func uuidOf(t *testing.T, event string) uuid.UUID {
	t.Helper()
	if !id.Valid(journal.EventPrefix, event) {
		t.Fatalf("%q is no id of an event", event)
	}
	var bits [17]byte // 130 bits: two zeros, the UUID
	for i, digit := range []byte(strings.TrimPrefix(event, journal.EventPrefix+"_")) {
		value := strings.IndexByte(id.Alphabet, digit)
		for b := range 5 {
			if value>>(4-b)&1 == 1 {
				at := 5*i + b + 6
				bits[at/8] |= 1 << (7 - at%8)
			}
		}
	}
	return uuid.UUID(bits[1:])
}

func TestAnIDIsAUUIDv7OfItsTime(t *testing.T) {
	event, err := journal.NewID(noon.Add(123*time.Millisecond), random(0xff))
	if err != nil {
		t.Fatal(err)
	}
	got := uuidOf(t, event)
	if got.Version() != 7 || got.Variant() != uuid.RFC4122 {
		t.Errorf("%s has version %d, variant %s", got, got.Version(), got.Variant())
	}
	if want := "01a1fdfa-467b-7fff-bfff-ffffffffffff"; got.String() != want {
		seconds, nanoseconds := got.Time().UnixTime()
		t.Errorf("got %s (%v), want %s", got, time.Unix(seconds, nanoseconds).UTC(), want)
	}
}

func TestIDsOfLaterTimesSortLater(t *testing.T) {
	last := ""
	for _, after := range []time.Duration{
		-1 << 40, -1, 0, 1, 2, 255, 256, 1 << 15, 1 << 16, 1 << 31, 1 << 32, 1 << 40,
	} {
		for _, fill := range []byte{0x00, 0xff} {
			event, err := journal.NewID(noon.Add(after*time.Millisecond), random(fill))
			if err != nil {
				t.Fatal(err)
			}
			if event <= last {
				t.Errorf("%s at %d ms comes after %s", last, after, event)
			}
			last = event
		}
	}
}

func TestIDsOfOneTimeDifferInAllTheirRandomBits(t *testing.T) {
	seen := map[string]bool{}
	for bit := range 80 {
		source := make([]byte, 10)
		source[bit/8] = 1 << (bit % 8)
		event, err := journal.NewID(noon, bytes.NewReader(source))
		if err != nil {
			t.Fatal(err)
		}
		seen[event] = true
	}
	if want := 74 + 1; len(seen) != want { // the 6 bits of version and variant are fixed
		t.Errorf("%d different ids, want %d", len(seen), want)
	}
}

func TestAnIDNeedsRandomness(t *testing.T) {
	if event, err := journal.NewID(noon, bytes.NewReader(make([]byte, 9))); err == nil {
		t.Errorf("made %s of too little randomness", event)
	}
}
