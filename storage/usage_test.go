package storage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/storage"
)

func TestDayIsACalendarDayInUTC(t *testing.T) {
	east := time.FixedZone("east", 14*3600)
	for at, want := range map[time.Time]storage.Day{
		time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC): "2026-11-21",
		time.Date(2026, 11, 22, 13, 59, 0, 0, east):      "2026-11-21",
		time.Date(2026, 11, 22, 14, 0, 0, 0, east):       "2026-11-22",
	} {
		if got := storage.DayOf(at); got != want {
			t.Errorf("DayOf(%v) = %s, want %s", at, got, want)
		}
	}
}

func TestADayAddsCountsByDimensionAndValue(t *testing.T) {
	day := storage.UsageDay{Day: "2026-11-21"}
	for range 2 {
		day.Add(storage.UsageDelta{Valid: 2, Invalid: 1, Values: storage.Values{
			storage.ByCode: {"VALID": 2, "EXPIRED": 1}, storage.ByCountry: {"DE": 3},
		}})
	}
	day.Add(storage.UsageDelta{Valid: 1, Values: storage.Values{storage.ByCode: {"VALID": 1}}})
	want := storage.UsageDay{Day: "2026-11-21", Valid: 5, Invalid: 2, Values: storage.Values{
		storage.ByCode: {"VALID": 5, "EXPIRED": 2}, storage.ByCountry: {"DE": 6},
	}}
	if diff := cmp.Diff(want, day); diff != "" {
		t.Error(diff)
	}
}

func TestADayWithoutValuesHasNone(t *testing.T) {
	var day storage.UsageDay
	day.Add(storage.UsageDelta{Valid: 1})
	if day.Values != nil {
		t.Errorf("Values = %v", day.Values)
	}
}

func TestADayCountsWhatItHasNoRoomForUnderOther(t *testing.T) {
	var day storage.UsageDay
	want := map[string]int64{storage.Other: 5}
	for i := range storage.MaxValues {
		value := fmt.Sprintf("%03d", i)
		day.Add(storage.UsageDelta{Values: storage.Values{storage.ByDomain: {value: 1}}})
		want[value] = 1
	}
	day.Add(storage.UsageDelta{Values: storage.Values{
		storage.ByDomain: {"late": 2, "later": 2, storage.Other: 1, "007": 4}, storage.ByCode: {"VALID": 1},
	}})
	want["007"] = 5
	wanted := storage.Values{storage.ByDomain: want, storage.ByCode: {"VALID": 1}}
	if diff := cmp.Diff(wanted, day.Values); diff != "" {
		t.Error(diff)
	}
}

func TestADayKeepsOtherBesideItsValues(t *testing.T) {
	var day storage.UsageDay
	day.Add(storage.UsageDelta{Values: storage.Values{storage.ByDomain: {storage.Other: 1}}})
	for i := range storage.MaxValues {
		day.Add(storage.UsageDelta{Values: storage.Values{storage.ByDomain: {fmt.Sprint(i): 1}}})
	}
	if got := day.Values[storage.ByDomain][storage.Other]; got != 1 {
		t.Errorf("%d counted under other, want 1", got)
	}
	if got := len(day.Values[storage.ByDomain]); got != storage.MaxValues+1 {
		t.Errorf("%d values kept, want %d and other", got, storage.MaxValues)
	}
}

func TestADayCountsWhatIsNoTextUnderOther(t *testing.T) {
	var day storage.UsageDay
	day.Add(storage.UsageDelta{Values: storage.Values{storage.ByDomain: {"a\x00": 1, "\xff": 2, "": 4}}})
	want := map[string]int64{storage.Other: 3, "": 4}
	if diff := cmp.Diff(want, day.Values[storage.ByDomain]); diff != "" {
		t.Error(diff)
	}
}
