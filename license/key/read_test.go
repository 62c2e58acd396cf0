package key_test

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/license/key"
)

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestLooseSpellingsAreRead(t *testing.T) {
	v := load(t)
	spellings := v.Accepted
	const first = "KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW"
	for _, text := range []string{
		"KW_BHP5N_40BAQ_PAAQS_PP7FT_4Y5M9_54BHW",
		"\u00a0KW\u2212BHP5N\u2014\u2014 40BAQ\u3000PAAQSPP7FT\t4Y5M9\r\n54BHW-",
		"Kw - b-h-p-5-n 4obaq paaqs pp7ft 4y5m9 54bhw",
	} {
		spellings = append(spellings, struct{ Text, Key string }{text, first})
	}
	for _, s := range spellings {
		got := key.Read(s.Text, nil)
		if got.Kind != key.Ours || got.Key.String() != s.Key {
			t.Errorf("Read(%q) is %s, want %s", s.Text, got.Kind, s.Key)
		}
	}
}

func TestWhatIsNoKeyOfOursIsTakenForWhatItIs(t *testing.T) {
	v := load(t)
	known := v.known()
	for _, r := range v.Refused {
		want := key.Reading{Kind: r.Result}
		if r.Result == key.Imported {
			want.Text = r.Text
		}
		if got := key.Read(r.Text, known); got != want {
			t.Errorf("%s: Read(%q) = %+v, want %+v", r.Why, r.Text, got, want)
		}
	}
	for _, i := range v.Imported {
		if got := key.Read(i.Text, known); got != (key.Reading{Kind: key.Imported, Text: i.Text}) {
			t.Errorf("Read(%q) = %+v", i.Text, got)
		}
	}
}

func TestBoundsOfWhatIsTaken(t *testing.T) {
	known := key.Prefixes{"KW": true}
	tests := []struct {
		name string
		text string
		want key.Kind
	}{
		{"27 letters and digits under a known prefix", "KW-" + strings.Repeat("X", 27), key.Imported},
		{"28", "KW-" + strings.Repeat("X", 28), key.Malformed},
		{"32", "KW-" + strings.Repeat("X", 32), key.Malformed},
		{"33", "KW-" + strings.Repeat("X", 33), key.Imported},
		{"letters of another script", "KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5\u041c9-54\u0412\u041dW", key.Malformed},
		{"a mark that is no separator", "KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW!", key.Malformed},
		{"a prefix of letters that fold into ours", "\u212aW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW", key.Imported},
		{"a prefix of nine", "KWKWKWKWK-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW", key.Imported},
		{"15 characters", strings.Repeat("é", 15), key.Refused},
		{"16 characters", strings.Repeat("é", 16), key.Imported},
		{"200 characters of four bytes", strings.Repeat("𝟙", 200), key.Imported},
		{"201 characters", strings.Repeat("x", 201), key.Refused},
		{"one of our keys in 800 bytes", "KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW" + strings.Repeat(" ", 762), key.Ours},
		{"one of our keys in 801 bytes", "KW-BHP5N-40BAQ-PAAQS-PP7FT-4Y5M9-54BHW" + strings.Repeat(" ", 763), key.Refused},
		{"no UTF-8", "AB12-OLD-KEY-0001\xff", key.Refused},
		{"a line break", "AB12-OLD-KEY-0001\n", key.Refused},
		{"a character that is not seen", "AB12-OLD-KEY-0001\u200b", key.Refused},
	}
	for _, test := range tests {
		if got := key.Read(test.text, known).Kind; got != test.want {
			t.Errorf("%s is %s, want %s", test.name, got, test.want)
		}
	}
}

// New makes no such key, so the check is made here, by the mask alone.
func TestAPrefixHasTwoToEightCharacters(t *testing.T) {
	const body = "BHP5N40BAQPAAQSPP7FT4Y5M954BHW" // of KW
	for prefix, want := range map[string]key.Kind{
		"K":         key.Imported,
		"KX":        key.Ours,
		"LONGPFX9":  key.Ours,
		"LONGPFX10": key.Imported,
	} {
		text := []byte(body)
		change := mask("KW") ^ mask(prefix)
		for i := range 4 {
			at := key.Length + i
			value := uint32(strings.IndexByte(digits, body[at]))
			text[at] = digits[value^change>>(15-5*i)&31]
		}
		if got := key.Read(prefix+"-"+string(text), nil).Kind; got != want {
			t.Errorf("%s-%s is %s, want %s", prefix, text, got, want)
		}
	}
}

func mask(prefix string) uint32 {
	sum := sha256.Sum256([]byte("keywright key v1\n" + prefix))
	return binary.BigEndian.Uint32(sum[:]) >> 12
}

