package license_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

func itoa(n int) string { return strconv.Itoa(n) }

// noon is when things happen in these tests.
var noon = instant("2026-11-21T12:00:00Z")

// instant reads a time that the test states, and panics on a typing error.
func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

func duration(t tester, text string) license.Duration {
	t.Helper()
	d, err := license.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// lasting reads a duration that the test states, and panics on a typing error.
func lasting(text string) *license.Duration {
	d, err := license.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return &d
}

func acme() *license.Product {
	return &license.Product{ID: license.ProductID("acme"), Code: "acme", Name: "Acme", KeyPrefix: "ACME"}
}

// planned gives a plan of acme that runs a year and asks for nothing, save for
// what change makes of it.
func planned(change func(*license.Plan)) *license.Plan {
	p := &license.Plan{
		ID: license.PlanID(license.ProductID("acme"), "pro"), ProductID: license.ProductID("acme"),
		Code: "pro", Name: "Pro", Duration: lasting("P1Y"),
		ExpiryBasis: license.FromCreation, RenewalBasis: license.FromLaterOfExpiryAndNow,
	}
	if change != nil {
		change(p)
	}
	return p
}

// issued gives a license that was issued at noon.
func issued(t tester, plan *license.Plan, spec license.IssueSpec) *license.License {
	t.Helper()
	l, err := license.Issue(acme(), plan, spec, noon)
	if err != nil {
		t.Fatalf("issue: %v", err)
	}
	l.ID = "lic_x"
	return l
}

func machine(text string) license.Subject { return license.Subject{Kind: license.Machine, Text: text} }

func domain(t tester, text string) license.Subject {
	t.Helper()
	s, err := license.ParseDomain(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// seated activates the subject, under an id that tells it.
func seated(t tester, l *license.License, plan *license.Plan, s license.Subject, now time.Time) license.ActivateResult {
	t.Helper()
	got, err := l.Activate(plan, s, "act_"+s.Text, "", "", now)
	if err != nil {
		t.Fatalf("activate %s: %v", s.Text, err)
	}
	return got
}

// diff tells how got differs from want; empty: not at all.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b license.Duration) bool { return a == b }))
}

// copied gives a license that shares nothing with l.
func copied(t tester, l *license.License) *license.License {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var c license.License
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatalf("%v", err)
	}
	if l.Metadata == nil {
		c.Metadata = nil
	}
	if d := diff(l, &c); d != "" {
		t.Fatalf("a license does not survive JSON: %s", d)
	}
	return &c
}

// wantFields fails unless err is InvalidInput on exactly these fields.
func wantFields(t *testing.T, err error, want ...string) {
	t.Helper()
	var got []string
	for _, e := range fault.All(err) {
		if e.Code != fault.InvalidInput || e.Message == "" {
			t.Errorf("%s %s: %s", e.Code, e.Field, e.Message)
		}
		got = append(got, e.Field)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bad fields (-want +got): %s", diff)
	}
}

// wantState fails unless err is Conflict State.
func wantState(t *testing.T, err error) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Conflict || e.Reason != fault.State || e.Message == "" {
		t.Errorf("got %v, want Conflict State", err)
	}
}

func codes(d license.Decision) []license.Code {
	var all []license.Code
	for _, r := range d.Reasons {
		all = append(all, r.Code)
	}
	return all
}

func anyDuration() *rapid.Generator[license.Duration] {
	return rapid.Custom(func(t *rapid.T) license.Duration {
		text := "P" + itoa(rapid.IntRange(0, 40).Draw(t, "years")) + "Y" + itoa(rapid.IntRange(0, 30).Draw(t, "months")) + "M" +
			itoa(rapid.IntRange(0, 800).Draw(t, "days")) + "DT" + itoa(rapid.IntRange(0, 100_000).Draw(t, "seconds")) + "S"
		return duration(t, text)
	})
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 7_000_000_000_000).Draw(t, "milliseconds")).UTC()
	})
}
