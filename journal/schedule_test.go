//go:build !race

// What is played has one goroutine at a time, so there is no race to be found,
// and each play leaves the race detector some memory for good: sixteen gigabytes
// in all. scripts/test.sh runs these without it.

package journal_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"testing"
)

// explore goes through all that may happen in a play, and gives how many
// situations there are, or what is wrong in the first that is broken. A way is
// a list of moves; each is played from the beginning.
func explore(s scope) (situations int, broken string) {
	seen := map[[sha256.Size]byte]bool{}
	for todo := [][]byte{nil}; len(todo) > 0; {
		way := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p := begin(s)
		for _, move := range way {
			p.moves()[move]()
		}
		for p.broken == "" {
			sum, moves := sha256.Sum256([]byte(p.situation())), p.moves()
			if seen[sum] || len(moves) == 0 {
				break
			}
			seen[sum] = true
			for other := 1; other < len(moves); other++ {
				todo = append(todo, append(way[:len(way):len(way)], byte(other)))
			}
			way = append(way[:len(way):len(way)], 0)
			moves[0]()
		}
		p.end()
		if p.broken != "" {
			return len(seen), p.broken
		}
	}
	return len(seen), ""
}

func TestInEveryOrderAnEntryIsLoggedOnceAndBeforeASyncThatBeganAfterItEnds(t *testing.T) {
	scopes := map[string]scope{
		"two blocks": {entries: 2, syncs: 1, pending: 9, block: 1},
		"a crash":    {entries: 1, syncs: 1, crashes: 1, pending: 9, block: 1},
		"a fault":    {entries: 1, syncs: 1, faults: 1, pending: 9, block: 1},
		"cut reads":  {entries: 2, syncs: 1, pending: 1, block: 1},
		"half done":  {entries: 2, syncs: 1, faults: 1, pending: 9, block: 2},
	}
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		scopes = map[string]scope{
			"two blocks":               {entries: 2, syncs: 2, pending: 9, block: 1},
			"a block of two":           {entries: 3, syncs: 1, pending: 9, block: 2},
			"two blocks and a crash":   {entries: 2, syncs: 1, crashes: 1, pending: 9, block: 1},
			"two blocks and a fault":   {entries: 2, syncs: 1, faults: 1, pending: 9, block: 1},
			"halves and a crash":       {entries: 2, syncs: 1, crashes: 1, faults: 1, pending: 9, block: 2},
			"halves and cut reads":     {entries: 2, syncs: 1, faults: 2, pending: 1, block: 1},
			"two crashes and a fault":  {entries: 1, syncs: 1, crashes: 2, faults: 1, pending: 9, block: 1},
			"cut reads and a crash":    {entries: 2, syncs: 1, crashes: 1, pending: 1, block: 1},
			"cut reads of two blocks":  {entries: 3, syncs: 1, pending: 2, block: 1},
			"cut reads of more blocks": {entries: 3, syncs: 1, pending: 1, block: 1},
		}
	}
	for name, s := range scopes {
		t.Run(name, func(t *testing.T) {
			situations, broken := explore(s)
			if broken != "" || situations < 1000 {
				t.Errorf("%d situations: %s", situations, broken)
			}
			t.Logf("%d situations", situations)
		})
	}
}

func TestInAnyOrderOfMuchMoreItIsTheSame(t *testing.T) {
	plays := uint64(2000)
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		plays = 200_000
	}
	for seed := range plays {
		dice := rand.New(rand.NewPCG(seed, 0))
		p := begin(scope{
			entries: 5, syncs: 3, crashes: 2, faults: 3, pending: 1 + dice.IntN(6), block: 1 + dice.IntN(3),
			restoring: restoring{migrations: dice.IntN(4), recordsFirst: seed%2 == 0, goesOn: seed%4 == 1},
		})
		for moves := p.moves(); len(moves) > 0 && p.broken == ""; moves = p.moves() {
			moves[dice.IntN(len(moves))]()
		}
		p.end()
		if p.broken != "" {
			t.Fatalf("with seed %d: %s", seed, p.broken)
		}
	}
}

// The checker has the power to find what each of these steps is there for.
func TestWhatIsLeftOutShows(t *testing.T) {
	for name, s := range map[string]scope{
		"settling": {entries: 2, syncs: 1, crashes: 1, pending: 9, block: 2, wrong: everySettle},
		"settling the last block": {
			entries: 2, syncs: 2, crashes: 1, pending: 9, block: 1, wrong: settlesOfTheLastBlock,
		},
		"settling all of the last block after a read that was cut": {
			entries: 3, syncs: 1, crashes: 1, pending: 1, block: 1, wrong: settlesOfWhatACutReadDidNotShow,
		},
		"hearing that settling failed half done": {
			entries: 2, syncs: 1, faults: 1, pending: 1, block: 1, wrong: failuresOfSettle,
		},
		"looking at start for what is pending": {
			entries: 2, syncs: 2, pending: 9, block: 1, wrong: lookingForWhatIsPending, restoring: recordsFirst,
		},
		"settling what a restored copy has twice": {
			entries: 2, syncs: 2, pending: 9, block: 1, wrong: settlesOfARestoredCopy, restoring: recordsFirst,
		},
		"reading pending again before an epoch begins": {
			entries: 1, syncs: 1, crashes: 1, pending: 9, block: 1, wrong: laterReadsOfPending, restoring: restoring{migrations: 1, fewer: 1},
		},
		"going on after a block": {entries: 2, syncs: 1, pending: 9, block: 1, wrong: allButOneAppend},
	} {
		situations, broken := explore(s)
		if broken == "" {
			t.Errorf("without %s: %d situations, and none is broken", name, situations)
		}
		t.Logf("without %s: %s", name, broken)
	}
}

// recordsFirst is a copy of which the records are older than the blocks.
var recordsFirst = restoring{migrations: 1, recordsFirst: true, fewer: 1}

func TestARestoredCopyDoesNotHaveTheLogHoldAnEntryTwice(t *testing.T) {
	two, goOn := restoring{migrations: 2, fewer: 1}, restoring{migrations: 1, goesOn: true, fewer: 1}
	goOnAll := restoring{migrations: 1, goesOn: true}
	scopes := map[string]scope{
		"records first":  {entries: 2, syncs: 2, pending: 9, block: 1, restoring: recordsFirst},
		"two migrations": {entries: 1, syncs: 1, pending: 9, block: 1, restoring: two},
		"servers go on":  {entries: 2, syncs: 2, pending: 9, block: 1, restoring: goOn},
	}
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		scopes = map[string]scope{
			"records first and a crash":   {entries: 2, syncs: 2, crashes: 1, pending: 9, block: 1, restoring: recordsFirst},
			"records first and a fault":   {entries: 2, syncs: 2, faults: 1, pending: 9, block: 1, restoring: recordsFirst},
			"two migrations and a crash":  {entries: 1, syncs: 1, crashes: 1, pending: 9, block: 1, restoring: two},
			"two migrations and a fault":  {entries: 1, syncs: 1, faults: 1, pending: 9, block: 1, restoring: two},
			"two servers go on":           {entries: 2, syncs: 1, pending: 9, block: 2, restoring: goOnAll},
			"a server goes on, and crash": {entries: 2, syncs: 2, crashes: 1, pending: 9, block: 1, restoring: goOn},
		}
	}
	for name, s := range scopes {
		t.Run(name, func(t *testing.T) {
			situations, broken := explore(s)
			if broken != "" || situations < 500 {
				t.Errorf("%d situations: %s", situations, broken)
			}
			t.Logf("%d situations", situations)
		})
	}
}