func TestHintIsTheLastFiveCharacters(t *testing.T) {
	got := []string{key.Hint("AB12-OLD-KEY-0001"), key.Hint("schlüßél"), key.Hint("abc"), key.Hint("")}
	if diff := cmp.Diff([]string{"-0001", "lüßél", "abc", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func anyKey(t *rapid.T) key.Key {
	var data [key.Length]byte
	for i := range data {
		data[i] = rapid.ByteMax(31).Draw(t, "value")
	}
	k, err := key.New(rapid.StringMatching(`[A-Z0-9]{2,8}`).Draw(t, "prefix"), data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// places gives the index of each of the thirty characters in text.
func places(k key.Key) []int {
	var at []int
	for i := len(k.Prefix()); i < len(k.String()); i++ {
		if k.String()[i] != '-' {
			at = append(at, i)
		}
	}
	return at
}

func TestOneToFourWrongCharactersNeverParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := anyKey(t)
		text := []byte(k.String())
		wrong := rapid.SliceOfNDistinct(rapid.SampledFrom(places(k)), 1, 4, rapid.ID).Draw(t, "wrong")
		for _, at := range wrong {
			was := strings.IndexByte(digits, text[at])
			text[at] = digits[(was+rapid.IntRange(1, 31).Draw(t, "by"))%32]
		}
		if got := key.Read(string(text), key.Prefixes{k.Prefix(): true}); got.Kind != key.Malformed {
			t.Fatalf("%s of %s is %s", text, k, got.Kind)
		}
	})
}

func TestASwapNeverParses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := anyKey(t)
		text := []byte(k.String())
		at := rapid.SliceOfNDistinct(rapid.SampledFrom(places(k)), 2, 2, rapid.ID).Draw(t, "swapped")
		if text[at[0]] == text[at[1]] {
			t.Skip("the same character")
		}
		text[at[0]], text[at[1]] = text[at[1]], text[at[0]]
		if got := key.Read(string(text), key.Prefixes{k.Prefix(): true}); got.Kind != key.Malformed {
			t.Fatalf("%s of %s is %s", text, k, got.Kind)
		}
	})
}

// The masks of two prefixes are equal with a chance of 1 in 2^20, so the
// prefixes are given here rather than drawn.
func TestAKeyDoesNotParseUnderAnotherPrefix(t *testing.T) {
	prefixes := load(t).Prefixes
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SliceOfNDistinct(rapid.SampledFrom(prefixes), 2, 2, rapid.ID).Draw(t, "prefixes")
		k, err := key.New(pair[0], [key.Length]byte(rapid.SliceOfN(rapid.ByteMax(31), key.Length, key.Length).Draw(t, "data")))
		if err != nil {
			t.Fatal(err)
		}
		moved := pair[1] + strings.TrimPrefix(k.String(), pair[0])
		if got := key.Read(moved, key.Prefixes{pair[1]: true}); got.Kind != key.Malformed {
			t.Fatalf("%s of %s is %s", moved, k, got.Kind)
		}
	})
}

func FuzzRead(f *testing.F) {
	v := load(f)
	for _, k := range v.Keys {
		f.Add(k.Key)
	}
	for _, a := range v.Accepted {
		f.Add(a.Text)
	}
	for _, r := range v.Refused {
		f.Add(r.Text)
	}
	known := v.known()
	f.Fuzz(func(t *testing.T, text string) {
		got := key.Read(text, known)
		switch got.Kind {
		case key.Ours:
			if again := key.Read(got.Key.String(), nil); again != got {
				t.Errorf("%q is %s, which reads as %+v", text, got.Key, again)
			}
		case key.Imported:
			if n := utf8.RuneCountInString(text); got.Text != text || n < key.MinImported || n > key.MaxImported {
				t.Errorf("%q is imported as %q", text, got.Text)
			}
		case key.Malformed, key.Refused:
			if got != (key.Reading{Kind: got.Kind}) {
				t.Errorf("%q is %+v", text, got)
			}
		default:
			t.Errorf("%q is of kind %q", text, got.Kind)
		}
	})
}

func BenchmarkReadOurs(b *testing.B) {
	const text = "ACME-EDQ0P-V1DCB-8GQQR-VXVG1-EFXYS-YWNWC"
	b.ReportAllocs()
	for b.Loop() {
		if key.Read(text, nil).Kind != key.Ours {
			b.Fatal("not read")
		}
	}
}

func BenchmarkReadImported(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if key.Read("550e8400-e29b-41d4-a716-446655440000", nil).Kind != key.Imported {
			b.Fatal("not read")
		}
	}
}
