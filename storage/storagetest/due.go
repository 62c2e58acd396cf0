package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
)

var dueClauses = []clause{
	{"SortsByDueAndLeavesOutWhatHasNone", func(t testing.TB, s storage.Store) {
		for n, due := range []time.Time{{}, second(1), second(2), second(3)} {
			c := dated(fmt.Sprint("lic_", n), due)
			c.Record.Index.Created = second(-n)
			commit(t, s, c)
		}
		listed(t, s, storage.DueSoonest, storage.Filter{}, "lic_1 lic_2 lic_3")
		listed(t, s, storage.CreatedOldest, storage.Filter{DueBefore: second(9)}, "lic_3 lic_2 lic_1")
	}},
	{"GivesWhatIsDueBeforeATime", func(t testing.TB, s storage.Store) {
		for n := range 4 {
			c := dated(fmt.Sprint("lic_", n), second(n))
			c.Record.Index.Created, c.Record.Index.Ends = second(n), second(n)
			commit(t, s, c)
		}
		commit(t, s, dated("bare", time.Time{}))
		for _, order := range orders {
			if order != storage.CreatedNewest {
				listed(t, s, order, storage.Filter{DueBefore: second(2)}, "lic_0 lic_1")
				listed(t, s, order, storage.Filter{DueBefore: second(2).Add(time.Millisecond)}, "lic_0 lic_1 lic_2")
			}
			listed(t, s, order, storage.Filter{DueBefore: second(0)}, "")
		}
	}},
	{"TakesTheOtherFiltersToo", func(t testing.TB, s storage.Store) {
		for n := range 6 {
			c := dated(fmt.Sprint("lic_", n), second(-n))
			c.Record.Index.Product, c.Record.Index.Plan = fmt.Sprint("prd_", n%3), fmt.Sprint("pln_", n%2)
			c.Record.Index.State, c.Record.Index.Ends = fmt.Sprint("state ", n/3), second(n)
			commit(t, s, c)
		}
		listed(t, s, storage.DueSoonest, storage.Filter{}, "lic_5 lic_4 lic_3 lic_2 lic_1 lic_0")
		listed(t, s, storage.DueSoonest, storage.Filter{Products: []string{"prd_1"}}, "lic_4 lic_1")
		listed(t, s, storage.DueSoonest, storage.Filter{Products: []string{"prd_1", "prd_0"}}, "lic_4 lic_3 lic_1 lic_0")
		listed(t, s, storage.DueSoonest, storage.Filter{Products: []string{}}, "")
		listed(t, s, storage.DueSoonest, storage.Filter{Plan: "pln_1", State: "state 1"}, "lic_5 lic_3")
		listed(t, s, storage.DueSoonest, storage.Filter{EndsAfter: second(1), DueBefore: second(-3)}, "lic_5 lic_4")
		listed(t, s, storage.DueSoonest, storage.Filter{OpenAt: second(3)}, "lic_5 lic_4")
	}},
	{"FollowsADueThatMoves", func(t testing.TB, s storage.Store) {
		a, b := commit(t, s, dated("lic_a", second(1))).Record, commit(t, s, dated("lic_b", second(2))).Record
		a.Index.Due = second(3)
		a = commit(t, s, change(a)).Record
		listed(t, s, storage.DueSoonest, storage.Filter{}, "lic_b lic_a")
		b.Index.Due = time.Time{}
		commit(t, s, change(b))
		listed(t, s, storage.DueSoonest, storage.Filter{}, "lic_a")
		a.Index.Due, a.Index.State = second(4), storage.Deleted
		commit(t, s, change(a))
		listed(t, s, storage.DueSoonest, storage.Filter{}, "lic_a")
		sweep(t, s, 9, 9, 1)
		listed(t, s, storage.DueSoonest, storage.Filter{}, "")
	}},
}

// dated is a change that makes a license with a due, or with none.
func dated(id string, due time.Time) storage.Change {
	r := license(id)
	r.Index.Due = due
	return change(r)
}
