package licensing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
)

func TestEachAllowedListHasExactlyItsLicenses(t *testing.T) {
	m := newMarket(t)
	m.wantAllowedLists(t)
	m.before = m.now.Add(-90 * time.Minute) // where EXPIRED alone would list more
	m.wantAllowedLists(t)
}

func (m *market) wantAllowedLists(t *testing.T) {
	t.Helper()
	allowed, empty := 0, 0
	for _, c := range m.combinations() {
		for _, o := range orders {
			if !c.allowed(o) {
				continue
			}
			allowed++
			want := c.listed(m, o)
			if len(want) == 0 {
				empty++
			}
			for _, first := range []int{3, 50} {
				if diff := same(want, m.ids(t, c.filter(), o, first)); diff != "" {
					t.Errorf("%s in order %s by %d: %s", c, o, first, diff)
				}
			}
		}
	}
	if allowed < 100 || empty > allowed/10 {
		t.Errorf("%d lists, %d of them empty: the test shows little", allowed, empty)
	}
}

func TestEachOtherListIsRefusedWithASentence(t *testing.T) {
	m := newMarket(t)
	refused := 0
	for _, c := range m.combinations() {
		for _, o := range orders {
			if c.allowed(o) {
				continue
			}
			refused++
			_, err := m.Licenses(as(ada), c.filter(), o, page.Args{First: 1})
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != fault.InvalidInput || e.Field == "" || !strings.Contains(e.Message, " ") {
				t.Errorf("%s in order %s: %s %v", c, o, fault.CodeOf(err), err)
			}
		}
	}
	if refused < 100 {
		t.Errorf("%d lists are refused: the test shows little", refused)
	}
}

func TestProductAndPlanInOneFilterAreRefused(t *testing.T) {
	m := newMarket(t)
	f := &licensing.LicenseFilter{Product: ptr("acme"), Plan: ptr("acme/pro")}
	_, err := m.Licenses(as(ada), f, licensing.CreatedNewest, page.Args{First: 1})
	wantFields(t, err, "filter.plan")
}

// An empty text is a program's mistake, and must not list everybody's.
func TestAFilterByNothingIsRefused(t *testing.T) {
	m := newMarket(t)
	for field, f := range map[string]*licensing.LicenseFilter{
		"filter.externalId":         {ExternalID: ptr("")},
		"filter.customerEmail":      {CustomerEmail: ptr("")},
		"filter.customerExternalId": {CustomerExternalID: ptr("")},
	} {
		_, err := m.Licenses(as(ada), f, licensing.CreatedNewest, page.Args{First: 1})
		wantFields(t, err, field)
	}
}

func TestListsByStatusFollowTheClock(t *testing.T) {
	s := newShop(t)
	m := &market{shop: s}
	id := s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.StartsAt, in.ExpiresAt = ptr(noon.Add(time.Hour)), ptr(noon.Add(2*time.Hour))
	}).License.ID()
	list := func(status license.Status) []string {
		return m.ids(t, &licensing.LicenseFilter{Status: &status}, licensing.ExpiresSoonest, 10)
	}
	for _, tt := range []struct {
		after           time.Duration
		active, expired []string
	}{
		{time.Hour - time.Millisecond, []string{}, []string{}},
		{time.Hour, []string{id}, []string{}},
		{2*time.Hour - time.Millisecond, []string{id}, []string{}},
		{2 * time.Hour, []string{}, []string{id}},
	} {
		s.now = noon.Add(tt.after)
		if diff := same([][]string{tt.active, tt.expired}, [][]string{list(license.StatusActive), list(license.StatusExpired)}); diff != "" {
			t.Errorf("after %v: %s", tt.after, diff)
		}
	}
}

