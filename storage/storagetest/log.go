package storagetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var appendClauses = []clause{
	{"IsReadBackAsItWas", func(t testing.TB, s storage.Store) {
		first := storage.Block{First: 0, At: second(1), Head: []byte("\x00{\xff"), Entries: odd()}
		second := storage.Block{First: 4, At: second(1).Add(1e6), Head: []byte(strings.Repeat("h", storage.MaxHead)), Entries: []storage.Entry{entry("e")}}
		appended(t, s, first)
		appended(t, s, second)
		logIs(t, s, first, second)
	}},
	{"TakesTheLargestBlocks", func(t testing.TB, s storage.Store) {
		many, large := block(0, storage.MaxBlock), block(storage.MaxBlock, 30)
		for i := range many.Entries {
			many.Entries[i].Body = []byte(strings.Repeat(many.Entries[i].ID, 100))
		}
		for i := range large.Entries {
			large.Entries[i].Body = []byte(strings.Repeat(string(rune('a'+i)), storage.MaxEntry))
		}
		appended(t, s, many)
		appended(t, s, large)
		logIs(t, s, many, large)
		for index := int64(0); index < large.Next(); index += 29 { // by itself, too
			b := many
			if index >= large.First {
				b = large
			}
			after := index - 1
			page := entries(t, s, storage.EntryQuery{First: 1, After: &after})
			verbatim(t, page.Entries, []storage.Logged{{Index: index, At: b.At, Entry: b.Entries[index-b.First]}})
		}
	}},
	{"TakesAsManyBytesAsABlockMayHave", func(t testing.TB, s storage.Store) {
		b := block(0, storage.MaxBytes/storage.MaxEntry)
		b.Head = noise("head")[:storage.MaxHead]
		for i := range b.Entries {
			b.Entries[i].Body = noise(b.Entries[i].ID)
		}
		appended(t, s, b)
		logIs(t, s, b)
		b.First, b.Entries = b.Next(), append(b.Entries, entry("more"))
		refused(t, s.AppendBlock(t.Context(), b), fault.InvalidInput)
	}},
	{"RefusesAPlaceThatIsTakenAndLeavesNothingBehind", func(t testing.TB, s storage.Store) {
		was := []storage.Block{block(0, 3), block(3, 100), block(103, 1)}
		for _, b := range was {
			appended(t, s, b)
		}
		for _, first := range []int64{0, 3, 103} {
			for _, size := range []int{1, 3, 100, storage.MaxBlock} {
				late := block(first, size)
				late.At, late.Head = second(999), []byte("late")
				for i := range late.Entries {
					late.Entries[i] = storage.Entry{ID: fmt.Sprint("late ", i), Type: "late.type", Actor: "late", Product: "late", Subjects: []string{"late"}, Body: []byte("late")}
				}
				refused(t, s.AppendBlock(t.Context(), late), fault.Conflict)
			}
		}
		logIs(t, s, was...)
		for _, f := range []storage.EntryFilter{
			{Types: []string{"late.*"}}, {Products: []string{"late"}}, {Actor: "late"}, {Subjects: []string{"late"}}, {From: second(999)},
		} {
			verbatim(t, entries(t, s, storage.EntryQuery{Filter: f, First: 9}), storage.EntryPage{})
		}
	}},
	{"RefusesABlockThatIsNotWellFormed", func(t testing.TB, s storage.Store) {
		for _, spoil := range []func(*storage.Block){
			func(b *storage.Block) { b.Head = nil },
			func(b *storage.Block) { b.Entries = nil },
			func(b *storage.Block) { b.First = -1 },
			func(b *storage.Block) { b.Entries[1].Body = nil },
		} {
			b := block(0, 2)
			spoil(&b)
			refused(t, s.AppendBlock(t.Context(), b), fault.InvalidInput)
		}
		logIs(t, s)
	}},
	{"StandsWhereItsCallerPutIt", func(t testing.TB, s storage.Store) {
		was := []storage.Block{block(2, 1), block(3, 2), block(40, 3)}
		for _, b := range was {
			appended(t, s, b)
		}
		logIs(t, s, was...)
		found(t, s, storage.EntryFilter{}, "2 3 4 40 41 42")
		found(t, s, storage.EntryFilter{Subjects: []string{"lic_1"}}, "2 3 4 40 41 42")
	}},
	{"SettlesNothing", func(t testing.TB, s storage.Store) {
		held(t, s)
		b := block(0, 1)
		b.Entries[0] = entry("evt_a")
		appended(t, s, b)
		equal(t, pending(t, s, 9), []storage.Entry{entry("evt_a")})
		logIs(t, s, b)
	}},
	{"KeepsNoHandOnWhatItWasGivenOrGave", func(t testing.TB, s storage.Store) {
		b := block(0, 2)
		appended(t, s, b)
		for _, mine := range []storage.Block{b, blocks(t, s, 0, 1)[0], {Entries: []storage.Entry{entries(t, s, storage.EntryQuery{First: 1}).Entries[0].Entry}}} {
			mine.Head = append(mine.Head[:0], 'X')
			mine.Entries[0].Body[0], mine.Entries[0].Subjects[0] = 'X', "X"
		}
		logIs(t, s, block(0, 2))
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		refused(t, s.AppendBlock(ended(t), block(0, 1)), fault.Unavailable)
	}},
}

