package storagetest

import (
	"fmt"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var usageClauses = []clause{
	{"AddsToTheDayTheTotalAndTheProductsDay", func(t testing.TB, s storage.Store) {
		counted(t, s)
		add(t, s,
			storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-21", Valid: 2, Invalid: 1, Last: second(5),
				Values: storage.Values{storage.ByCountry: {"DE": 2, "FR": 1}}},
			storage.UsageDelta{Record: "lic_b", Product: "prd_1", Day: "2026-11-21", Valid: 4, Last: second(3),
				Values: storage.Values{storage.ByCountry: {"DE": 4}, storage.ByDomain: {"example.com": 4}}})
		add(t, s, storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-22", Valid: 1, Last: second(9)})

		equal(t, usage(t, s, "lic_a", "2026-11-21", "2026-11-22"), []storage.UsageDay{
			{Day: "2026-11-21", Valid: 2, Invalid: 1, Values: storage.Values{storage.ByCountry: {"DE": 2, "FR": 1}}},
			{Day: "2026-11-22", Valid: 1},
		})
		equal(t, usage(t, s, "prd_1", "2026-11-21", "2026-11-22"), []storage.UsageDay{
			{Day: "2026-11-21", Valid: 6, Invalid: 1, Values: storage.Values{
				storage.ByCountry: {"DE": 6, "FR": 1}, storage.ByDomain: {"example.com": 4}}},
			{Day: "2026-11-22", Valid: 1},
		})
		equal(t, get(t, s, "lic_a").Total, storage.UsageTotal{Count: 4, Last: second(9)})
		equal(t, get(t, s, "lic_b").Total, storage.UsageTotal{Count: 4, Last: second(3)})
		equal(t, get(t, s, "prd_1").Total, storage.UsageTotal{})
	}},
	{"CountsToNoProductWhereNoneIsNamed", func(t testing.TB, s storage.Store) {
		counted(t, s)
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1})
		equal(t, usage(t, s, "prd_1", "2026-01-01", "2026-12-31"), []storage.UsageDay{})
	}},
	{"NeverMovesLastBack", func(t testing.TB, s storage.Store) {
		counted(t, s)
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1, Last: second(9)})
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1, Last: second(8)})
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1})
		equal(t, get(t, s, "lic_a").Total, storage.UsageTotal{Count: 3, Last: second(9)})
	}},
	{"ChangesNoVersion", func(t testing.TB, s storage.Store) {
		counted(t, s)
		want := get(t, s, "lic_a")
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21", Valid: 1, Last: second(1)})
		want.Total = storage.UsageTotal{Count: 1, Last: second(1)}
		unchanged(t, s, want)
	}},
	{"LosesTheDeltaOfARecordThatIsGone", func(t testing.TB, s storage.Store) {
		counted(t, s)
		add(t, s,
			storage.UsageDelta{Record: "lic_x", Product: "prd_1", Day: "2026-11-21", Valid: 1},
			storage.UsageDelta{Record: "lic_a", Product: "prd_x", Day: "2026-11-21", Valid: 2})
		equal(t, usage(t, s, "lic_x", "2026-01-01", "2026-12-31"), []storage.UsageDay{})
		equal(t, usage(t, s, "prd_x", "2026-01-01", "2026-12-31"), []storage.UsageDay{})
		equal(t, usage(t, s, "prd_1", "2026-01-01", "2026-12-31"), []storage.UsageDay{{Day: "2026-11-21", Valid: 1}})
		equal(t, usage(t, s, "lic_a", "2026-01-01", "2026-12-31"), []storage.UsageDay{{Day: "2026-11-21", Valid: 2}})
	}},
	{"OfNothingIsNothing", func(t testing.TB, s storage.Store) {
		counted(t, s)
		add(t, s)
		add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21"})
		equal(t, get(t, s, "lic_a").Total, storage.UsageTotal{})
	}},
	{"AddsEachDeltaOfOneCall", func(t testing.TB, s storage.Store) {
		counted(t, s)
		var deltas []storage.UsageDelta
		for n := range 500 {
			deltas = append(deltas, storage.UsageDelta{Record: []string{"lic_a", "lic_b", "prd_1", "lic_x"}[n%4], Product: "prd_1",
				Day: "2026-11-21", Valid: 1, Last: second(500 - n), Values: storage.Values{storage.ByCode: {"VALID": 1}}})
		}
		add(t, s, deltas...)
		for n, id := range []string{"lic_a", "lic_b"} {
			equal(t, get(t, s, id).Total, storage.UsageTotal{Count: 125, Last: second(500 - n)})
		}
		equal(t, get(t, s, "prd_1").Total, storage.UsageTotal{Count: 125, Last: second(498)})
		equal(t, usage(t, s, "prd_1", "2026-11-21", "2026-11-21"), []storage.UsageDay{
			{Day: "2026-11-21", Valid: 625, Values: storage.Values{storage.ByCode: {"VALID": 625}}}})
	}},
	{"KeepsSoManyValuesApart", func(t testing.TB, s storage.Store) {
		counted(t, s)
		want := map[string]int64{storage.Other: 2}
		for i := range storage.MaxValues + 2 {
			value := fmt.Sprintf("fp %03d", i)
			add(t, s, storage.UsageDelta{Record: "lic_a", Day: "2026-11-21",
				Values: storage.Values{storage.ByFingerprint: {value: 1}}})
			if i < storage.MaxValues {
				want[value] = 1
			}
		}
		equal(t, usage(t, s, "lic_a", "2026-11-21", "2026-11-21")[0].Values,
			storage.Values{storage.ByFingerprint: want})
	}},
	{"KeepsOtherBesideThemAndInEachDimension", func(t testing.TB, s storage.Store) {
		counted(t, s)
		want := storage.UsageDay{Day: "2026-11-21"}
		for n := range 3 {
			d := storage.UsageDelta{Record: "lic_a", Product: "prd_1", Day: "2026-11-21", Valid: 1, Values: storage.Values{
				storage.ByDomain: {storage.Other: 1}, storage.ByFingerprint: {}, storage.ByCountry: {"DE": 1},
			}}
			for i := range 40 { // of which 20 are new each time but the first
				d.Values[storage.ByDomain][fmt.Sprint("domain ", 20*n+i)] = 1
				d.Values[storage.ByFingerprint][fmt.Sprint("fp ", 40*n+i)] = 1
			}
			add(t, s, d)
			want.Add(d)
		}
		for _, id := range []string{"lic_a", "prd_1"} {
			equal(t, usage(t, s, id, "2026-11-21", "2026-11-21"), []storage.UsageDay{want})
		}
		equal(t, want.Values[storage.ByFingerprint][storage.Other], int64(20))
	}},
	{"GivesDaysFromFirstToLastOldestFirst", func(t testing.TB, s storage.Store) {
		counted(t, s)
		for _, day := range []storage.Day{"2026-12-01", "2026-11-09", "2026-11-30", "2027-01-01", "2026-11-10"} {
			add(t, s, storage.UsageDelta{Record: "lic_a", Day: day, Valid: 1})
		}
		equal(t, usage(t, s, "lic_a", "2026-11-10", "2026-12-01"), []storage.UsageDay{
			{Day: "2026-11-10", Valid: 1}, {Day: "2026-11-30", Valid: 1}, {Day: "2026-12-01", Valid: 1}})
		equal(t, usage(t, s, "lic_b", "2026-11-10", "2026-12-01"), []storage.UsageDay{})
		equal(t, usage(t, s, "lic_a", "2026-12-01", "2026-11-10"), []storage.UsageDay{})
		_, err := s.Usage(ended(t), "lic_a", "2026-11-10", "2026-12-01")
		refused(t, err, fault.Unavailable)
	}},
	{"IsUnavailableToACallerWhoseContextEndedAndAddsNothing", func(t testing.TB, s storage.Store) {
		counted(t, s)
		refused(t, s.AddUsage(ended(t), []storage.UsageDelta{{Record: "lic_a", Day: "2026-11-21", Valid: 1}}),
			fault.Unavailable)
		equal(t, get(t, s, "lic_a").Total, storage.UsageTotal{})
	}},
}

// counted commits a product and two licenses to count uses of.
func counted(t testing.TB, s storage.Store) {
	t.Helper()
	product := license("prd_1")
	product.Kind = storage.Product
	commit(t, s, change(product))
	commit(t, s, change(license("lic_a")))
	commit(t, s, change(license("lic_b")))
}

func add(t testing.TB, s storage.Store, deltas ...storage.UsageDelta) {
	t.Helper()
	must(t, s.AddUsage(t.Context(), deltas))
}

func usage(t testing.TB, s storage.Store, id string, first, last storage.Day) []storage.UsageDay {
	t.Helper()
	days, err := s.Usage(t.Context(), id, first, last)
	must(t, err)
	return days
}