func TestACursorIsOfItsQuestion(t *testing.T) {
	m := newMarket(t)
	one := page.Args{First: 1}
	f := &licensing.LicenseFilter{Product: ptr("acme")}
	first := must(m.Licenses(as(ada), f, licensing.CreatedNewest, one))(t)
	one.After = first.PageInfo.EndCursor
	must(m.Licenses(as(ada), f, licensing.CreatedNewest, one))(t)
	for name, call := range map[string]func() error{
		"another order": func() error {
			_, err := m.Licenses(as(ada), f, licensing.CreatedOldest, one)
			return err
		},
		"another filter": func() error {
			_, err := m.Licenses(as(ada), &licensing.LicenseFilter{Product: ptr("other")}, licensing.CreatedNewest, one)
			return err
		},
		"no filter": func() error {
			_, err := m.Licenses(as(ada), nil, licensing.CreatedNewest, one)
			return err
		},
		"a list of products": func() error {
			_, err := m.Products(as(ada), false, one)
			return err
		},
		"a list of plans": func() error {
			_, err := m.PlansOf(as(ada), m.acme, false, one)
			return err
		},
		"a made-up cursor": func() error {
			_, err := m.Licenses(as(ada), f, licensing.CreatedNewest, page.Args{First: 1, After: ptr("AAAA")})
			return err
		},
		"another scope": func() error {
			m.policy.allow([]authz.Action{authz.LicenseRead}, "acme")
			_, err := m.Licenses(as(ada), f, licensing.CreatedNewest, one)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantFields(t, call(), "after") })
		m.policy.scope = func(actor.Actor, authz.Action) authz.Scope { return authz.AllProducts() }
	}
}

func TestAPageHas1To200Nodes(t *testing.T) {
	s := newShop(t)
	for _, first := range []int{0, -1, 201} {
		_, err := s.Licenses(as(ada), nil, licensing.CreatedNewest, page.Args{First: first})
		wantFields(t, err, "first")
		_, err = s.Products(as(ada), false, page.Args{First: first})
		wantFields(t, err, "first")
		_, err = s.PlansOf(as(ada), s.acme, false, page.Args{First: first})
		wantFields(t, err, "first")
	}
}

func TestListsShowWhatTheCallerMaySee(t *testing.T) {
	m := newMarket(t)
	m.policy.allow([]authz.Action{authz.LicenseRead, authz.ProductRead}, "acme")
	for _, c := range m.combinations() {
		for _, o := range orders {
			if !c.allowed(o) {
				continue
			}
			mine := c
			mine.parts = append(slices.Clone(c.parts), part{has: func(l *licensing.LicenseView) bool { return l.Product.Code == "acme" }})
			if diff := same(mine.listed(m, o), m.ids(t, c.filter(), o, 50)); diff != "" {
				t.Errorf("%s in order %s: %s", c, o, diff)
			}
		}
	}
	for _, f := range []licensing.LicenseFilter{
		{Product: ptr("other")}, {Product: ptr(license.ProductID("other"))}, {Plan: ptr("other/pro")}, {Product: ptr("none")}, {Plan: ptr("acme/none")},
	} {
		_, err := m.Licenses(as(ada), &f, licensing.CreatedNewest, page.Args{First: 1})
		wantCode(t, err, fault.NotFound)
	}
	products := must(m.Products(as(ada), false, page.Args{First: 50}))(t)
	if len(products.Nodes) != 1 || products.Nodes[0].Code != "acme" {
		t.Errorf("products: %v", products.Nodes)
	}
}

func TestArchivedOnesHaveAListOfTheirOwn(t *testing.T) {
	s := newShop(t)
	s.product(t, "old", "OLD")
	s.plan(t, "acme", "old")
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/old", Archived: ptr(true)}))(t)
	must(s.UpdateProduct(as(ada), licensing.UpdateProductInput{Product: "old", Archived: ptr(true)}))(t)
	for archived, want := range map[bool][]string{false: {"acme", "pro"}, true: {"old", "old"}} {
		var got []string
		for _, p := range must(s.Products(as(ada), archived, page.Args{First: 50}))(t).Nodes {
			got = append(got, p.Code)
		}
		for _, p := range must(s.PlansOf(as(ada), s.acme, archived, page.Args{First: 50}))(t).Nodes {
			got = append(got, p.Code)
		}
		if diff := same(want, got); diff != "" {
			t.Errorf("archived %t: %s", archived, diff)
		}
	}
}
