package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/keywright/keywright/storage"
)

// The world of a log in which entries have much in common.
var (
	variedTypes    = []string{"license.created", "license.updated", "plan.created", "license.key.shown", "odd"}
	variedProducts = []string{"", "prd_a", "prd_b", "prd_c"}
	variedSubjects = []string{"lic_1", "lic_2", "pln_1", "act_1"}
	variedActors   = []string{"", "USER a", "USER b"}
)

// variedLog makes so many blocks from an index on, always the same.
func variedLog(first int64, count int) []storage.Block {
	random := rand.New(rand.NewPCG(uint64(first), 3))
	var all []storage.Block
	for range count {
		b := storage.Block{First: first, At: second(int(first / 8)), Head: []byte("head")}
		for n := range 1 + random.IntN(5)*random.IntN(12) {
			e := storage.Entry{
				ID: fmt.Sprint("evt_", first+int64(n)), Body: fmt.Appendf(nil, `{"n": %d}`, first+int64(n)),
				Type:    variedTypes[random.IntN(len(variedTypes))],
				Product: variedProducts[random.IntN(len(variedProducts))],
				Actor:   variedActors[random.IntN(len(variedActors))],
			}
			for _, id := range variedSubjects {
				if random.IntN(4) == 0 {
					e.Subjects = append(e.Subjects, id)
				}
			}
			slices.Sort(e.Subjects)
			b.Entries = append(b.Entries, e)
		}
		all, first = append(all, b), b.Next()
	}
	return all
}

// someFilters gives every combination of a few values of each part of a
// filter.
func someFilters() []storage.EntryFilter {
	var all []storage.EntryFilter
	for _, types := range [][]string{nil, {"license.created"}, {"license.*", "plan.created"}, {"none"}} {
		for _, products := range [][]string{nil, {}, {"prd_b"}, {"prd_a", "", "prd_c"}} {
			for _, subjects := range [][]string{nil, {"lic_1"}, {"act_1", "lic_2"}} {
				for _, actor := range []string{"", "USER a"} {
					for _, times := range [][2]time.Time{{}, {second(5), {}}, {{}, second(20)}, {second(8), second(30)}} {
						all = append(all, storage.EntryFilter{
							Types: types, Products: products, Subjects: subjects, Actor: actor, From: times[0], To: times[1],
						})
					}
				}
			}
		}
	}
	return all
}
