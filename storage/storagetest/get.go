package storagetest

import (
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var getClauses = []clause{
	{"AnswersInTheOrderOfTheIds", func(t testing.TB, s storage.Store) {
		for _, id := range []string{"lic_a", "lic_b", "lic_c"} {
			commit(t, s, change(license(id)))
		}
		found, err := s.Get(t.Context(), "lic_c", "lic_a", "lic_c")
		must(t, err)
		equal(t, found, []*storage.Stored{get(t, s, "lic_c"), get(t, s, "lic_a"), get(t, s, "lic_c")})
		equal(t, found[0].ID+found[1].ID+found[2].ID, "lic_clic_alic_c")
	}},
	{"AnswersNilWhereThereIsNone", func(t testing.TB, s storage.Store) {
		a := commit(t, s, change(license("lic_a")))
		found, err := s.Get(t.Context(), "lic_x", "lic_a", "LIC_A", "")
		must(t, err)
		equal(t, found, []*storage.Stored{nil, a, nil, nil})
	}},
	{"AnswersThousandsAtOnce", func(t testing.TB, s storage.Store) {
		must(t, Fill(t.Context(), s, 0, 300, false))
		var ids []string
		for n := range 2000 {
			ids = append(ids, LicenseID(n%400))
		}
		found, err := s.Get(t.Context(), ids...)
		must(t, err)
		equal(t, len(found), len(ids))
		for n, r := range found {
			if (r != nil) != (n%400 < 300) || r != nil && r.ID != ids[n] {
				t.Fatalf("in place of %s, number %d, stands %+v", ids[n], n, r)
			}
		}
	}},
	{"OfNothingIsNothing", func(t testing.TB, s storage.Store) {
		found, err := s.Get(t.Context())
		must(t, err)
		equal(t, found, []*storage.Stored{})
	}},
	{"SortsSeatsByTheirIds", func(t testing.TB, s storage.Store) {
		seated(t, s, seat("c", second(1)), seat("a", second(1)), seat("Z", second(1)), seat("aa", second(1)))
		var ids string
		for _, seat := range get(t, s, "lic_a").Seats {
			ids += seat.ID + " "
		}
		equal(t, ids, "Z a aa c ")
	}},
	{"KeepsNoHandOnWhatItWasGivenOrGave", func(t testing.TB, s storage.Store) {
		c := change(full("lic_a", 0))
		c.Put = []storage.Seat{seat("act_a", second(9))}
		want := commit(t, s, c)
		c.Record.Body[2], c.Put[0].Body[2], c.Record.Done[0].Name, c.Record.Index.Words[0] = 'X', 'X', "X", "X"
		unchanged(t, s, want)
		given := get(t, s, "lic_a")
		given.Body[2], given.Seats[0].Body[2], given.Done[0].Name, given.Index.Words[0] = 'X', 'X', "X", "X"
		unchanged(t, s, want)
	}},
	{"IsUnavailableToACallerWhoseContextEnded", func(t testing.TB, s storage.Store) {
		_, err := s.Get(ended(t), "lic_a")
		refused(t, err, fault.Unavailable)
	}},
	{"OneGivesARecordOfItsKindOrNotFound", func(t testing.TB, s storage.Store) {
		a := commit(t, s, change(license("lic_a")))
		found, err := storage.One(t.Context(), s, storage.License, "lic_a")
		must(t, err)
		equal(t, found, a)
		_, err = storage.One(t.Context(), s, storage.Product, "lic_a")
		refused(t, err, fault.NotFound)
		_, err = storage.One(t.Context(), s, storage.License, "lic_x")
		refused(t, err, fault.NotFound)
	}},
}