var blocksClauses = []clause{
	{"OfAnEmptyLogAreNone", func(t testing.TB, s storage.Store) {
		for _, from := range []int64{0, 1, 1 << 40, storage.LastBlock} {
			equal(t, blocks(t, s, from, 9), []storage.Block{})
		}
	}},
	{"AreFromTheOneThatHoldsTheIndex", func(t testing.TB, s storage.Store) {
		all := []storage.Block{block(0, 40), block(40, 300), block(340, 2), block(342, 40)}
		for _, b := range all {
			appended(t, s, b)
		}
		for from, begin := range map[int64]int{0: 0, 39: 0, 40: 1, 72: 1, 335: 1, 339: 1, 340: 2, 341: 2, 342: 3, 381: 3, 382: 4, 1 << 40: 4} {
			for limit := range 6 {
				verbatim(t, blocks(t, s, from, limit), all[begin:min(begin+limit, 4)])
			}
		}
	}},
	{"BeginWithTheLastIfAsked", func(t testing.TB, s storage.Store) {
		for first := int64(0); first < 150; first += 50 {
			appended(t, s, block(first, 50))
			verbatim(t, blocks(t, s, storage.LastBlock, 9), []storage.Block{block(first, 50)})
			equal(t, blocks(t, s, storage.LastBlock, 0), []storage.Block{})
		}
	}},
	{"AreTwoAtLeastHoweverLarge", func(t testing.TB, s storage.Store) {
		var want []storage.Block
		const size = storage.MaxBytes / storage.MaxEntry
		for n := range 3 {
			b := block(int64(size*n), size)
			b.Head = noise("head")[:storage.MaxHead]
			for i := range b.Entries {
				b.Entries[i].Body = noise(b.Entries[i].ID)
			}
			appended(t, s, b)
			want = append(want, b)
		}
		for n, b := range want[:2] { // else whoever begins with the last one it has sees no other
			some := blocks(t, s, b.Next()-1, 9)
			verbatim(t, some[:min(2, len(some))], want[n:n+2])
		}
		logIs(t, s, want...)
	}},
	{"AreUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.Blocks(ended(t), 0, 1)
		refused(t, err, fault.Unavailable)
	}},
}

// block is a block of so many entries, all different.
func block(first int64, size int) storage.Block {
	b := storage.Block{First: first, At: second(int(first)), Head: fmt.Appendf(nil, "head at %d", first)}
	for i := range size {
		b.Entries = append(b.Entries, entry(fmt.Sprint("evt_", first+int64(i))))
	}
	return b
}

func appended(t testing.TB, s storage.Store, b storage.Block) {
	t.Helper()
	must(t, s.AppendBlock(t.Context(), b))
}

func blocks(t testing.TB, s storage.Store, from int64, limit int) []storage.Block {
	t.Helper()
	found, err := s.Blocks(t.Context(), from, limit)
	must(t, err)
	return found
}

// logIs fails unless the log is made of these blocks, to the byte.
func logIs(t testing.TB, s storage.Store, want ...storage.Block) {
	t.Helper()
	var got []storage.Block
	for from := int64(0); ; from = got[len(got)-1].Next() {
		some := blocks(t, s, from, 9)
		if len(some) == 0 {
			break
		}
		got = append(got, some...)
	}
	verbatim(t, got, want)
}

func verbatim(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatalf("differs from what was wanted (-want +got):\n%s", diff)
	}
}

// noise gives as many bytes as an entry may have, that nothing makes shorter.
func noise(seed string) []byte {
	body := make([]byte, storage.MaxEntry)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(body) // never fails
	return body
}
