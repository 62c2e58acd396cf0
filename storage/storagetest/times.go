package storagetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
)

// edges are times at the bounds of what there may be, in their order.
func edges() []time.Time {
	ms := time.Millisecond
	epoch := time.Unix(0, 0).UTC()
	return []time.Time{
		time.Time{}.Add(ms), time.Date(1, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1e6, time.UTC), epoch.Add(-ms), epoch, epoch.Add(ms),
		second(0).Add(-ms), second(0), second(0).Add(ms), second(0).Add(999 * ms),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	}
}

var timeClauses = []clause{
	{"AreKeptToTheMillisecondEverywhere", func(t testing.TB, s storage.Store) {
		for n, at := range edges() {
			r := license(fmt.Sprint("lic_", n))
			r.Index.Created, r.Index.Starts, r.Index.Ends, r.Index.Due = at, at, at, at
			r.Done = []storage.Operation{{Name: "n", Key: "k", At: at}, {Name: "o"}}
			c := change(r)
			c.Put = []storage.Seat{{ID: "a", Lease: at, Seen: at, Body: []byte(`{}`)}, {ID: "b", Body: []byte(`{}`)}}
			got := commit(t, s, c)
			r.Version, r.Attempt = 1, c.Attempt
			equal(t, got, &storage.Stored{Record: r, Seats: c.Put})
			add(t, s, storage.UsageDelta{Record: r.ID, Day: storage.DayOf(at), Valid: 1, Last: at})
			equal(t, get(t, s, r.ID).Total, storage.UsageTotal{Count: 1, Last: at})
			equal(t, usage(t, s, r.ID, "0001-01-01", "9999-12-31"), []storage.UsageDay{{Day: storage.DayOf(at), Valid: 1}})
		}
	}},
	{"AreInTheirOrderAndNoneIsNowhere", func(t testing.TB, s storage.Store) {
		bare := license("none")
		bare.Index.Created = time.Time{}
		commit(t, s, change(bare))
		all := edges()
		order := ""
		for n := range all {
			n = (n*5 + 3) % len(all)
			r := license(fmt.Sprintf("lic_%02d", n))
			r.Index.Created, r.Index.Starts, r.Index.Ends, r.Index.Due = all[n], all[n], all[n], all[n]
			commit(t, s, change(r))
		}
		for n, at := range all {
			order += fmt.Sprintf(" lic_%02d", n)
			behind := fmt.Sprintf("lic_%02d", n)
			var next time.Time // of none there is no bound
			if n < len(all)-1 {
				next = at.Add(time.Millisecond)
			}
			listed(t, s, storage.CreatedOldest, storage.Filter{CreatedAfter: at.Add(-time.Millisecond), CreatedBefore: next}, behind)
			listed(t, s, storage.EndsSoonest, storage.Filter{EndsAfter: at.Add(-time.Millisecond), EndsBefore: next}, behind)
			listed(t, s, storage.DueSoonest, storage.Filter{DueBefore: next}, order[1:])
		}
		listed(t, s, storage.CreatedOldest, storage.Filter{}, "none"+order)
		listed(t, s, storage.EndsSoonest, storage.Filter{}, order[1:]+" none")
		listed(t, s, storage.DueSoonest, storage.Filter{}, order[1:])
		listed(t, s, storage.EndsSoonest, storage.Filter{OpenAt: all[len(all)-1]}, "none")
	}},
	{"OfLeasesMoveForwardFromAnyToAny", func(t testing.TB, s storage.Store) {
		all := edges()
		seated(t, s, storage.Seat{ID: "a", Body: []byte(`{}`)})
		for n, at := range all {
			if n > 0 {
				l := storage.Lease{Record: "lic_a", Seat: "a", At: all[n-1].Add(-time.Millisecond), Until: at}
				touched(t, s, at, l)
				l.At = at // has run out
				ends, err := s.Touch(t.Context(), []storage.Lease{l})
				must(t, err)
				equal(t, ends, make([]time.Time, 1))
			} else {
				touched(t, s, at, storage.Lease{Record: "lic_a", Seat: "a", Until: at})
			}
		}
		c := change(get(t, s, "lic_a").Record)
		c.Remove = []storage.Removal{{ID: "a", IfLease: &all[len(all)-1]}}
		equal(t, commit(t, s, c).Seats, []storage.Seat{})
	}},
	{"OfBlocksAreFoundFromAndBefore", func(t testing.TB, s storage.Store) {
		all, before := edges(), []string{}
		for n, at := range all {
			b := block(int64(n), 1)
			b.At = at
			appended(t, s, b)
			found(t, s, storage.EntryFilter{From: at}, fmt.Sprint(n))
			found(t, s, storage.EntryFilter{From: all[0], To: at}, strings.Join(before, " "))
			before = append(before, fmt.Sprint(n))
			equal(t, blocks(t, s, storage.LastBlock, 1)[0].At, at)
		}
		allFits(t, s)
	}},
}
