package storagetest

import (
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var seatClauses = []clause{
	{"ThatACommitDoesNotNameStay", func(t testing.TB, s storage.Store) {
		r := seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
		c := change(r)
		c.Put = []storage.Seat{seat("act_c", second(9))}
		equal(t, commit(t, s, c).Seats,
			[]storage.Seat{seat("act_a", second(9)), seat("act_b", second(9)), seat("act_c", second(9))})
	}},
	{"OfOneRecordAreNotAnothers", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		other := change(license("lic_b"))
		other.Put = []storage.Seat{seat("act_a", second(5))}
		commit(t, s, other)
		equal(t, get(t, s, "lic_a").Seats, []storage.Seat{seat("act_a", second(9))})
	}},
	{"ThatArePutAgainHaveTheirFieldsReplaced", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		again := storage.Seat{ID: "act_a", Lease: second(10), Body: []byte(`{"new":true}`)}
		c.Put = []storage.Seat{again}
		equal(t, commit(t, s, c).Seats, []storage.Seat{again})
	}},
	{"ThatArePutWithAnEarlierLeaseKeepTheirs", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		c.Put = []storage.Seat{seat("act_a", second(8))}
		equal(t, commit(t, s, c).Seats[0].Lease, second(9))
	}},
	{"ThatArePutWithoutALeaseKeepTheirs", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		c.Put = []storage.Seat{seat("act_a", time.Time{})}
		equal(t, commit(t, s, c).Seats[0].Lease, second(9))
	}},
	{"WithoutALeaseGetTheOneThatIsPut", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", time.Time{})))
		c.Put = []storage.Seat{seat("act_a", second(3))}
		equal(t, commit(t, s, c).Seats[0].Lease, second(3))
	}},
	{"ThatWereTouchedMeanwhileKeepTheirLeases", func(t testing.TB, s storage.Store) {
		r := seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
		for _, id := range []string{"act_a", "act_b"} {
			touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: id, At: second(8), Until: second(20)})
		}
		c := change(r)
		c.Put = []storage.Seat{{ID: "act_a", Lease: second(10), Seen: second(2), Body: []byte(`{"new":true}`)}}
		left := seat("act_b", second(20))
		left.Seen = second(8)
		equal(t, commit(t, s, c).Seats, []storage.Seat{{ID: "act_a", Lease: second(20), Seen: second(2), Body: c.Put[0].Body}, left})
	}},
	{"ThatWereRemovedComeBackAsNew", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		c.Remove = []storage.Removal{{ID: "act_a"}}
		c = change(commit(t, s, c).Record)
		c.Put = []storage.Seat{{ID: "act_a", Lease: second(3), Body: []byte(`{}`)}}
		equal(t, commit(t, s, c).Seats, c.Put)
	}},
	{"AreRemoved", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9)), seat("act_b", time.Time{}), seat("act_c", second(7))))
		c.Remove = []storage.Removal{
			{ID: "act_a"}, {ID: "act_b", IfLease: pointer(time.Time{})}, {ID: "act_c", IfLease: pointer(second(7))},
		}
		equal(t, commit(t, s, c).Seats, []storage.Seat{})
	}},
	{"ThatAreNotThereAreRemovedForNothing", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		c.Remove = []storage.Removal{{ID: "act_b"}, {ID: "act_c", IfLease: pointer(second(3))}}
		got := commit(t, s, c)
		equal(t, got.Version, int64(2))
		equal(t, got.Seats, []storage.Seat{seat("act_a", second(9))})
	}},
	{"WhoseLeaseMovedAreNotRemoved", func(t testing.TB, s storage.Store) {
		r := seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)), seat("act_c", time.Time{}))
		was := get(t, s, "lic_a")
		for _, removal := range []storage.Removal{
			{ID: "act_b", IfLease: pointer(second(8))},
			{ID: "act_b", IfLease: pointer(second(10))},
			{ID: "act_b", IfLease: pointer(time.Time{})},
			{ID: "act_c", IfLease: pointer(second(1))},
		} {
			c := change(r)
			c.Remove = []storage.Removal{{ID: "act_a"}, removal}
			c.Put = []storage.Seat{seat("act_d", second(9))}
			c.Entries = []storage.Entry{entry("evt_a")}
			refused(t, s.Commit(t.Context(), c), fault.Conflict)
		}
		unchanged(t, s, was)
		equal(t, pending(t, s, 9), []storage.Entry{})
	}},
}

