package license_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

func TestALicenseIsFoundByWhatItAndItsCustomerAreCalled(t *testing.T) {
	l := &license.License{
		ID: "lic_0abc", ExternalID: "Order-7",
		Customer: license.Customer{Email: "Ada@Example.com", Name: "  ADA  King\u00a0Lovelace", ExternalID: "C-9 ÄÖ"},
		Keys:     []license.Key{{Hint: "OLD00", EndsAt: time.Unix(1, 0)}, {Hint: "XQ3F7"}},
	}
	want := []string{
		"ada king lovelace", "ada@example.com", "c-9 äö", "king lovelace", "lic_0abc", "lovelace", "order-7", "xq3f7",
	}
	if diff := cmp.Diff(want, l.Words()); diff != "" {
		t.Error(diff)
	}
	l.Customer = license.Customer{}
	if diff := cmp.Diff([]string{"lic_0abc", "order-7", "xq3f7"}, l.Words()); diff != "" {
		t.Errorf("without its customer: %s", diff)
	}
}

func TestANameIsFoundAtEachOfItsFirstWords(t *testing.T) {
	for name, want := range map[string][]string{
		"":                        {},
		"Ng":                      {}, // too short to be typed
		"Ng Li":                   {"ng li"},
		"Jo O'Brien & Sons":       {"brien & sons", "jo o'brien & sons", "o'brien & sons", "sons"},
		"(Acme) GmbH":             {"(acme) gmbh", "acme) gmbh", "gmbh"},
		"Müller-Lüdenscheid":      {"lüdenscheid", "müller-lüdenscheid"},
		"Jose\u0301 Mu\u0308ller": {"josé müller", "müller"},
		"李小龙":                     {"李小龙"},
		"ΟΔΥΣΣΕΥΣ":                {"οδυσσευσ"},
		"abc abc":                 {"abc", "abc abc"},
		"aaa bbb ccc ddd eee fff ggg hhh iii": {
			"aaa bbb ccc ddd eee fff ggg hhh iii", "bbb ccc ddd eee fff ggg hhh iii", "ccc ddd eee fff ggg hhh iii",
			"ddd eee fff ggg hhh iii", "eee fff ggg hhh iii", "fff ggg hhh iii", "ggg hhh iii", "hhh iii",
		},
	} {
		l := &license.License{Customer: license.Customer{Name: name}}
		if diff := cmp.Diff(want, append([]string{}, l.Words()...)); diff != "" {
			t.Errorf("%q: %s", name, diff)
		}
	}
}

func TestASearchTakesAnySpellingOfAWord(t *testing.T) {
	for text, want := range map[string]string{
		"ada": "ada", "ADA\t King": "ada king", "\u2003Ada\n": "ada", "Jose\u0301": "josé", "ÄÖÜ": "äöü", "%_*": "%_*", `a\b`: `a\b`,
		"ΟΔΥΣ": "οδυσ", "a\x00b\xffc": "abc", "李小龙": "李小龙", strings.Repeat("X", 320): strings.Repeat("x", 320),
	} {
		got, err := license.SearchText(text)
		if err != nil || got != want {
			t.Errorf("%q is searched as %q, want %q: %v", text, got, want, err)
		}
	}
}

func TestASearchNeedsThreeCharactersAndTakes320(t *testing.T) {
	for _, text := range []string{
		"", "  ", "ab", " ab ", "a b"[:2], "ä\u0308b"[:3], "李小", "a\x00\x01b",
		strings.Repeat("x", 321), strings.Repeat("\U0001d160", 320), // which NFC takes apart, to 12 bytes each
	} {
		_, err := license.SearchText(text)
		if all := fault.All(err); len(all) != 1 || all[0].Code != fault.InvalidInput || all[0].Field != "text" {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// What is searched for and what is found are written alike, whatever it was.
func FuzzSearchText(f *testing.F) {
	for _, text := range []string{"Ada Lovelace", "ΟΔΥΣ", "e\u0301\u0323x", "İstanbul", "\xff\x00abc", "ab\u2003c", "\u1e9eabc", "K\u212aA\u212b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, err := license.SearchText(text)
		if err != nil {
			return
		}
		if again, err := license.SearchText(prefix); err != nil || again != prefix {
			t.Fatalf("%q is searched as %q, and that as %q: %v", text, prefix, again, err)
		}
		for _, l := range []license.License{
			{ExternalID: text}, {Customer: license.Customer{Email: text}}, {Customer: license.Customer{Name: text}},
			{Customer: license.Customer{ExternalID: text}}, {Keys: []license.Key{{Hint: text}}},
		} {
			words := l.Words()
			if !slices.Contains(words, prefix) {
				t.Fatalf("%q is not among %q", prefix, words)
			}
			for _, word := range words {
				if word == "" || len(word) > 1<<10 || !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl) {
					t.Fatalf("%q is a word", word)
				}
			}
			if !slices.IsSorted(words) || len(slices.Compact(words)) != len(words) {
				t.Fatalf("%q are not in order", words)
			}
		}
	})
}
