package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var searchClauses = []clause{
	{"FindsTheBeginningOfAnyWord", func(t testing.TB, s storage.Store) {
		commit(t, s, worded("lic_a", "ada lovelace", "lovelace", "order-1"))
		commit(t, s, worded("lic_b", "love", "order-2"))
		commit(t, s, worded("lic_c"))
		searched(t, s, "lovel", "lic_a")
		searched(t, s, "order-2", "lic_b")
		searched(t, s, "o", "lic_a lic_b")
		searched(t, s, "lovelaces", "")
		searched(t, s, "velace", "")
		searched(t, s, "lic_c", "")
	}},
	{"ComparesByteForByteAndTakesNoWildcards", func(t testing.TB, s storage.Store) {
		for n, word := range []string{"a%b", "a_b", "a*b", "aXb", "äb", "äc", `a\b`, "a'b", "\U0010ffffz"} {
			commit(t, s, worded(fmt.Sprint("lic_", n), word))
		}
		for prefix, want := range map[string]string{
			"a%": "lic_0", "a_": "lic_1", "a*": "lic_2", "aX": "lic_3", "ax": "", "%": "", "_": "", "*": "", "?": "",
			"ä": "lic_4 lic_5", "äb": "lic_4", "a\u0308": "", "Ä": "", `a\`: "lic_6", "a'": "lic_7", "a\x00": "", "\xc3": "",
			"\U0010ffff": "lic_8", "\xff": "",
		} {
			searched(t, s, prefix, want)
		}
	}},
	{"GivesTheWordItselfFirstThenTheRestInTheirOrder", func(t testing.TB, s storage.Store) {
		for n, word := range []string{"adamant", "ada lovelace", "ada", "adb", "ad", "ada-marie", "adaä", "adaz"} {
			commit(t, s, worded(fmt.Sprint("lic_", n), word))
		}
		searched(t, s, "ada", "lic_2 lic_1 lic_5 lic_0 lic_7 lic_6")
	}},
	{"GivesTheNewestOfAWordFirst", func(t testing.TB, s storage.Store) {
		for n := range 9 {
			c := worded(fmt.Sprint("lic_", n), "ada")
			c.Record.Index.Created, c.Record.Index.Product = second(n), fmt.Sprint("prd_", n%3)
			commit(t, s, c)
		}
		searched(t, s, "ad", "lic_8 lic_7 lic_6 lic_5 lic_4 lic_3 lic_2 lic_1 lic_0")
		searchedOf(t, s, "ad", "lic_8 lic_7 lic_5 lic_4 lic_2 lic_1", "prd_1", "prd_2")
	}},
	{"PutsTheWordsOfManyProductsIntoOneOrder", func(t testing.TB, s storage.Store) {
		var want, odd, products []string
		for n := range 120 { // each product has one word before, among and behind the others'
			for i, word := range []string{"a%03d", "b%03d", "c%03d"} {
				c := worded(fmt.Sprintf("lic_%d_%d", i, n), fmt.Sprintf(word, n))
				c.Record.Index.Product = fmt.Sprint("prd_", (n*(7+i))%60)
				commit(t, s, c)
			}
			want = append(want, fmt.Sprint("lic_1_", n))
			if product := (n * 8) % 60; product%8 == 4 {
				odd, products = append(odd, fmt.Sprint("lic_1_", n)), append(products, fmt.Sprint("prd_", product))
			}
		}
		searched(t, s, "b", strings.Join(want[:99], " "))
		searchedOf(t, s, "b", strings.Join(odd, " "), products...)
	}},
	{"GivesARecordOnceByItsFirstWord", func(t testing.TB, s storage.Store) {
		commit(t, s, worded("lic_a", "ab", "ac", "ad", "ax"))
		b := worded("lic_b", "ac", "ad", "aw", "ay")
		b.Record.Index.Created = second(1)
		commit(t, s, b)
		commit(t, s, worded("lic_c", "aa", "az"))
		searched(t, s, "a", "lic_c lic_a lic_b")
		searched(t, s, "ac", "lic_b lic_a")
	}},
	{"GivesRecordsWhole", func(t testing.TB, s storage.Store) {
		c := change(full("lic_a", 0))
		c.Put = []storage.Seat{seat("act_b", second(9)), seat("act_a", second(8))}
		commit(t, s, c)
		must(t, s.AddUsage(t.Context(), []storage.UsageDelta{
			{Record: "lic_a", Day: "2026-11-21", Valid: 3, Last: second(5)},
		}))
		found, err := s.Search(t.Context(), storage.SearchQuery{Kind: storage.License, Prefix: "wort", First: 9})
		must(t, err)
		equal(t, found, []*storage.Stored{get(t, s, "lic_a")})
	}},
	{"NarrowsToProducts", func(t testing.TB, s storage.Store) {
		for n, product := range []string{"prd_a", "prd_b", "prd_c", ""} {
			c := worded(fmt.Sprint("lic_", n), "ada", "byron")
			c.Record.Index.Product, c.Record.Index.Created = product, second(n)
			commit(t, s, c)
		}
		searchedOf(t, s, "ada", "lic_1", "prd_b")
		searchedOf(t, s, "ada", "lic_2 lic_0", "prd_c", "prd_x", "prd_a", "prd_c", "")
		searchedOf(t, s, "ada", "", "prd_x")
		searchedOf(t, s, "ada", "", "")
		searchedOf(t, s, "ada", "")
	}},
	{"GivesOneKindOnly", func(t testing.TB, s storage.Store) {
		for _, kind := range []storage.Kind{storage.Product, storage.License} {
			c := worded("of "+string(kind), "ada")
			c.Record.Kind = kind
			commit(t, s, c)
		}
		for _, kind := range []storage.Kind{storage.Product, storage.License} {
			found, err := s.Search(t.Context(), storage.SearchQuery{Kind: kind, Prefix: "ad", First: 1})
			must(t, err)
			equal(t, ids(found), "of "+string(kind))
		}
	}},
	{"StopsAtItsLimit", func(t testing.TB, s storage.Store) {
		for n := range 5 {
			commit(t, s, worded(fmt.Sprint("lic_", n), fmt.Sprint("ada ", n), fmt.Sprint("ada l", n)))
		}
		for first, want := range map[int]string{1: "lic_0", 3: "lic_0 lic_1 lic_2", 5: "lic_0 lic_1 lic_2 lic_3 lic_4"} {
			found, err := s.Search(t.Context(), storage.SearchQuery{Kind: storage.License, Prefix: "ada", First: first})
			must(t, err)
			equal(t, ids(found), want)
		}
	}},
	{"FollowsEveryChangeOfWordsAndProduct", func(t testing.TB, s storage.Store) {
		r := commit(t, s, worded("lic_a", "ada", "byron", "order-7")).Record
		next := func(words ...string) {
			t.Helper()
			r.Index.Words = words
			r = commit(t, s, change(r)).Record
			equal(t, r.Index.Words, words)
		}
		next("ada", "lovelace", "order-7")
		searched(t, s, "byron", "")
		searched(t, s, "lovelace", "lic_a")
		searched(t, s, "order-7", "lic_a")
		r.Index.ExternalID, r.Index.CustomerEmail = "order-7", "ada" // as the words are
		next("ada", "order-7")
		r.Index.ExternalID, r.Index.CustomerEmail = "", "order-7"
		next("ada", "order-7")
		r.Index.Product = "prd_2"
		next("ada", "order-7")
		searchedOf(t, s, "ada", "", "prd_1")
		searchedOf(t, s, "ada", "lic_a", "prd_2")
		next()
		for _, word := range []string{"ada", "lovelace", "order-7"} {
			searched(t, s, word, "")
		}
	}},
	{"FindsNothingOfAChangeThatWasRefused", func(t testing.TB, s storage.Store) {
		commit(t, s, worded("lic_a", "ada"))
		refused(t, s.Commit(t.Context(), worded("lic_a", "byron")), fault.Conflict)
		stale := worded("lic_a", "byron")
		stale.Record.Version = 7
		refused(t, s.Commit(t.Context(), stale), fault.Conflict)
		searched(t, s, "byron", "")
		searched(t, s, "ada", "lic_a")
	}},
	{"TakesTheMostAndTheLongestWords", func(t testing.TB, s storage.Store) {
		var words []string
		for n := range storage.MaxWords {
			words = append(words, fmt.Sprintf("%02d%s", n, strings.Repeat("ü", storage.MaxWord/2-1)))
		}
		got := commit(t, s, worded("lic_a", words...))
		equal(t, got.Index.Words, words)
		for _, word := range words {
			searched(t, s, word, "lic_a")
		}
	}},
	{"ForgetsWhatIsSwept", func(t testing.TB, s storage.Store) {
		c := deleted("lic_a", 1)
		c.Record.Index.Words, c.Record.Index.ExternalID = []string{"ada", "order-7"}, "order-7"
		commit(t, s, c)
		searched(t, s, "ada", "lic_a")
		sweep(t, s, 6, 9, 1)
		searched(t, s, "ada", "")
		commit(t, s, worded("lic_a", "byron")) // of the old one nothing is left
		searched(t, s, "ada", "")
		searched(t, s, "order-7", "")
	}},
	{"RefusesAPrefixOrANumberThatIsNone", func(t testing.TB, s storage.Store) {
		for _, q := range []storage.SearchQuery{{First: 1}, {First: 1, Prefix: strings.Repeat("x", storage.MaxWord+1)}, {Prefix: "x"}} {
			q.Kind = storage.License
			_, err := s.Search(t.Context(), q)
			refused(t, err, fault.InvalidInput)
			equal(t, fault.All(err)[0].Field, map[bool]string{true: "text", false: "first"}[q.First == 1])
		}
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.Search(ended(t), storage.SearchQuery{Kind: storage.License, Prefix: "x", First: 1})
		refused(t, err, fault.Unavailable)
	}},
}

// worded is a change that makes a license with these words.
func worded(id string, words ...string) storage.Change {
	r := license(id)
	r.Index.Words = words
	return change(r)
}

// searched fails unless the search finds these licenses in this order: in all
// products, or in these.
func searched(t testing.TB, s storage.Store, prefix, want string, products ...string) {
	t.Helper()
	q := storage.SearchQuery{Kind: storage.License, Prefix: prefix, Products: products, First: 99}
	found, err := s.Search(t.Context(), q)
	must(t, err)
	if got := ids(found); got != want {
		t.Fatalf("%q in %q finds %q, want %q", prefix, products, got, want)
	}
}

// searchedOf is searched in these products, which may be none at all.
func searchedOf(t testing.TB, s storage.Store, prefix, want string, products ...string) {
	t.Helper()
	searched(t, s, prefix, want, append([]string{}, products...)...)
}