// seated commits lic_a with these seats and gives it as it is to be changed.
func seated(t testing.TB, s storage.Store, seats ...storage.Seat) storage.Record {
	t.Helper()
	c := change(license("lic_a"))
	c.Put = seats
	return commit(t, s, c).Record
}

var touchClauses = []clause{
	{"MovesALeaseThatHasNotRunOut", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(8), Until: second(20)})
		equal(t, get(t, s, "lic_a").Seats[0].Seen, second(8))
	}},
	{"NeverMovesALeaseBack", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		touched(t, s, second(9), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(1), Until: second(5)})
		equal(t, get(t, s, "lic_a").Seats[0].Seen, second(1))
	}},
	{"NeverMovesSeenBack", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(-5), Until: second(20)})
		equal(t, get(t, s, "lic_a").Seats[0].Seen, second(0))
	}},
	{"GivesALeaseToASeatWithoutOne", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", time.Time{}))
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(30), Until: second(20)})
	}},
	{"LeavesALeaseThatRanOut", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		was := get(t, s, "lic_a")
		for _, at := range []time.Time{second(9), second(10)} {
			ends, err := s.Touch(t.Context(),
				[]storage.Lease{{Record: "lic_a", Seat: "act_a", At: at, Until: second(20)}})
			must(t, err)
			equal(t, ends, []time.Time{{}})
		}
		unchanged(t, s, was)
	}},
	{"AnswersInOrderAndZeroForWhatIsGone", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
		ends, err := s.Touch(t.Context(), []storage.Lease{
			{Record: "lic_a", Seat: "act_b", At: second(1), Until: second(12)},
			{Record: "lic_a", Seat: "act_x", At: second(1), Until: second(12)},
			{Record: "lic_x", Seat: "act_a", At: second(1), Until: second(12)},
			{Record: "lic_a", Seat: "act_a", At: second(1), Until: second(11)},
			{Record: "lic_a", Seat: "act_b", At: second(10), Until: second(13)},
		})
		must(t, err)
		equal(t, ends, []time.Time{second(12), {}, {}, second(11), second(13)})
	}},
	{"OfNothingIsNothing", func(t testing.TB, s storage.Store) {
		ends, err := s.Touch(t.Context(), nil)
		must(t, err)
		equal(t, ends, []time.Time{})
	}},
	{"ChangesNoVersionAndNoOtherField", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)), seat("act_b", second(9)))
		want := get(t, s, "lic_a")
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(8), Until: second(20)})
		want.Seats[0].Lease, want.Seats[0].Seen = second(20), second(8)
		unchanged(t, s, want)
	}},
	{"IsUnavailableToACallerWhoseContextEndedAndMovesNothing", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("act_a", second(9)))
		was := get(t, s, "lic_a")
		_, err := s.Touch(ended(t), []storage.Lease{{Record: "lic_a", Seat: "act_a", At: second(1), Until: second(20)}})
		refused(t, err, fault.Unavailable)
		unchanged(t, s, was)
	}},
	{"BehindARemovalsBackIsAConflict", func(t testing.TB, s storage.Store) {
		c := change(seated(t, s, seat("act_a", second(9))))
		c.Remove = []storage.Removal{{ID: "act_a", IfLease: pointer(second(9))}}
		touched(t, s, second(20), storage.Lease{Record: "lic_a", Seat: "act_a", At: second(8), Until: second(20)})
		refused(t, s.Commit(t.Context(), c), fault.Conflict)
		equal(t, get(t, s, "lic_a").Seats[0].Lease, second(20))
	}},
}

// touched moves one lease and fails unless the answer and the store both say
// that it now ends at want.
func touched(t testing.TB, s storage.Store, want time.Time, l storage.Lease) {
	t.Helper()
	ends, err := s.Touch(t.Context(), []storage.Lease{l})
	must(t, err)
	equal(t, ends, []time.Time{want})
	for _, seat := range get(t, s, l.Record).Seats {
		if seat.ID == l.Seat {
			equal(t, seat.Lease, want)
		}
	}
}
