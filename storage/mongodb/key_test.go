package mongodb_test

import (
	"strings"
	"testing"

	"github.com/keywright/keywright/storage/mongodb"
)

func TestKeysAreNamesThatPathsMayHold(t *testing.T) {
	for text, want := range map[string]string{
		"": "k", "act_1-A": "kact_1-A", "7": "k7", "a.b": "ka%2Eb", "$set": "k%24set", "%": "k%25", "ü": "k%C3%BC", "a\x01 b": "ka%01%20b",
	} {
		if got := mongodb.Key(text); got != want {
			t.Errorf("the key of %q is %q, want %q", text, got, want)
		}
	}
}

func TestWhatNoKeyMadeIsRefused(t *testing.T) {
	for _, name := range []string{"", "a", "K", "k%", "k%4", "k%2e", "k%41", "k.", "k$", "k%GG", "kü"} {
		if text, err := mongodb.Unkey(name); err == nil {
			t.Errorf("%q is taken for the key of %q", name, text)
		}
	}
}

func FuzzKeys(f *testing.F) {
	for _, text := range []string{"", "k", "a.b", "$", "%2E", "\xff\x00", "act_\U0010ffff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := mongodb.Key(text)
		if strings.ContainsAny(name, ".$\x00") || name == "" || name[0] != 'k' {
			t.Errorf("%q is no name of a field", name)
		}
		if back, err := mongodb.Unkey(name); err != nil || back != text {
			t.Errorf("the key %q of %q is that of %q, %v", name, text, back, err)
		}
		if back, err := mongodb.Unkey(text); err == nil && mongodb.Key(back) != text {
			t.Errorf("%q and %q are keys of %q", text, mongodb.Key(back), back)
		}
	})
}

func TestBehindAPrefixComesNothingThatBeginsWithIt(t *testing.T) {
	for prefix, want := range map[string]string{
		"a": "b", "a\U0010ffff": "b", "\U0010ffff": "", "\ud7ff": "\ue000", "az\U0010ffff\U0010ffff": "a{", "ü": "ý",
	} {
		got := mongodb.Behind(prefix)
		if got != want {
			t.Errorf("behind %q is %q, want %q", prefix, got, want)
		}
		if last := prefix + "\U0010ffff\U0010ffff"; got != "" && last >= got {
			t.Errorf("%q comes behind %q", last, got)
		}
	}
}

func TestAFamilyBeyondThoseWithTagsIsLookedForInAWiderOne(t *testing.T) {
	const deep = "a.b.c.d.e.f"
	for _, filter := range []string{deep, "a.*", "a.b.c.d.*", "a.b.c.d.e.*", "a.b.c.d.e.f.*"} {
		name := mongodb.TaggedName(filter)
		found := false
		for _, tagged := range mongodb.NamesOf(deep + ".g") {
			found = found || tagged == name
		}
		if family := strings.HasSuffix(filter, "*"); found != family {
			t.Errorf("%q goes by %q, which a type of the family has: %v", filter, name, found)
		}
	}
}
