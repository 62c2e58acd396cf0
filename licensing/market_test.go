package licensing_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

var orders = []licensing.LicenseOrder{licensing.CreatedNewest, licensing.CreatedOldest, licensing.ExpiresSoonest}

// market is a shop with 50 licenses of two products and three plans, in every
// status, some made within one millisecond, some with the same end.
type market struct {
	*shop
	all    []*licensing.LicenseView
	before time.Time // that a filter names as expiresBefore
}

func newMarket(t testing.TB) *market {
	t.Helper()
	m := &market{shop: newShop(t), before: noon.Add(7 * time.Hour)}
	m.product(t, "other", "OTHER")
	m.plan(t, "acme", "basic")
	m.plan(t, "other", "pro")
	plans := []string{"acme/pro", "acme/basic", "other/pro"}
	for i := range 50 {
		m.now = noon.Add(time.Duration(i/2) * time.Minute)
		in := licensing.IssueLicenseInput{Plan: plans[i%3], NeverExpires: i%7 == 0}
		if i%2 == 0 {
			in.ExternalID = ptr(fmt.Sprintf("order %d", i%8))
			in.Customer = &licensing.CustomerInput{Email: ptr(fmt.Sprintf("Customer%d@Example.com", i%4)), ExternalID: ptr(fmt.Sprint(i % 6))}
		}
		if i%7 != 0 && i%5 != 0 {
			in.ExpiresAt = ptr(noon.Add(time.Duration(i%10) * time.Hour))
			if i%4 == 3 {
				in.StartsAt = ptr(in.ExpiresAt.Add(-30 * time.Minute))
			}
		}
		if in.ExpiresAt != nil && in.StartsAt == nil {
			in.StartsAt = ptr(noon.Add(-time.Hour))
		}
		id := must(m.IssueLicense(as(ada), in))(t).License.ID()
		switch i % 7 {
		case 4:
			must(m.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
		case 5:
			must(m.RevokeLicense(as(ada), licensing.RevokeLicenseInput{License: id}))(t)
		}
	}
	m.now = noon.Add(5 * time.Hour)
	for _, r := range m.shop.all(t, storage.License) {
		m.all = append(m.all, must(m.License(as(ada), &r.ID, nil))(t))
	}
	return m
}

// ids pages through a list and gives the ids of all.
func (m *market) ids(t testing.TB, f *licensing.LicenseFilter, o licensing.LicenseOrder, first int) []string {
	t.Helper()
	all := []string{}
	args := page.Args{First: first}
	for {
		got := must(m.Licenses(as(ada), f, o, args))(t)
		for _, n := range got.Nodes {
			all = append(all, n.ID())
		}
		if !got.PageInfo.HasNextPage {
			return all
		}
		if len(got.Nodes) != first {
			t.Fatalf("a page of %d with more behind it, asked for %d", len(got.Nodes), first)
		}
		args.After = got.PageInfo.EndCursor
	}
}

// part is one thing that a filter may name, and whom it lists.
type part struct {
	name string
	set  func(*licensing.LicenseFilter)
	has  func(*licensing.LicenseView) bool
}

// The parts of filters, as api/license.graphqls groups them.
func (m *market) parts() map[string][]part {
	text := func(t *string) string {
		if t == nil {
			return ""
		}
		return *t
	}
	customer := func(l *licensing.LicenseView) *licensing.CustomerView {
		if l.Customer() == nil {
			return &licensing.CustomerView{}
		}
		return l.Customer()
	}
	status := func(want license.Status) part {
		return part{string(want), func(f *licensing.LicenseFilter) { f.Status = &want }, func(l *licensing.LicenseView) bool { return l.Status() == want }}
	}
	product := func(l *licensing.LicenseView) bool { return l.Product.Code == "acme" }
	plan := func(l *licensing.LicenseView) bool { return product(l) && l.Plan.Code == "basic" }
	second := noon.Add(2 * time.Hour)
	tenth, twentieth := noon.Add(10*time.Minute), noon.Add(20*time.Minute)
	ends := func(l *licensing.LicenseView, holds func(time.Time) bool) bool {
		return l.ExpiresAt() != nil && holds(*l.ExpiresAt())
	}
	return map[string][]part{
		"place": {
			{"everything", func(*licensing.LicenseFilter) {}, func(*licensing.LicenseView) bool { return true }},
			{"product", func(f *licensing.LicenseFilter) { f.Product = ptr("acme") }, product},
			{"product's id", func(f *licensing.LicenseFilter) { f.Product = ptr(m.acme.ID) }, product},
			{"plan", func(f *licensing.LicenseFilter) { f.Plan = ptr("acme/basic") }, plan},
			{"plan's id", func(f *licensing.LicenseFilter) { f.Plan = ptr(license.PlanID(m.acme.ID, "basic")) }, plan},
		},
		"name": {
			{"externalId", func(f *licensing.LicenseFilter) { f.ExternalID = ptr("order 2") }, func(l *licensing.LicenseView) bool { return text(l.ExternalID()) == "order 2" }},
			{"customerEmail", func(f *licensing.LicenseFilter) { f.CustomerEmail = ptr("cusTomer2@example.COM") }, func(l *licensing.LicenseView) bool { return text(customer(l).Email()) == "Customer2@Example.com" }},
			{"customerExternalId", func(f *licensing.LicenseFilter) { f.CustomerExternalID = ptr("4") }, func(l *licensing.LicenseView) bool { return text(customer(l).ExternalID()) == "4" }},
		},
		"made": {
			{"createdAfter", func(f *licensing.LicenseFilter) { f.CreatedAfter = &tenth }, func(l *licensing.LicenseView) bool { return l.CreatedAt().After(tenth) }},
			{"createdBefore", func(f *licensing.LicenseFilter) { f.CreatedBefore = &twentieth }, func(l *licensing.LicenseView) bool { return l.CreatedAt().Before(twentieth) }},
		},
		"stopped": {status(license.StatusSuspended), status(license.StatusRevoked)},
		"ends": {
			{"expiresAfter", func(f *licensing.LicenseFilter) { f.ExpiresAfter = &second }, func(l *licensing.LicenseView) bool { return ends(l, second.Before) }},
			{"expiresBefore", func(f *licensing.LicenseFilter) { f.ExpiresBefore = &m.before }, func(l *licensing.LicenseView) bool { return ends(l, m.before.After) }},
		},
		"runs":      {status(license.StatusActive), status(license.StatusExpired)},
		"scheduled": {status(license.StatusScheduled)},
	}
}

// combination is a set of parts in one filter, and by group how many there are.
type combination struct {
	parts []part
	of    map[string]int
}

// combinations gives every set of parts that a filter can hold.
func (m *market) combinations() []combination {
	all := []combination{{of: map[string]int{}}}
	groups := m.parts()
	several := map[string]bool{"name": true, "made": true, "ends": true} // fields of their own
	for _, group := range []string{"place", "name", "made", "stopped", "ends", "runs", "scheduled"} {
		for _, base := range slices.Clone(all) {
			chosen := []combination{base}
			for _, p := range groups[group] {
				for _, c := range slices.Clone(chosen) {
					if c.of[group] > 0 && !several[group] {
						continue
					}
					next := combination{append(slices.Clone(c.parts), p), map[string]int{group: c.of[group] + 1}}
					for g, n := range c.of {
						if g != group {
							next.of[g] = n
						}
					}
					chosen = append(chosen, next)
				}
			}
			all = append(all, chosen[1:]...)
		}
	}
	// One field, status, cannot have two values.
	return slices.DeleteFunc(all, func(c combination) bool { return c.of["stopped"]+c.of["runs"]+c.of["scheduled"] > 1 })
}

// allowed reports what api/license.graphqls allows.
func (c combination) allowed(o licensing.LicenseOrder) bool {
	planned := slices.ContainsFunc(c.parts, func(p part) bool { return strings.HasPrefix(p.name, "plan") })
	rest := len(c.parts) - c.of["place"]
	switch {
	case rest == 0:
		return true
	case o == licensing.ExpiresSoonest:
		return rest == c.of["ends"]+c.of["runs"]
	case c.of["name"] > 0:
		return rest == 1 && !planned
	}
	return rest == c.of["made"] || rest == c.of["stopped"]
}

func (c combination) String() string {
	var names []string
	for _, p := range c.parts {
		names = append(names, p.name)
	}
	return strings.Join(names, "+")
}

func (c combination) filter() *licensing.LicenseFilter {
	f := &licensing.LicenseFilter{}
	for _, p := range c.parts {
		p.set(f)
	}
	return f
}

// listed gives the ids that the combination lists, by looking at all.
func (c combination) listed(m *market, o licensing.LicenseOrder) []string {
	var found []*licensing.LicenseView
	for _, l := range m.all { // in the order of their making
		if !slices.ContainsFunc(c.parts, func(p part) bool { return !p.has(l) }) {
			found = append(found, l)
		}
	}
	switch o {
	case licensing.CreatedNewest:
		slices.Reverse(found)
	case licensing.ExpiresSoonest:
		never := noon.AddDate(1000, 0, 0)
		end := func(l *licensing.LicenseView) time.Time { return *cmp.Or(l.ExpiresAt(), &never) }
		slices.SortStableFunc(found, func(a, b *licensing.LicenseView) int { return end(a).Compare(end(b)) })
	}
	ids := []string{}
	for _, l := range found {
		ids = append(ids, l.ID())
	}
	return ids
}
