package page_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/page"
)

const question = "licenses product=prod_1 CREATED_NEWEST"

func TestAPageGoesOnWhereTheLastOneEnded(t *testing.T) {
	c := page.New(question, []int{1, 2}, "2026-11-21 lic_2", true)
	if !c.PageInfo.HasNextPage || c.PageInfo.EndCursor == nil {
		t.Fatalf("%+v", c.PageInfo)
	}
	first, place, err := page.Args{First: 2, After: c.PageInfo.EndCursor}.Start(question)
	if first != 2 || place != "2026-11-21 lic_2" || err != nil {
		t.Errorf("Start = %d, %q, %v", first, place, err)
	}
	if strings.Contains(*c.PageInfo.EndCursor, "lic") {
		t.Error("the cursor is not opaque")
	}
}

func TestTheFirstPageStartsAtNoPlace(t *testing.T) {
	first, place, err := page.Args{First: page.MaxFirst}.Start(question)
	if first != page.MaxFirst || place != "" || err != nil {
		t.Errorf("Start = %d, %q, %v", first, place, err)
	}
}

func TestFirstIsBounded(t *testing.T) {
	for first, ok := range map[int]bool{-1: false, 0: false, 1: true, page.MaxFirst: true, page.MaxFirst + 1: false} {
		_, _, err := page.Args{First: first}.Start(question)
		if (err == nil) != ok || !ok && fieldOf(err) != "first" {
			t.Errorf("first %d: %v", first, err)
		}
	}
}

func TestACursorOfAnotherQuestionIsRefused(t *testing.T) {
	cursor := page.New(question, []int{1}, "place", true).PageInfo.EndCursor
	for _, other := range []string{"", question + " ", strings.Replace(question, "prod_1", "prod_2", 1), strings.Replace(question, "NEWEST", "OLDEST", 1)} {
		if _, place, err := (page.Args{First: 1, After: cursor}).Start(other); fieldOf(err) != "after" || place != "" {
			t.Errorf("under %q: %q, %v", other, place, err)
		}
	}
}

func TestGarbageIsNoCursor(t *testing.T) {
	good := *page.New(question, []int{1}, "place", true).PageInfo.EndCursor
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"empty":             "",
		"cut":               good[:len(good)-1],
		"the digest alone":  base64.RawURLEncoding.EncodeToString(raw[:len(raw)-len("place")]),
		"padded":            good + "==",
		"a line break":      good[:4] + "\n" + good[4:],
		"another alphabet":  good[:4] + "+/" + good[6:],
		"a changed digest":  "A" + good[1:],
		"more than is read": strings.Repeat(good, 1024/len(good)+1),
		"no cursor":         "lic_1f5rch22sgbwm4rqtnrp6tr2fy",
	}
	for name, cursor := range tests {
		if _, place, err := (page.Args{First: 1, After: &cursor}).Start(question); fieldOf(err) != "after" || place != "" {
			t.Errorf("%s: %q, %v", name, place, err)
		}
	}
}

func TestAnEmptyPageHasNoCursorAndNoNullList(t *testing.T) {
	c := page.New[int](question, nil, "", false)
	if diff := cmp.Diff(&page.Connection[int]{Nodes: []int{}}, c); diff != "" {
		t.Error(diff)
	}
}

// A cursor that is taken is the one that was given out for its place.
func FuzzCursor(f *testing.F) {
	f.Add(question, *page.New(question, []int{1}, "place", true).PageInfo.EndCursor)
	f.Add(question, "AAAAAAAAAAAAAA")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, question, cursor string) {
		_, place, err := page.Args{First: 1, After: &cursor}.Start(question)
		if err != nil {
			if place != "" || fieldOf(err) != "after" {
				t.Errorf("%q: %q, %v", cursor, place, err)
			}
			return
		}
		if again := page.New(question, []int{1}, place, false).PageInfo.EndCursor; again == nil || *again != cursor {
			t.Errorf("%q leads to %q, whose cursor is another", cursor, place)
		}
	})
}

// FuzzPlace finds that every place comes back from its cursor.
func FuzzPlace(f *testing.F) {
	f.Add(question, "2026-11-21 lic_2")
	f.Fuzz(func(t *testing.T, question, place string) {
		if place == "" || len(place) > 512 {
			t.Skip("no place of a driver's")
		}
		cursor := page.New(question, []int{1}, place, false).PageInfo.EndCursor
		if _, got, err := (page.Args{First: 1, After: cursor}).Start(question); got != place || err != nil {
			t.Errorf("%q became %q, %v", place, got, err)
		}
	})
}

func fieldOf(err error) string {
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.InvalidInput {
		return ""
	}
	return e.Field
}
